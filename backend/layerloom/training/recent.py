"""The last outputs of an epoch, which the training metrics are computed from."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from layerloom.training.criterion import leaves
from layerloom.training.mixing import labels
from layerloom.training.setup import Parts
from layerloom.training.validation import joined

SAMPLES = 2_048
NUMBERS = 2**20
"""At most so many samples and numbers are looked at."""


class Recent:
    """Outputs and targets of the newest steps; ``restart`` at the start of an epoch."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._kept: deque[tuple[Any, Tensor]] | None = None
        self._seen: tuple[Any, Tensor] | None = None

    def restart(self) -> None:
        """Forget what was kept."""
        self._kept = None

    def see(self, output: Any, target: Tensor) -> None:
        """What a batch, or a part of one, gave. LBFGS evaluates it several times; the first is what the step started
        from, and counts.
        """
        if self._seen is None:
            self._seen = (output, target)

    def keep(self, window: int | None = None) -> None:
        """Keep what was seen: the last ``window`` of them, or as many as may be. Nothing, where no part of the batch
        was this process's.
        """
        if self._seen is None:
            return
        output, target = self._seen
        self._seen = None
        kept = self._parts.training_meters.kept(output)
        if self._kept is None:
            numbers = sum(value.numel() for value in leaves(kept))
            size = min(SAMPLES // max(1, len(target)), NUMBERS // max(1, numbers))
            self._kept = deque(maxlen=window or max(1, size))
        self._kept.append((kept, target))

    def values(self) -> dict[str, float]:
        """The training metrics; none where a rank has kept nothing."""
        meters = self._parts.training_meters
        if not meters.names or not min(self._parts.ranks.gathered(bool(self._kept))):
            return {}
        for output, target in joined(list(self._kept or ())):
            if self._parts.mixer is not None:
                target = labels(target)
            meters.update(output, target)
        return {f"train/{name}": value for name, value in meters.compute(self._parts.ranks).items()}

    def contents(self, inside: bool) -> dict[str, Any]:
        """For a checkpoint ``inside`` an epoch, or between two."""
        kept = self._kept if inside else None
        return {"recent": list(kept or ()), "window": kept.maxlen if kept is not None else None}

    def resume(self, contents: Mapping[str, Any], device: torch.device) -> None:
        """Take up what ``contents`` gave."""
        for output, target in contents["recent"]:
            self._seen = (tree_map(lambda value: value.to(device), output), target.to(device))
            self.keep(contents.get("window"))
