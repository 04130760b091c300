"""Where a run stands, and everything of it that a checkpoint keeps beside the weights."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch


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

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Position:
        """The position that ``as_dict`` described."""
        best = data["best"]
        return cls(**{**data, "best": Best(**best) if best else None})


def generator_states(device: torch.device) -> dict[str, Any]:
    """States of every random number generator that a forward pass may draw from, as tensors and plain values."""
    _name, keys, position, has_gauss, cached = np.random.get_state()
    states: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": (torch.from_numpy(np.array(keys, dtype=np.int64)), int(position), int(has_gauss), float(cached)),
    }
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_generator_states(states: dict[str, Any], device: torch.device) -> None:
    """Go on drawing where ``generator_states`` was called; a device without a state starts anew."""
    torch.set_rng_state(states["torch"])
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers), gauss))
    keys, position, has_gauss, cached = states["numpy"]
    np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), position, has_gauss, cached))
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    if device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])


def seed_generators(seed: int) -> None:
    """Start every generator of the process from the plan's seed."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)
