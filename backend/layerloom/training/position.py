"""Where a run stands, and everything of it that a checkpoint keeps beside the weights."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@dataclass
class Best:
    """The best checkpoint so far, judged by the monitored value."""

    value: float
    step: int
    epoch: int
    path: str


@dataclass
class Position:
    """How far a run is."""

    step: int = 0
    """Optimizer steps done."""
    epoch: int = 0
    """Epochs done, validation included."""
    batch: int = 0
    """Batches done of the epoch after those."""
    elapsed: float = 0.0
    """Seconds of training, earlier attempts included."""
    best: Best | None = None
    recent: list[str] = field(default_factory=list)
    """Paths of the newest checkpoints, oldest first."""
    kept: list[str] = field(default_factory=list)
    """Paths of those that the plan keeps for good."""
    reached: float | None = None
    """The best value of the series that early stopping looks at."""
    stale: int = 0
    """Epochs since then."""
    enough: bool = False
    """The run was stopped early."""
    adjusted: int = 0
    """Number of the last change of the plan that took effect."""
    lengths: list[int | None] = field(default_factory=lambda: [None, None])
    """Epochs and steps that it gave the run, where it gave some."""
    length: list[int] = field(default_factory=list)
    """Steps and epochs of the whole run, once it is another than the plan's."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Position:
        """The position that ``as_dict`` described."""
        best = data["best"]
        return cls(**{**data, "best": Best(**best) if best else None})


def transient_buffers(module: nn.Module, state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Buffers of ``module`` that its state_dict ``state`` leaves out (``persistent=False``), by their dotted names.

    A forward pass may change them, so that what follows depends on them as on any other buffer.
    """
    return {name: value for name, value in module.named_buffers(remove_duplicate=False) if name not in state}


def set_transient_buffers(module: nn.Module, values: Mapping[str, Tensor], device: torch.device) -> None:
    """Give ``module`` on ``device`` the buffers of ``transient_buffers``."""
    for path, value in values.items():
        owner, _, name = path.rpartition(".")
        part = module.get_submodule(owner)
        present = getattr(part, name)
        fits = isinstance(present, Tensor) and (present.shape, present.dtype) == (value.shape, value.dtype)
        if fits and present.is_contiguous():
            # In place, because two modules may hold the same tensor.
            present.copy_(value)
        else:
            setattr(part, name, value.to(device))


def generator_states(device: torch.device) -> dict[str, Any]:
    """States of every random number generator that a forward pass may draw from, as tensors and plain values."""
    _name, keys, position, has_gauss, cached = np.random.get_state()
    return {
        **_torch_states(device),
        "python": random.getstate(),
        "numpy": (torch.from_numpy(np.array(keys, dtype=np.int64)), int(position), int(has_gauss), float(cached)),
    }


def set_generator_states(states: dict[str, Any], device: torch.device) -> None:
    """Go on drawing where ``generator_states`` was called; a device without a state starts anew."""
    _set_torch_states(states, device)
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers), gauss))
    keys, position, has_gauss, cached = states["numpy"]
    np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), position, has_gauss, cached))


@contextmanager
def generators_kept(device: torch.device) -> Iterator[None]:
    """Random numbers that torch draws inside are drawn again afterwards.

    Only torch's: to keep numpy's, which no layer of torch draws from, would cost a small network a step per epoch.
    """
    states = _torch_states(device)
    try:
        yield
    finally:
        _set_torch_states(states, device)


@contextmanager
def drawing(seed: int, device: torch.device) -> Iterator[None]:
    """Random numbers that torch draws inside follow from ``seed`` alone; outside it goes on as if there were none."""
    with generators_kept(device):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.manual_seed(seed)
        if device.type == "mps":
            torch.mps.manual_seed(seed)
        yield


@contextmanager
def buffers_kept(module: nn.Module) -> Iterator[None]:
    """Whatever happens inside, buffers keep their values."""
    buffers = {name: value.clone() for name, value in module.named_buffers()}
    try:
        yield
    finally:
        for name, value in module.named_buffers():
            if name in buffers and value.shape == buffers[name].shape:
                value.copy_(buffers[name])


def seed_generators(seed: int) -> None:
    """Start every generator of the process from the plan's seed."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def _torch_states(device: torch.device) -> dict[str, Tensor]:
    """States of the CPU's generator and of the device's, which is one of its own on an accelerator."""
    states = {"torch": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def _set_torch_states(states: Mapping[str, Any], device: torch.device) -> None:
    torch.set_rng_state(states["torch"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    if device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])
