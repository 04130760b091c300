"""Calls of layers and operations on tensors without memory, each distinct one once for the life of the process.

Torch's meta kernels tell shapes, dtypes and FLOPs. They are laxer than the real ones in places (a Linear takes whole
numbers, a transposed convolution any number of channels), so a call that they accept is confirmed for real:

* a layer whose weights, inputs and work are small is run on zeros on the CPU;
* an operation on few numbers is run, too, but only the lack of a kernel for its dtype counts against it;
* any other call is doubted only where its input is not float32, or where torch's own Lazy twin of the layer infers
  another size than the one given. The doubted call is made small first, and it is refused only if a control is
  accepted: the same call in float32, or with the inferred size. So a refusal is always about the dtype or the size.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from layerloom.graph.checking import operations
from layerloom.graph.checking.failures import Failure, explain
from layerloom.graph.checking.layers import BuiltLayer, built, construct, quietly
from layerloom.graph.checking.lazy import fits, inferred_size
from layerloom.graph.checking.values import (
    Frozen,
    Group,
    LayerConfig,
    TensorSpec,
    UnfreezableError,
    drawn,
    far,
    freeze,
    highest,
    mapped,
    on_meta,
    ones,
    tensors,
    thaw,
    zeros,
)
from layerloom.schema.problems import ProblemCode

Arguments = tuple[tuple[str, Frozen], ...]
SMALL = 100_000
"""Numbers in the weights and tensors of a call that is cheap enough to be made for real."""
WORK = 10_000_000
"""FLOPs of such a call."""
HELD = 25_000_000
"""Numbers in a layer that may be allocated, though not filled, to make a small call of it."""
_BEYOND = re.compile("out of (range|bounds)|index|must be smaller than", re.IGNORECASE)
"""In what torch says of a number that indexes too far; other words are about which numbers go together."""
_NUMBERS = re.compile(r"numbers in the tensor|item\(\)")
"""In what is said of a call that meta kernels cannot follow."""
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


class _FlopCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
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


@lru_cache(maxsize=8192)
def call_layer(config: LayerConfig, arguments: Arguments) -> Outcome:
    """Call a layer, in evaluation mode. The configuration must have no automatic size left."""
    layer = built(config)
    if layer.module is None:
        return Outcome(failure=layer.failure)
    if isinstance(layer.module, nn.RNNBase):
        return _call_recurrent(config, layer, arguments)
    outcome = _on_meta(layer.module, arguments)
    if outcome.failure is not None:
        beyond = _NUMBERS.search(outcome.failure.sentence)
        return (beyond and _beyond_meta(config, layer, arguments)) or outcome
    failure = _doubt_layer(config, layer, arguments, outcome)
    return Outcome(failure=failure) if failure else outcome


def _beyond_meta(config: LayerConfig, layer: BuiltLayer, arguments: Arguments) -> Outcome | None:
    """The call for real, where meta kernels cannot follow a layer: they lack CTC, and numbers to branch on.

    A layer's result has the same shape whatever the numbers are, which is not so of operations (``nonzero``).
    """
    if layer.parameters + layer.buffers + _elements(arguments) > HELD:
        return None
    try:
        with quietly("cpu"), _FlopCounter() as counter:
            result = freeze(construct(config, "cpu")(**_live(arguments, "cpu")))
    except Exception:
        return None  # what the meta kernels say is the better explanation
    return Outcome(result, counter.total, sum(spec.bytes for spec in tensors(result)))


@lru_cache(maxsize=8192)
def call_operation(target: str, arguments: Arguments) -> Outcome:
    """Call an operation of the catalogue."""
    failure = operations.refusal(target, arguments)
    if failure:
        return Outcome(failure=failure)

    def function(**live: Any) -> Any:
        return operations.invoke(target, live)

    outcome = _on_meta(function, arguments)
    if outcome.failure is not None:
        beyond = _NUMBERS.search(outcome.failure.sentence)
        return (beyond and _whatever_the_numbers(function, arguments)) or outcome
    failure = _doubt_operation(target, function, arguments, outcome)
    return Outcome(failure=failure) if failure else outcome


def _whatever_the_numbers(function: Callable[..., Any], arguments: Arguments) -> Outcome | None:
    """The call for real, where meta kernels cannot follow an operation, if its result is alike for other numbers:
    that of ``torch.cov`` is, that of ``torch.unique`` is not."""
    if _elements(arguments) > 10 * SMALL or any(spec.stride for _, value in arguments for spec in tensors(value)):
        return None
    found: set[Frozen] = set()
    tries = 0
    for make in (zeros, ones, drawn, far):
        try:
            with quietly("cpu"):
                torch.manual_seed(0)
                found.add(freeze(function(**_live(arguments, "cpu", make))))
            tries += 1
        except Exception:  # noqa: S112 - zeros may be the wrong numbers, or the call may be wrong; the others tell
            continue
    if tries < 2 or len(found) != 1:
        return None
    result = found.pop()
    return Outcome(result, 0, sum(spec.bytes for spec in tensors(result)))


@lru_cache(maxsize=1024)
def trains_on(config: LayerConfig, arguments: Arguments) -> bool:
    """Whether a layer that runs on these tensors in evaluation also does so in training."""
    module = construct(config, "meta").train()
    return _on_meta(module, arguments).failure is None


def _on_meta(function: Callable[..., Any], arguments: Arguments) -> Outcome:
    try:
        live = _live(arguments, "meta")
        with quietly("meta"), _FlopCounter() as counter:
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


def on_nothing(target: LayerConfig | str, arguments: Arguments) -> Frozen:
    """The result of a call for real, on tensors of which those that matter hold no numbers. Raises anything."""
    if _elements(arguments) > SMALL:
        raise MemoryError
    if isinstance(target, LayerConfig):
        if built(target).parameters + built(target).buffers > SMALL:
            raise MemoryError
        module = _real(target)
        live = _live(arguments, "cpu")
        with quietly("cpu"):
            result = module(**live)
    else:
        if operations.refusal(target, arguments):
            raise ValueError(target)
        live = _live(arguments, "cpu")
        with quietly("cpu"):
            result = operations.invoke(target, live)
    return freeze(result)


@lru_cache(maxsize=64)
def _real(config: LayerConfig) -> nn.Module:
    return construct(config, "cpu")


def _undetermined(error: NotImplementedError) -> str:
    text = str(error)
    if "meta" in text.lower() or "data-dependent" in text:
        return "the shape of its result depends on the numbers in the tensor, so it cannot be known before training"
    return text.splitlines()[0][:300] if text else "torch does not implement this"


def _for_real(
    function: Callable[..., Any], arguments: Arguments, make: Callable[[TensorSpec], torch.Tensor] = zeros
) -> Failure | None:
    """Why a call on zeros on the CPU fails, or None."""
    try:
        with quietly("cpu"):
            function(**_live(arguments, "cpu", make))
    except Exception as error:
        # Zeros are the wrong numbers to divide by, which says nothing of shapes and dtypes.
        return None if "ZeroDivision" in f"{type(error).__name__} {error}" else explain(error)
    return None


def _cheap(outcome: Outcome) -> bool:
    """Whether a call that gives this on meta may be made for real."""
    return outcome.failure is None and outcome.bytes <= 8 * SMALL and outcome.flops <= WORK


def _live(
    arguments: Arguments, device: str, make: Callable[[TensorSpec], torch.Tensor] | None = None
) -> dict[str, Any]:
    make = make or (on_meta if device == "meta" else zeros)
    return {name: thaw(value, make, lambda config: construct(config, device)) for name, value in arguments}


def _doubt_layer(config: LayerConfig, layer: BuiltLayer, arguments: Arguments, outcome: Outcome) -> Failure | None:
    numbers = layer.parameters + layer.buffers
    if numbers > HELD or not (numbers or _doubtful(arguments)):
        return None
    beyond = _doubt_numbers(lambda: construct(config, "cpu"), arguments)
    if beyond is not None:
        return beyond
    if numbers + _elements(arguments) <= SMALL and _cheap(outcome):
        return _for_real(construct(config, "cpu"), arguments)
    if _doubtful(arguments):
        assert layer.module is not None
        return _doubt_dtype(layer.module, lambda: construct(config, "cpu"), arguments)
    return _doubt_size(config, arguments)


def _doubt_operation(
    target: str, function: Callable[..., Any], arguments: Arguments, outcome: Outcome
) -> Failure | None:
    index = dict(arguments).get("index")
    if target == "operator.getitem" and isinstance(index, Group) and _elements(arguments) <= HELD:
        # Meta kernels do not compare the numbers of an index with the size of its axis.
        return _for_real(function, arguments) if _numbered(index) else None
    beyond = _doubt_numbers(lambda: function, arguments)
    if beyond is not None:
        return beyond
    if _doubtful(arguments):
        return _doubt_dtype(function, lambda: function, arguments)
    if _elements(arguments) > SMALL or not _cheap(outcome):
        return None
    # On zeros an operation may fail for their sake (a singular matrix); only a missing kernel is about the dtype.
    failure = _for_real(function, arguments)
    return failure if failure and "not implemented for '" in failure.sentence else None


def _numbered(index: Group) -> bool:
    """Whether an index picks by a list of numbers, as in ``x[:, [0, 2]]``."""
    return index.kind == "list" or any(isinstance(item, Group) and item.kind == "list" for item in index.items)


def _doubt_numbers(real: Callable[[], Callable[..., Any]], arguments: Arguments) -> Failure | None:
    """Whole numbers that may be larger than what they index: a vocabulary against the rows of an embedding."""
    high = max((spec.high or 0 for _, value in arguments for spec in tensors(value)), default=0)
    if high == 0:
        return None
    # An axis of as many classes as there are numbers must stay one.
    small = _mapped(arguments, lambda spec: replace(spec, shape=tuple(min(axis, max(high, 2)) for axis in spec.shape)))
    if _elements(small) > HELD:
        return None
    function = real()
    failure = _for_real(function, small, highest)
    if failure is None or not _BEYOND.search(failure.sentence) or _for_real(function, small) is not None:
        return None
    sentence = f"its whole numbers go up to {high - 1}, and there torch says: {failure.sentence}"
    return Failure(ProblemCode.ARGUMENT_RANGE, sentence)


def _doubt_dtype(
    function: Callable[..., Any], real: Callable[[], Callable[..., Any]], arguments: Arguments
) -> Failure | None:
    small = _shrunk(function, arguments)
    if _elements(small) > SMALL or not _cheap(_on_meta(function, small)):
        return None
    function = real()
    failure = _for_real(function, small)
    if failure is None:
        return None
    control = _mapped(small, lambda spec: TensorSpec(spec.shape, torch.float32))
    if _for_real(function, control) is not None:
        return None
    return Failure(ProblemCode.DTYPE_MISMATCH, failure.sentence)


def _doubt_size(config: LayerConfig, arguments: Arguments) -> Failure | None:
    inferred = None if fits(config, arguments) else inferred_size(config, arguments)
    if inferred is None:
        return None
    name, size = inferred
    if dict(config.arguments).get(name) == size:
        return None
    small = _mapped(
        arguments, lambda spec: TensorSpec(tuple(axis if axis == size else 1 for axis in spec.shape), spec.dtype)
    )
    failure = _for_real(construct(config, "cpu"), small)
    if failure is None:
        return None
    if _for_real(construct(config.changed(name, size), "cpu"), small) is not None:
        return None
    return Failure(ProblemCode.SHAPE_MISMATCH, failure.sentence)


def _doubtful(arguments: Arguments) -> bool:
    return any(spec.dtype is not torch.float32 for _, value in arguments for spec in tensors(value))


def _elements(arguments: Arguments) -> int:
    return sum(spec.elements for _, value in arguments for spec in tensors(value))


def _mapped(arguments: Arguments, change: Callable[[TensorSpec], TensorSpec]) -> Arguments:
    return tuple((name, mapped(value, change)) for name, value in arguments)


def _shrunk(function: Callable[..., Any], arguments: Arguments) -> Arguments:
    """The same call on smaller tensors: each large size becomes 2 wherever it occurs, if meta kernels allow it."""
    sizes = {size for _, value in arguments for spec in tensors(value) for size in spec.shape if size > 2}
    for size in sorted(sizes, reverse=True):
        if _elements(arguments) <= SMALL:
            break

        def smaller(spec: TensorSpec, size: int = size) -> TensorSpec:
            return TensorSpec(tuple(2 if axis == size else axis for axis in spec.shape), spec.dtype)

        candidate = _mapped(arguments, smaller)
        if _on_meta(function, candidate).failure is None:
            arguments = candidate
    return arguments


def _call_recurrent(config: LayerConfig, layer: BuiltLayer, arguments: Arguments) -> Outcome:
    """Recurrent layers, at two short lengths from which any other follows: every size and cost is linear in the length.

    Their meta kernels are a loop in Python over the sequence, a millisecond and more for each step.
    """
    module = layer.module
    assert isinstance(module, nn.RNNBase)
    given = dict(arguments).get("input")
    if not isinstance(given, TensorSpec) or not given.shape:
        return _on_meta(module, arguments)
    axis = 1 if module.batch_first and len(given.shape) == 3 else 0
    length = given.shape[axis]
    if length <= 2:
        return _recurrent(config, layer, arguments)

    def at(steps: int) -> Outcome:
        shape = (*given.shape[:axis], steps, *given.shape[axis + 1 :])
        short = TensorSpec(shape, given.dtype)
        return _recurrent(config, layer, tuple((k, short if k == "input" else v) for k, v in arguments))

    two, three = at(2), at(3)
    if two.failure or three.failure:
        return two if two.failure else three
    result = _extrapolated(two.result, three.result, length - 2)
    flops = two.flops + (three.flops - two.flops) * (length - 2)
    return Outcome(result, flops, sum(spec.bytes for spec in tensors(result)))


def _recurrent(config: LayerConfig, layer: BuiltLayer, arguments: Arguments) -> Outcome:
    """A short sequence: for real where that is cheap, because it is faster and stricter than on meta."""
    assert layer.module is not None
    if layer.parameters > HELD or _elements(arguments) > SMALL:
        return _on_meta(layer.module, arguments)
    try:
        with quietly("cpu"):
            module = construct(config, "cpu")
            result = freeze(module(**_live(arguments, "cpu")))
            # In float64 the layer runs as plain matrix products, which have FLOP formulas; in float32 it is one kernel.
            double = _mapped(arguments, lambda spec: TensorSpec(spec.shape, torch.float64))
            with _FlopCounter() as counter:
                module.double()(**_live(double, "cpu"))
    except Exception as error:
        return Outcome(failure=explain(error))
    return Outcome(result, counter.total, sum(spec.bytes for spec in tensors(result)))


def _extrapolated(two: Frozen, three: Frozen, more: int) -> Frozen:
    """The result at ``more`` steps beyond two."""
    if isinstance(two, Group) and isinstance(three, Group):
        items = tuple(_extrapolated(a, b, more) for a, b in zip(two.items, three.items, strict=True))
        return Group(two.kind, items, two.keys)
    if not isinstance(two, TensorSpec) or not isinstance(three, TensorSpec):
        return two
    shape = tuple(a + (b - a) * more for a, b in zip(two.shape, three.shape, strict=True))
    if two.stride is None or three.stride is None:
        return TensorSpec(shape, two.dtype)
    stride = tuple(a + (b - a) * more for a, b in zip(two.stride, three.stride, strict=True))
    return TensorSpec(shape, two.dtype, stride)
