"""Feature maps and attention maps of a few samples, from a pass of their own that leaves no trace in the training."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from layerloom.schema.events import Image, Log
from layerloom.schema.patterns import chosen
from layerloom.schema.plan import Plan, Statistics
from layerloom.training.activations import Seen, Watch
from layerloom.training.attention import AttentionMode
from layerloom.training.criterion import leaves
from layerloom.training.device import Precision
from layerloom.training.failure import TrainingError, unmatched_error
from layerloom.training.position import generator_states, set_generator_states
from layerloom.training.recorder import Emit
from layerloom.training.setup import Parts

LAYERS = 3
"""Whose images are taken when the plan names none, of each kind."""
MAPS = 16
"""Channels or heads of one image, at most."""
EDGE = 64
"""Of one map, at most."""
PIXELS = 96 * 1024
"""Of all images of a step: the log of a long run holds hundreds of such steps."""
NONFINITE = 255

Of = Literal["features", "attention"]


@dataclass(frozen=True)
class Taken:
    """Maps of one layer for one sample, still on their device."""

    layer: str
    of: Of
    sample: int
    total: int
    size: tuple[int, int]
    pixels: Tensor
    """``[maps, rows, columns]``, uint8."""
    ends: Tensor
    """The numbers of pixels 0 and 254, ``[2]``."""


class Probe:
    """Passes of a module over the same few samples."""

    def __init__(
        self, module: nn.Module, inputs: Mapping[str, Tensor], precision: Precision, settings: Statistics
    ) -> None:
        """``inputs`` are the samples, on the module's device.

        Raises:
            TrainingError: a pattern matches no layer.
        """
        self._module = module
        self._inputs = dict(inputs)
        self._samples = len(next(iter(self._inputs.values())))
        self._precision = precision
        self._quiet = Quiet(module, next(iter(self._inputs.values())).device)
        layers = [name for name, _ in module.named_modules() if name]
        matched, unmatched = chosen(layers, settings.layers)
        for one in unmatched:
            raise unmatched_error(one)
        named = matched if settings.layers else None
        self._features: list[str] = []
        self._attention: list[str] = []
        self._edge = EDGE
        if settings.features or settings.attention:
            features, attention = self._pass(layers)
            if settings.features:
                self._features = _shown(module, features) if named is None else [n for n in features if n in named]
            if settings.attention:
                self._attention = [name for name in attention if named is None or name in named]
                self._attention = self._attention[: LAYERS if named is None else None]
            shown = [features[name] for name in self._features] + [attention[name] for name in self._attention]
            maps = self._samples * sum(min(MAPS, value.shape[1]) for value in shown)
            self._edge = min(EDGE, int((PIXELS / max(1, maps)) ** 0.5))

    @property
    def layers(self) -> int:
        """How many layers have images."""
        return len(self._features) + len(self._attention)

    def images(self) -> list[Taken]:
        """Images of the module as it is now."""
        features, attention = self._pass(self._features)
        found: list[tuple[Of, str, Tensor | None]] = [("features", name, features.get(name)) for name in self._features]
        found += [("attention", name, attention.get(name)) for name in self._attention]
        return [
            _taken(name, of, sample, maps[sample], self._edge)
            for of, name, maps in found
            if maps is not None
            for sample in range(self._samples)
        ]

    def watched(self, watch: Watch) -> list[Seen]:
        """What the layers of the module give for the samples: for modules in which hooks are not called."""
        with self._quiet:
            watch.attach()
            try:
                self._run()
            finally:
                seen = watch.detach()
        return seen

    def _pass(self, names: Sequence[str]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Feature maps ``[N, maps, rows, columns]`` of layers, in the order in which they ran, and all attention."""
        found: dict[str, Tensor] = {}

        def keep(name: str, _layer: nn.Module, _inputs: Any, output: Any) -> None:
            value = next(iter(leaves(output)), None)
            if name not in found and value is not None and (maps := _as_maps(value, self._samples)) is not None:
                found[name] = maps.clone()  # the next layer may work in place

        handles = [self._module.get_submodule(name).register_forward_hook(partial(keep, name)) for name in names]
        try:
            with self._quiet, AttentionMode(self._module, self._samples) as mode:
                self._run()
        finally:
            for handle in handles:
                handle.remove()
        return found, mode.maps

    def _run(self) -> None:
        with self._precision.autocast():
            # Copies: a module may change its input in place.
            self._module(**{name: value.clone() for name, value in self._inputs.items()})


def probe_of(module: nn.Module, plan: Plan, parts: Parts, emit: Emit) -> Probe | None:
    """The probe that a plan asks for, over the first samples of the validation part; None where it asks for nothing.

    Raises:
        TrainingError: a pattern matches no layer.
    """
    settings = plan.statistics
    wanted = settings.features or settings.attention or (settings.activations and plan.compile)
    if settings.budget == 0 or not wanted:
        return None
    inputs = {name: value[: settings.samples].to(parts.device) for name, value in parts.validation.inputs.items()}
    try:
        return Probe(module, inputs, parts.precision, settings)
    except TrainingError:
        raise
    except Exception as error:  # a picture is not worth a run
        text = f"{type(error).__name__}: {error}"[:2_000]
        emit(Log(level="warning", message=f"Images of layers cannot be taken of this network: {text}"))
        return None


class Quiet:
    """A context in which a module may run without a trace: in eval mode and without gradients; its modes, its buffers
    and every generator of random numbers are as before afterwards."""

    def __init__(self, module: nn.Module, device: torch.device) -> None:
        self._module = module
        self._device = device
        self._moving: set[str] | None = None
        """Buffers that a pass changes; all of them until one was seen."""

    def __enter__(self) -> None:
        self._context = self._running()
        self._context.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)

    @contextmanager
    def _running(self) -> Iterator[None]:
        modes = [(module, module.training) for module in self._module.modules()]
        buffers = list(self._module.named_buffers())
        kept = {name: value.clone() for name, value in buffers if self._moving is None or name in self._moving}
        versions = [value._version for _, value in buffers]
        states = generator_states(self._device)
        self._module.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            set_generator_states(states, self._device)
            for module, mode in modes:
                module.training = mode
            self._restore(buffers, versions, kept)

    def _restore(self, buffers: list[tuple[str, Tensor]], versions: list[int], kept: dict[str, Tensor]) -> None:
        moved = {name for (name, value), version in zip(buffers, versions, strict=True) if value._version != version}
        for name, value in buffers:
            owner, _, attribute = name.rpartition(".")
            part = self._module.get_submodule(owner)
            if getattr(part, attribute) is not value:
                moved.add(name)
                setattr(part, attribute, value)
            if name in moved and name in kept:
                with torch.no_grad():
                    value.copy_(kept[name])
        self._moving = moved | (self._moving or set())


def image_of(taken: Taken) -> Image:
    """As an event holds it; reads it back from the device."""
    low, high = taken.ends.tolist()
    maps, rows, columns = taken.pixels.shape
    return Image(
        layer=taken.layer,
        of=taken.of,
        sample=taken.sample,
        maps=maps,
        total=taken.total,
        rows=rows,
        columns=columns,
        size=list(taken.size),
        low=low,
        high=high,
        pixels=base64.b64encode(np.ascontiguousarray(taken.pixels.cpu().numpy()).tobytes()).decode(),
    )


def _taken(name: str, of: Of, sample: int, maps: Tensor, edge: int) -> Taken:
    """One sample's maps ``[maps, rows, columns]`` as bytes, no larger than they may be."""
    total, rows, columns = maps.shape
    shown = maps[:MAPS].float()
    if max(rows, columns) > edge:
        size = (min(rows, edge), min(columns, edge))
        # A mean would hide the one position that a head looks at.
        shown = (functional.adaptive_max_pool2d if of == "attention" else functional.adaptive_avg_pool2d)(shown, size)
    finite = shown.isfinite()
    low = shown.where(finite, torch.inf).amin() if of == "features" else shown.new_zeros(())
    ends = torch.stack((low, shown.where(finite, -torch.inf).amax()))
    ends = ends.where(ends.isfinite(), 0.0)
    scaled = (shown - ends[0]) / (ends[1] - ends[0]).clamp_min(torch.finfo(torch.float32).tiny) * (NONFINITE - 1)
    pixels = scaled.round().clamp(0, NONFINITE - 1).where(finite, float(NONFINITE)).to(torch.uint8)
    return Taken(name, of, sample, total, (rows, columns), pixels, ends)


def _as_maps(value: Tensor, samples: int) -> Tensor | None:
    """``[N, maps, rows, columns]`` of an output: an image's channels, one map of a sequence, one row of features."""
    if value.dim() < 2 or len(value) != samples or not value.is_floating_point() or not value.numel():
        return None
    if value.layout is not torch.strided:
        return None
    value = value.detach()
    if value.dim() == 2:
        return value[:, None, None]
    if value.dim() == 3:
        return value[:, None]
    return value.flatten(2, -2) if value.dim() > 4 else value


def _shown(module: nn.Module, features: Mapping[str, Tensor]) -> list[str]:
    """Layers whose images are taken when the plan names none: those that give images, with weights of their own first;
    sequences where there are no images."""
    names = [name for name in features if next(module.get_submodule(name).children(), None) is None]
    pictures = [name for name in names if features[name].shape[1] > 1 and min(features[name].shape[2:]) > 1]
    names = pictures or [name for name in names if min(features[name].shape[2:]) > 1]
    weighty = [name for name in names if next(module.get_submodule(name).parameters(), None) is not None]
    return (weighty or names)[:LAYERS]
