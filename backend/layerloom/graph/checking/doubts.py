"""Calls that meta kernels accept and real ones would not: they are laxer in places (a Linear takes whole numbers, a
transposed convolution any number of channels), so what they accept is confirmed for real.

* A layer of float32 whose size is the one that torch's Lazy twin infers is believed.
* Another whose weights, inputs and work are small is run on zeros on the CPU.
* An operation on few numbers is run, too, but only the lack of a kernel for its dtype counts against it.
* Any other call is doubted only where its input is not float32, or where torch's own Lazy twin of the layer infers
  another size than the one given. The doubted call is made small first, and it is refused only if a control is
  accepted: the same call in float32, or with the inferred size. So a refusal is always about the dtype or the size.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch

from layerloom.graph.checking.failures import Failure
from layerloom.graph.checking.layers import BuiltLayer, construct
from layerloom.graph.checking.lazy import inferred_size, surely_fits
from layerloom.graph.checking.running import (
    HELD,
    SMALL,
    Arguments,
    Outcome,
    cheap,
    doubtful,
    elements,
    for_real,
    mapped_all,
    on_meta,
)
from layerloom.graph.checking.values import Group, LayerConfig, TensorSpec, highest, tensors
from layerloom.schema.problems import ProblemCode

_BEYOND = re.compile("out of (range|bounds)|index|must be smaller than", re.IGNORECASE)
"""In what torch says of a number that indexes too far; other words are about which numbers go together."""


def doubt_layer(config: LayerConfig, layer: BuiltLayer, arguments: Arguments, outcome: Outcome) -> Failure | None:
    """Why a layer's call that meta kernels accept fails for real, as far as it is doubted."""
    numbers, other = layer.parameters + layer.buffers, doubtful(arguments)
    if numbers > HELD or not (numbers or other):
        return None
    beyond = _doubt_numbers(lambda: construct(config, "cpu"), arguments)
    if beyond is not None:
        return beyond
    if not other and surely_fits(config, arguments):
        return None
    if numbers + elements(arguments) <= SMALL and cheap(outcome):
        return for_real(construct(config, "cpu"), arguments)
    if other:
        assert layer.module is not None
        return _doubt_dtype(layer.module, lambda: construct(config, "cpu"), arguments)
    return _doubt_size(config, arguments)


def doubt_operation(
    target: str, function: Callable[..., Any], arguments: Arguments, outcome: Outcome
) -> Failure | None:
    """The same of an operation's call; ``function`` makes it."""
    index = dict(arguments).get("index")
    if target == "operator.getitem" and isinstance(index, Group) and elements(arguments) <= HELD:
        # Meta kernels do not compare the numbers of an index with the size of its axis.
        return for_real(function, arguments) if _numbered(index) else None
    beyond = _doubt_numbers(lambda: function, arguments)
    if beyond is not None:
        return beyond
    if doubtful(arguments):
        return _doubt_dtype(function, lambda: function, arguments)
    if elements(arguments) > SMALL or not cheap(outcome):
        return None
    # On zeros an operation may fail for their sake (a singular matrix); only a missing kernel is about the dtype.
    failure = for_real(function, arguments)
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
    small = mapped_all(arguments, lambda spec: spec.sized(tuple(min(axis, max(high, 2)) for axis in spec.shape)))
    if elements(small) > HELD:
        return None
    function = real()
    failure = for_real(function, small, highest)
    if failure is None or not _BEYOND.search(failure.sentence) or for_real(function, small) is not None:
        return None
    sentence = f"its whole numbers go up to {high - 1}, and there torch says: {failure.sentence}"
    return Failure(ProblemCode.ARGUMENT_RANGE, sentence)


def _doubt_dtype(
    function: Callable[..., Any], real: Callable[[], Callable[..., Any]], arguments: Arguments
) -> Failure | None:
    small = _shrunk(function, arguments)
    if elements(small) > SMALL or not cheap(on_meta(function, small)):
        return None
    function = real()
    failure = for_real(function, small)
    if failure is None:
        return None
    control = mapped_all(small, lambda spec: TensorSpec(spec.shape, torch.float32))
    if for_real(function, control) is not None:
        return None
    return Failure(ProblemCode.DTYPE_MISMATCH, failure.sentence)


def _doubt_size(config: LayerConfig, arguments: Arguments) -> Failure | None:
    inferred = inferred_size(config, arguments)
    if inferred is None:
        return None
    name, size = inferred
    if dict(config.arguments).get(name) == size:
        return None
    small = mapped_all(
        arguments, lambda spec: TensorSpec(tuple(axis if axis == size else 1 for axis in spec.shape), spec.dtype)
    )
    failure = for_real(construct(config, "cpu"), small)
    if failure is None:
        return None
    if for_real(construct(config.changed(name, size), "cpu"), small) is not None:
        return None
    return Failure(ProblemCode.SHAPE_MISMATCH, failure.sentence)


def _shrunk(function: Callable[..., Any], arguments: Arguments) -> Arguments:
    """The same call on smaller tensors: each large size becomes 2 wherever it occurs, if meta kernels allow it."""
    sizes = {size for _, value in arguments for spec in tensors(value) for size in spec.shape if size > 2}
    for size in sorted(sizes, reverse=True):
        if elements(arguments) <= SMALL:
            break

        def smaller(spec: TensorSpec, size: int = size) -> TensorSpec:
            return TensorSpec(tuple(2 if axis == size else axis for axis in spec.shape), spec.dtype)

        candidate = mapped_all(arguments, smaller)
        if on_meta(function, candidate).failure is None:
            arguments = candidate
    return arguments
