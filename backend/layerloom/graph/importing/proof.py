"""Holds the module that was built from a document against the one that the document was read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, is_dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_map_only

from layerloom.graph.importing.errors import ClosedError

SEED = 0


@dataclass(frozen=True)
class Call:
    """The arguments of one call of a network, each tensor with its batch axis first.

    Tensors in a list are samples by themselves, images of different sizes for instance, and have no such axis.
    """

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def larger(self) -> Call:
        """The same with one sample more."""
        return self.mapped(lambda tensor: torch.cat([tensor, tensor[:1]]) if tensor.dim() else tensor)

    def mapped(
        self,
        change: Callable[[torch.Tensor], torch.Tensor],
        sample: Callable[[torch.Tensor], torch.Tensor] = lambda tensor: tensor,
    ) -> Call:
        """The same with other tensors: ``change`` for those with a batch axis, ``sample`` for those in lists."""

        def value(given: Any) -> Any:
            return tree_map_only(torch.Tensor, sample if isinstance(given, list) else change, given)

        return Call(tuple(map(value, self.positional)), {name: value(given) for name, given in self.named.items()})

    def batches(self) -> tuple[tuple[Call, bool], ...]:
        """What a proof runs: calls, and whether in training."""
        return (self, False), (self.larger(), False), (self, True)


def prove(twin: nn.Module, module: nn.Module, call: Call) -> None:
    """Compare state_dict keys and their order, and outputs in evaluation, at two batch sizes, and in training.

    ``twin`` gets the state of ``module``; ``module`` keeps its state and its modes.

    Raises:
        ClosedError: they differ; the sentence says in what.
    """
    own, others = module.state_dict(), twin.state_dict()
    if list(own) != list(others):
        odd = sorted(set(own) ^ set(others))[:5] or ["their order"]
        raise ClosedError(f"the rebuilt module has other state_dict keys: {', '.join(odd)}")
    try:
        twin.load_state_dict(own, strict=True)
    except RuntimeError as error:
        raise ClosedError(f"the rebuilt module does not take its state: {str(error)[:300]}") from error
    for inputs, training in call.batches():
        expected = _outputs(module, inputs, training)
        if expected is None:
            continue  # it does not do this itself: a batch of another size, a norm over one value
        what = "in training" if training else f"for {samples(inputs)} samples"
        try:
            got = _outputs(twin, inputs, training, must=True)
        except Exception as error:
            raise ClosedError(f"the rebuilt module fails {what}: {str(error).splitlines()[0][:200]}") from error
        if not equal(expected, got):
            raise ClosedError(f"the rebuilt module gives other outputs {what}")
    # Both have run as often. Copies of their parameters at each step would be twice what a large network takes.
    if not all(equal(own[name], others[name]) for name in _parameters(module) & own.keys()):
        raise ClosedError("the rebuilt module changes its parameters otherwise when it runs")


def _parameters(module: nn.Module) -> set[str]:
    return {name for name, _ in module.named_parameters(remove_duplicate=False)}


def _outputs(module: nn.Module, call: Call, training: bool, must: bool = False) -> Any:
    """What a module gives, and its buffers after that; None where it fails."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]), kept(module):
        torch.manual_seed(SEED)
        module.train(training)
        try:
            result = module(*call.positional, **call.named)
        except Exception:
            if must:
                raise
            return None
        parameters = _parameters(module)
        state = module.state_dict().items() if training else ()
        return result, [tensor.clone() for name, tensor in state if name not in parameters]


@contextmanager
def kept(module: nn.Module) -> Iterator[None]:
    """Leave a module's modes and buffers as they were."""
    modes = {part: part.training for part in module.modules()}
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode
        for buffer, before in buffers:
            buffer.copy_(before)


def samples(call: Call) -> int:
    """The size of a call's batch."""
    tensors = [value for value in (*call.positional, *call.named.values()) if isinstance(value, torch.Tensor)]
    return len(tensors[0]) if tensors and tensors[0].dim() else 1


def equal(one: Any, other: Any) -> bool:
    """Whether two results hold the same, bit for bit; a document's dict stands for any mapping or dataclass."""
    if isinstance(one, torch.Tensor):
        alike = isinstance(other, torch.Tensor) and one.shape == other.shape and one.dtype == other.dtype
        return alike and torch.equal(torch.nan_to_num(one), torch.nan_to_num(other))
    if isinstance(one, Mapping):
        return isinstance(other, Mapping) and list(one) == list(other) and all(equal(one[k], other[k]) for k in one)
    if isinstance(one, tuple | list):
        return (
            isinstance(other, tuple | list)
            and len(one) == len(other)
            and all(equal(a, b) for a, b in zip(one, other, strict=True))
        )
    if is_dataclass(one):
        return equal({name: value for name, value in vars(one).items() if value is not None}, other)
    return bool(one == other)
