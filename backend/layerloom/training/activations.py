"""Moments of what layers give, and units that give nothing, seen through hooks that are there for one step only."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from layerloom.schema.events import Activations
from layerloom.training.criterion import leaves

LAYER_VALUES = 8_192
"""Values of one layer's output that are looked at, in even steps over samples and places."""
TOTAL_VALUES = 262_144
FEWEST_VALUES = 1_024
UNIT_VALUES = 64
"""Of one unit, if there are so many."""
HOOK_SECONDS = 5e-6
"""What a call costs beyond the hook itself, because torch takes the longer way through a module that has one."""


@dataclass(frozen=True)
class Seen:
    """What was read of one layer's output, still on its device."""

    name: str
    variance: Tensor
    mean: Tensor
    alive: Tensor
    """By unit: how many values are not zero, ``[U]``."""
    values: int
    """That were looked at."""


class Watch:
    """Hooks on every layer: a module without children, or with parameters of its own."""

    def __init__(self, module: nn.Module) -> None:
        self._layers = [(name, layer) for name, layer in module.named_modules() if _is_layer(name, layer)]
        self.layers = len(self._layers)
        self._most = min(LAYER_VALUES, max(FEWEST_VALUES, TOTAL_VALUES // max(1, self.layers)))
        self._handles: list[RemovableHandle] = []
        self._seen: dict[str, Seen] = {}
        self._cuts: dict[str, tuple[Any, list[int], list[int], int]] = {}
        """By layer: shape and strides of its output, and the view of it that is looked at."""
        self._last: tuple[tuple[int, ...], int] = ((), 0)
        self.spent = 0.0
        """Processor seconds since ``attach``."""

    def attach(self) -> None:
        """Look at the next call of each layer."""
        began = time.thread_time()
        self._seen = {}
        self._handles = [layer.register_forward_hook(partial(self._look, name)) for name, layer in self._layers]
        self.spent = time.thread_time() - began + HOOK_SECONDS * len(self._handles)

    def detach(self) -> list[Seen]:
        """Take the hooks away; gives what they saw, in the order in which the layers ran."""
        began = time.thread_time()
        for handle in self._handles:
            handle.remove()
        seen, self._handles, self._seen = list(self._seen.values()), [], {}
        self.spent += time.thread_time() - began
        return seen

    def _look(self, name: str, layer: nn.Module, _inputs: Any, output: Any) -> None:
        if name in self._seen:  # one that is called several times is seen once
            return
        began = time.thread_time()
        value = next(iter(leaves(output)), None)
        if value is not None and value.is_floating_point() and value.numel() and value.layout is torch.strided:
            value = value.detach()
            form = (value.shape, value.stride())
            cut = self._cuts.get(name)
            if cut is None or cut[0] != form:
                axis = self._unit_axis(layer, tuple(value.shape))
                cut = self._cuts[name] = (form, *cut_of(value, axis, self._most))
            self._seen[name] = _seen(name, value.as_strided(*cut[1:]).float())
        self.spent += time.thread_time() - began

    def _unit_axis(self, layer: nn.Module, shape: tuple[int, ...]) -> int:
        """Axis of the channels or features: torch's custom, unless the layer's weight says otherwise. What has no
        weight keeps the axis of the layer before it, as long as the shape is the same."""
        if len(shape) < 3:
            return len(shape) - 1
        weight = getattr(layer, "weight", None)
        axis = 1 if len(shape) > 3 else len(shape) - 1
        if isinstance(weight, Tensor) and weight.dim() > 0 and shape[1] != shape[-1]:
            axis = 1 if weight.shape[0] == shape[1] else len(shape) - 1 if weight.shape[0] == shape[-1] else axis
        elif self._last[0] == shape:
            axis = self._last[1]
        self._last = (shape, axis)
        return axis


def activations_event(step: int, seen: list[Seen]) -> Activations:
    """What was seen as an event; reads it back from the device."""
    means = torch.stack([one.mean for one in seen]).tolist()
    variances = torch.stack([one.variance for one in seen]).tolist()
    finite = [math.isfinite(mean) and math.isfinite(variance) for mean, variance in zip(means, variances, strict=True)]
    alive = torch.cat([one.alive for one in seen]).cpu().numpy()
    sizes = np.array([len(one.alive) for one in seen])
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    counts = np.add.reduceat(alive, starts, dtype=np.float64).tolist()
    dead = np.add.reduceat(alive == 0, starts, dtype=np.int64).tolist()
    return Activations(
        step=step,
        names=[one.name for one in seen],
        mean=[mean if good else None for mean, good in zip(means, finite, strict=True)],
        std=[math.sqrt(variance) if good else None for variance, good in zip(variances, finite, strict=True)],
        zeros=[max(0.0, 1 - count / one.values) for count, one in zip(counts, seen, strict=True)],
        units=sizes.tolist(),
        dead=dead,
        nonfinite=[one.name for one, good in zip(seen, finite, strict=True) if not good],
    )


def cut_of(value: Tensor, axis: int, most: int) -> tuple[list[int], list[int], int]:
    """Size, stride and offset of a view of about ``most`` numbers, in even steps over all axes but ``axis``, which
    comes first.

    Places are thinned before samples, and a unit keeps some dozens of numbers: it is dead only if none of them wakes.
    """
    shape = value.shape
    units = shape[axis] if shape else 1
    excess = value.numel() / max(most, UNIT_VALUES * units)
    size: list[int] = []
    stride: list[int] = []
    for place in sorted(set(range(len(shape))) - {axis}, reverse=True):
        # Eight places of an axis are left, and of the samples as many as still fit.
        step = math.ceil(excess) if place == 0 else min(math.ceil(excess), max(1, shape[place] // 8))
        step = max(1, min(step, shape[place]))
        excess /= step
        size.insert(0, math.ceil(shape[place] / step))
        stride.insert(0, value.stride(place) * step)
    if shape:
        size.insert(0, units)
        stride.insert(0, value.stride(axis))
    return size, stride, int(value.storage_offset())


def _seen(name: str, sample: Tensor) -> Seen:
    """Moments of ``[U, …]`` and what is awake of each unit, in few and cheap operations."""
    rows = sample.reshape(sample.shape[0] if sample.dim() else 1, -1)
    mean = rows.mean()
    flat = (rows - mean).flatten()
    return Seen(name, torch.dot(flat, flat) / flat.numel(), mean, torch.linalg.vector_norm(rows, 0, 1), flat.numel())


def _is_layer(name: str, module: nn.Module) -> bool:
    if next(module.children(), None) is None:
        return True
    return name != "" and next(module.parameters(recurse=False), None) is not None
