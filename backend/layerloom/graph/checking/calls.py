"""Calls of layers and operations on tensors without memory, each distinct one once for the life of the process.

Torch's meta kernels tell shapes, dtypes and FLOPs; ``doubts`` tells what they accept and real ones would not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from layerloom.graph.checking import operations
from layerloom.graph.checking.doubts import doubt_layer, doubt_operation
from layerloom.graph.checking.layers import BuiltLayer, built, construct, quietly
from layerloom.graph.checking.recurrent import call_recurrent
from layerloom.graph.checking.running import (
    HELD,
    SMALL,
    Arguments,
    FlopCounter,
    Outcome,
    elements,
    live_of,
    on_given,
    on_meta,
)
from layerloom.graph.checking.values import Frozen, LayerConfig, drawn, far, freeze, ones, tensors, zeros

_NUMBERS = re.compile(r"numbers in the tensor|item\(\)")
"""In what is said of a call that meta kernels cannot follow."""


@lru_cache(maxsize=8192)
def call_layer(config: LayerConfig, arguments: Arguments) -> Outcome:
    """Call a layer, in evaluation mode. The configuration must have no automatic size left."""
    layer = built(config)
    if layer.module is None:
        return Outcome(failure=layer.failure)
    if isinstance(layer.module, nn.RNNBase):
        return call_recurrent(config, layer, arguments)
    outcome = on_given(layer.module, arguments) or on_meta(layer.module, arguments)
    if outcome.failure is not None:
        beyond = _NUMBERS.search(outcome.failure.sentence)
        return (beyond and _beyond_meta(config, layer, arguments)) or outcome
    failure = doubt_layer(config, layer, arguments, outcome)
    return Outcome(failure=failure) if failure else outcome


def _beyond_meta(config: LayerConfig, layer: BuiltLayer, arguments: Arguments) -> Outcome | None:
    """The call for real, where meta kernels cannot follow a layer: they lack CTC, and numbers to branch on.

    A layer's result has the same shape whatever the numbers are, which is not so of operations (``nonzero``).
    """
    if layer.parameters + layer.buffers + elements(arguments) > HELD:
        return None
    try:
        with quietly("cpu"), FlopCounter() as counter:
            result = freeze(construct(config, "cpu")(**live_of(arguments, "cpu")))
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

    outcome = on_meta(function, arguments)
    if outcome.failure is not None:
        beyond = _NUMBERS.search(outcome.failure.sentence)
        return (beyond and _whatever_the_numbers(function, arguments)) or outcome
    failure = doubt_operation(target, function, arguments, outcome)
    return Outcome(failure=failure) if failure else outcome


def _whatever_the_numbers(function: Callable[..., Any], arguments: Arguments) -> Outcome | None:
    """The call for real, where meta kernels cannot follow an operation, if its result is alike for other numbers:
    that of ``torch.cov`` is, that of ``torch.unique`` is not."""
    if elements(arguments) > 10 * SMALL or any(spec.stride for _, value in arguments for spec in tensors(value)):
        return None
    found: set[Frozen] = set()
    tries = 0
    for make in (zeros, ones, drawn, far):
        try:
            with quietly("cpu"):
                torch.manual_seed(0)
                found.add(freeze(function(**live_of(arguments, "cpu", make))))
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
    return on_meta(module, arguments).failure is None


def on_nothing(target: LayerConfig | str, arguments: Arguments) -> Frozen:
    """The result of a call for real, on tensors of which those that matter hold no numbers. Raises anything."""
    if elements(arguments) > SMALL:
        raise MemoryError
    if isinstance(target, LayerConfig):
        if built(target).parameters + built(target).buffers > SMALL:
            raise MemoryError
        module = _real(target)
        live = live_of(arguments, "cpu")
        with quietly("cpu"):
            result = module(**live)
    else:
        if operations.refusal(target, arguments):
            raise ValueError(target)
        live = live_of(arguments, "cpu")
        with quietly("cpu"):
            result = operations.invoke(target, live)
    return freeze(result)


@lru_cache(maxsize=64)
def _real(config: LayerConfig) -> nn.Module:
    return construct(config, "cpu")
