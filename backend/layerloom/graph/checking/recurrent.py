"""Calls of recurrent layers, whose meta kernels are a loop in Python over the sequence."""

from __future__ import annotations

import torch
from torch import nn

from layerloom.graph.checking.failures import explain
from layerloom.graph.checking.layers import BuiltLayer, construct, quietly
from layerloom.graph.checking.running import (
    HELD,
    SMALL,
    Arguments,
    FlopCounter,
    Outcome,
    elements,
    live_of,
    mapped_all,
    on_meta,
)
from layerloom.graph.checking.values import Frozen, Group, LayerConfig, TensorSpec, freeze, tensors


def call_recurrent(config: LayerConfig, layer: BuiltLayer, arguments: Arguments) -> Outcome:
    """Recurrent layers, at two short lengths from which any other follows: every size and cost is linear in the length.

    Their meta kernels are a loop in Python over the sequence, a millisecond and more for each step.
    """
    module = layer.module
    assert isinstance(module, nn.RNNBase)
    given = dict(arguments).get("input")
    if not isinstance(given, TensorSpec) or not given.shape:
        return on_meta(module, arguments)
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
    if layer.parameters > HELD or elements(arguments) > SMALL:
        return on_meta(layer.module, arguments)
    try:
        with quietly("cpu"):
            module = construct(config, "cpu")
            result = freeze(module(**live_of(arguments, "cpu")))
            # In float64 the layer runs as plain matrix products, which have FLOP formulas; in float32 it is one kernel.
            double = mapped_all(arguments, lambda spec: TensorSpec(spec.shape, torch.float64))
            with FlopCounter() as counter:
                module.double()(**live_of(double, "cpu"))
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
