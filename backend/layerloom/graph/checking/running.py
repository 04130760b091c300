"""Running one call on tensors without memory, or for real where that is cheap, with what it costs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from layerloom.graph.checking.failures import Failure, explain
from layerloom.graph.checking.layers import LOCK, construct, quietly
from layerloom.graph.checking.values import (
    Frozen,
    TensorSpec,
    UnfreezableError,
    freeze,
    mapped,
    tensors,
    thaw,
    zeros,
)
from layerloom.graph.checking.values import on_meta as without_memory
from layerloom.schema.problems import ProblemCode

Arguments = tuple[tuple[str, Frozen], ...]
"""What a call is given, by name."""
SMALL = 100_000
"""Numbers in the weights and tensors of a call that is cheap enough to be made for real."""
WORK = 10_000_000
"""FLOPs of such a call."""
HELD = 25_000_000
"""Numbers in a layer that may be allocated, though not filled, to make a small call of it."""
LARGEST = 2**40
"""Bytes of one result beyond which a network is refused."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gives, or why it cannot be made."""

    result: Frozen = None
    flops: int = 0
    bytes: int = 0
    """Of the result."""
    failure: Failure | None = None


class FlopCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Torch's own FLOP formulas over the operations of one call; a multiply-add counts two.

    ``torch.utils.flop_counter.FlopCounterMode`` does the same per module, by hooks that hold for every thread.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; the guard against it costs more than a meta kernel."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.total += _flops(formula, args, kwargs, result)
        return result


def _flops(formula: Callable[..., int], args: Any, kwargs: Any, result: Any) -> int:
    """What a formula of torch's says. Most want shapes, and their wrapper takes long to find the tensors."""
    bare = getattr(formula, "__wrapped__", None)
    if bare is None or kwargs or not isinstance(result, torch.Tensor) or any(_holds_tensor(value) for value in args):
        return formula(*args, **kwargs, out_val=result)
    shapes = [value.shape if isinstance(value, torch.Tensor) else value for value in args]
    count: int = bare(*shapes, out_shape=result.shape)
    return count


def _holds_tensor(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(item, torch.Tensor) for item in value)


def on_given(module: nn.Module, arguments: Arguments) -> Outcome | None:
    """The call of a layer that makes no tensors of its own, which needs no mode that puts them on the meta device, and
    takes a quarter less; None where it does not come out so.
    """
    live = live_of(arguments, "meta")
    with LOCK, warnings.catch_warnings(action="ignore"), torch.no_grad(), FlopCounter() as counter:
        try:
            called = module(**live)
        except Exception:
            return None
    if not isinstance(called, torch.Tensor) or not called.is_meta:
        return None
    result = freeze(called)
    assert isinstance(result, TensorSpec)
    return Outcome(result, counter.total, result.bytes) if result.bytes <= LARGEST else None


def on_meta(function: Callable[..., Any], arguments: Arguments) -> Outcome:
    """A call on tensors without memory."""
    try:
        live = live_of(arguments, "meta")
        with quietly("meta"), FlopCounter() as counter:
            called = function(**live)
        result = freeze(called)  # outside: modes take part in every look at a tensor
    except UnfreezableError as error:
        return Outcome(failure=Failure(ProblemCode.LAYER_FAILED, f"the check cannot describe its result, {error}"))
    except NotImplementedError as error:
        return Outcome(failure=Failure(ProblemCode.LAYER_FAILED, _undetermined(error)))
    except Exception as error:
        return Outcome(failure=explain(error))
    size = sum(spec.bytes for spec in tensors(result))
    if size > LARGEST:
        sentence = f"its result would take {size / 2**30:,.0f} GiB"
        return Outcome(failure=Failure(ProblemCode.TOO_LARGE, sentence))
    return Outcome(result, counter.total, size)


def _undetermined(error: NotImplementedError) -> str:
    text = str(error)
    if "meta" in text.lower() or "data-dependent" in text:
        return "the shape of its result depends on the numbers in the tensor, so it cannot be known before training"
    return text.splitlines()[0][:300] if text else "torch does not implement this"


def for_real(
    function: Callable[..., Any], arguments: Arguments, make: Callable[[TensorSpec], torch.Tensor] = zeros
) -> Failure | None:
    """Why a call on zeros on the CPU fails, or None."""
    try:
        with quietly("cpu"):
            function(**live_of(arguments, "cpu", make))
    except Exception as error:
        # Zeros are the wrong numbers to divide by, which says nothing of shapes and dtypes.
        return None if "ZeroDivision" in f"{type(error).__name__} {error}" else explain(error)
    return None


def cheap(outcome: Outcome) -> bool:
    """Whether a call that gives this on meta may be made for real."""
    return outcome.failure is None and outcome.bytes <= 8 * SMALL and outcome.flops <= WORK


def live_of(
    arguments: Arguments, device: str, make: Callable[[TensorSpec], torch.Tensor] | None = None
) -> dict[str, Any]:
    """Arguments as live values on a device. ``make`` gives a tensor of a type: without memory, or zeros, if not set."""
    make = make or (without_memory if device == "meta" else zeros)
    return {name: thaw(value, make, lambda config: construct(config, device)) for name, value in arguments}


def doubtful(arguments: Arguments) -> bool:
    """Whether anything but float32 is given: meta kernels take dtypes that real ones refuse."""
    return any(spec.dtype is not torch.float32 for _, value in arguments for spec in tensors(value))


def elements(arguments: Arguments) -> int:
    """Numbers in all tensors together."""
    return sum(spec.elements for _, value in arguments for spec in tensors(value))


def mapped_all(arguments: Arguments, change: Callable[[TensorSpec], TensorSpec]) -> Arguments:
    """The arguments with every tensor replaced."""
    return tuple((name, mapped(value, change)) for name, value in arguments)
