"""How the result of a call grows with the batch: asked once per kind of call, so that most calls need no run at all.

A check wants two things of every call: its result at the example batch, and the same for one more sample. How a result
depends on the batch does not depend on image sizes and widths, so a kind of call (the layer or operation with all its
arguments but widths and windows; ranks, dtypes, axes of one, axes that hold the batch) is run at both batches once, and
its answer is kept. Only the plain answer is: axes that hold the batch hold one more, and nothing else changes.

From then on, calls of that kind that cost no FLOPs are run for real on an *empty* batch: a kernel that has nothing to
compute takes microseconds where torch's meta kernels, which are written in Python, take a millisecond.
Calls that cost FLOPs are run on meta tensors at the example batch, and never at the larger one.

What answers otherwise, and what might (strides, numbers that change with the batch, a size that happens to be larger
than it by one), is run each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeVar

from layerloom.catalogue import find
from layerloom.graph.checking import calls
from layerloom.graph.checking.arguments import AT_LEAST_ONE, WINDOW
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.lazy import surely_fits
from layerloom.graph.checking.running import LARGEST, Arguments, Outcome, mapped_all
from layerloom.graph.checking.values import Frozen, Group, LayerConfig, TensorSpec, tensors

LIMIT = 4096
"""Answers that are kept."""

Target = TypeVar("Target", LayerConfig, str)
Call = Callable[[Target, Arguments], Outcome]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a kind of call answered."""

    axes: Frozen
    """For every tensor of the result, which of its axes hold the batch."""
    free: bool
    """Costs no FLOPs, and every tensor of its result holds the batch, so that on an empty one none takes memory."""


_answers: dict[Frozen, _Answer | None] = {}
"""By kind of call; None where the answer was not plain."""


class _NotPlain(Exception):  # noqa: N818 - nothing is wrong, the call has to be run
    """Sizes from which nothing follows for others."""


@lru_cache(maxsize=8192)
def first(call: Call[Target], target: Target, arguments: Arguments, batch: int) -> Outcome:
    """``call(target, arguments)`` at the example batch."""
    kind = _kind(target, arguments, batch)
    if kind is None:
        return call(target, arguments)
    if kind not in _answers:
        return _ask(kind, call, target, arguments, batch)
    answer = _answers[kind]
    if answer is None or not answer.free or not _strict(target, arguments):
        return call(target, arguments)
    try:
        result = _replaced(calls.on_nothing(target, _at(arguments, batch, 0)), answer.axes, 0, batch)
    except Exception:  # an empty batch is a special case for some; what is wrong, if anything, the call itself says
        return call(target, arguments)
    size = sum(spec.bytes for spec in tensors(result))
    return Outcome(result, 0, size) if size <= LARGEST else call(target, arguments)


@lru_cache(maxsize=8192)
def second(call: Call[Target], target: Target, arguments: Arguments, before: Arguments, batch: int) -> Outcome:
    """``call(target, arguments)`` for one sample more than ``before`` has; its FLOPs and bytes are not told."""
    outcome = first(call, target, before, batch)
    if arguments == before and outcome.failure is None:
        return outcome
    kind = _kind(target, before, batch)
    if kind is None or outcome.failure is not None or _at(before, batch, batch + 1) != arguments:
        return call(target, arguments)
    answer = _answers.get(kind)
    try:
        result = _replaced(outcome.result, answer.axes if answer else None, batch, batch + 1)
        return Outcome(result, outcome.flops, outcome.bytes)
    except _NotPlain:
        return call(target, arguments)


def forget() -> None:
    """As in a process that has checked nothing yet."""
    _answers.clear()
    first.cache_clear()
    _kind.cache_clear()
    second.cache_clear()


def _ask(kind: Frozen, call: Call[Target], target: Target, arguments: Arguments, batch: int) -> Outcome:
    """Run a call at both batches and keep its answer."""
    outcome = call(target, arguments)
    if outcome.failure is None:
        if len(_answers) >= LIMIT:
            _answers.clear()
        _answers[kind] = _answer(call, target, arguments, outcome, batch)
    return outcome


def _answer(call: Call[Target], target: Target, arguments: Arguments, outcome: Outcome, batch: int) -> _Answer | None:
    # No layer takes the first two samples only, as the operation ``x[:2]`` does, so that none will do for a layer.
    if outcome.flops == 0 and not isinstance(target, str):
        axes = _axes_of_nothing(target, arguments, outcome, batch)
        if _hold(axes):
            return _Answer(axes, free=True)
    larger = call(target, _at(arguments, batch, batch + 1))
    try:
        axes = _compared(outcome.result, larger.result, batch, batch + 1)
    except _NotPlain:
        return None
    if larger.failure:
        return None
    # Of nothing some make another shape than of anything: torch gives PixelUnshuffle's empty input back.
    free = outcome.flops == 0 and _hold(axes) and _axes_of_nothing(target, arguments, outcome, batch) == axes
    return _Answer(axes, free)


def _strict(target: LayerConfig | str, arguments: Arguments) -> bool:
    """Whether an empty batch is refused where any is: with nothing to compute, a normalization does not look at its
    weights, and takes any number of channels.
    """
    if isinstance(target, str):
        given = sum(1 for _, value in arguments for _ in tensors(value))
        return given == 1 or target.startswith("operator.")
    return not built(target).bytes or surely_fits(target, arguments)


def _axes_of_nothing(target: LayerConfig | str, arguments: Arguments, outcome: Outcome, batch: int) -> Frozen:
    try:
        return _compared(outcome.result, calls.on_nothing(target, _at(arguments, batch, 0)), batch, 0)
    except Exception:  # an empty batch is a special case for some
        return None


@lru_cache(maxsize=8192)
def _kind(target: LayerConfig | str, arguments: Arguments, batch: int) -> Frozen:
    """What the answer may depend on; None where anything may be."""
    patterns = tuple((name, _pattern(value, batch)) for name, value in arguments)
    if batch < 2 or any(
        spec.stride or spec.high or batch + 1 in spec.shape for _, v in arguments for spec in tensors(v)
    ):
        return None
    if not any(batch in spec.shape for _, value in arguments for spec in tensors(value)):
        return None
    if isinstance(target, str):
        return (target, patterns)
    sizes = _sizes(target.target)
    chosen = tuple((name, value) for name, value in target.arguments if not (type(value) is int and name in sizes))
    return (target.target, chosen, patterns)


def _pattern(value: Frozen, batch: int) -> Frozen:
    if isinstance(value, TensorSpec):
        return (value.dtype, *("N" if size == batch else min(size, 2) for size in value.shape))
    if isinstance(value, Group):
        return (value.kind, value.keys, tuple(_pattern(item, batch) for item in value.items))
    return value


@cache
def _sizes(target: str) -> frozenset[str]:
    """A layer's arguments that are widths and windows: none of them tells an axis."""
    entry = find(target)
    automatic = (parameter.name for parameter in entry.parameters if parameter.auto) if entry else ()
    return frozenset({*automatic, *AT_LEAST_ONE, *WINDOW})


def _at(arguments: Arguments, batch: int, other: int) -> Arguments:
    """The same call at another batch."""

    def change(spec: TensorSpec) -> TensorSpec:
        return spec.sized(tuple([other if size == batch else size for size in spec.shape]))

    return mapped_all(arguments, change)


def _compared(one: Frozen, other: Frozen, batch: int, another: int) -> Frozen:
    """Which axes of a result hold the batch, from what it is at two batch sizes. Raises _NotPlain."""
    if isinstance(one, TensorSpec) and isinstance(other, TensorSpec):
        if one.stride or other.stride or len(one.shape) != len(other.shape):
            raise _NotPlain
        pairs = list(zip(one.shape, other.shape, strict=True))
        if any(few != many and (few, many) != (batch, another) for few, many in pairs):
            raise _NotPlain
        return tuple(few != many for few, many in pairs)
    if isinstance(one, Group) and isinstance(other, Group) and len(one.items) == len(other.items):
        return tuple(_compared(few, many, batch, another) for few, many in zip(one.items, other.items, strict=True))
    raise _NotPlain


def _hold(axes: Frozen) -> bool:
    if not isinstance(axes, tuple) or not axes:
        return False
    return any(axes) if isinstance(axes[0], bool) else all(_hold(inner) for inner in axes)


def _replaced(result: Frozen, axes: Frozen, batch: int, other: int) -> Frozen:
    """A result with another batch. Raises _NotPlain where it is not of the kind that gave the answer."""
    if isinstance(result, TensorSpec) and isinstance(axes, tuple) and len(axes) == len(result.shape):
        pairs = list(zip(axes, result.shape, strict=True))
        if result.stride or any(holds and size != batch for holds, size in pairs):
            raise _NotPlain
        if batch == 0 and any(size == 0 and not holds for holds, size in pairs):
            raise _NotPlain
        return result.sized(tuple([other if holds else size for holds, size in pairs]))
    if isinstance(result, Group) and isinstance(axes, tuple) and len(axes) == len(result.items):
        items = tuple(_replaced(item, inner, batch, other) for inner, item in zip(axes, result.items, strict=True))
        return Group(result.kind, items, result.keys)
    raise _NotPlain
