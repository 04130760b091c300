"""What one of several ranks does in a step: its rows of the batch, its part of the loss, the sum of all gradients.

A batch is cut into as many parts as there are ranks (times the parts that its gradients are added up from), one after
the other. The losses of the parts are weighed so that their sum is the loss of the batch, by the very rule that
accumulation follows: by their samples, or by what their classes weigh.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from layerloom.schema.plan import Plan
from layerloom.training.arguments import REFUSALS
from layerloom.training.criterion import Share, leaves
from layerloom.training.position import buffers_kept, generators_kept
from layerloom.training.setup import Parts
from layerloom.training.synced import Synced


@dataclass(frozen=True)
class Part:
    """What a rank runs at once."""

    rows: slice
    """Of the batch."""
    share: Share
    """What its loss is multiplied with, so that the mean over the ranks of all losses is the loss of the batch. All 0:
    it does not count, and is run because the others run one, too."""
    last: bool
    """Its backward pass exchanges the gradients."""


class Sharing:
    """One rank's work on a module, which is to be called through ``module``."""

    def __init__(self, module: nn.Module, plan: Plan, parts: Parts) -> None:
        self._ranks = parts.ranks
        self._criterion = parts.criterion
        self._sample = parts.sample
        self._rounds = plan.accumulation
        unused = _some_unused(module, parts)
        self._synced = Synced(module, parts.ranks) if plan.sync_batch_norm else None
        self._least = 1 if self._synced is not None else 2  # batch normalization of a share by itself wants two samples
        self.module = DistributedDataParallel(
            module,
            device_ids=[parts.device] if parts.device.type == "cuda" else None,
            find_unused_parameters=unused,
        )

    def parts(self, target: Tensor) -> list[Part]:
        """This rank's parts of a batch with these targets; each rank has as many."""
        world, rounds = self._ranks.world, self._rounds
        rounds = max(1, min(rounds, len(target) // (self._least * world)))
        count = max(1, min(rounds * world, len(target) // self._least))
        targets = target.tensor_split(count)
        shares = self._criterion.shares(self._sample, target, targets)
        ends = torch.tensor([len(part) for part in targets]).cumsum(0).tolist()
        mine = []
        for round_ in range(rounds):
            place = round_ * world + self._ranks.rank
            # A short batch has no part for the last ranks; they run the first one, for nothing.
            share = tuple(factor * world if place < count else 0.0 for factor in shares[min(place, count - 1)])
            end = ends[place if place < count else 0]
            rows = slice(end - len(targets[place if place < count else 0]), end)
            mine.append(Part(rows, share, last=round_ == rounds - 1))
        return mine

    @contextmanager
    def running(self, part: Part) -> Iterator[None]:
        """Around the forward pass of a part."""
        if self._synced is not None:
            self._synced.idle = not any(part.share)
        if part.last:
            yield
        else:
            with self.module.no_sync():
                yield

    def end(self) -> None:
        """Leave the module to this process alone."""
        if self._synced is not None:
            self._synced.undo()
        self._ranks.leave()


def nothing(output: Any) -> Tensor:
    """A loss of 0 that hangs on everything that a module returned: whoever waits for its gradients gets zeros."""
    return torch.stack([(leaf * 0).sum() for leaf in leaves(output)]).sum()


def _some_unused(module: nn.Module, parts: Parts) -> bool:
    """Whether some parameter takes no part in the loss, for which those who sum gradients would wait in vain."""
    inputs, target = parts.train.first(2)
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    module.train()
    with generators_kept(parts.device), buffers_kept(module):
        try:
            with parts.precision.autocast():
                loss = parts.criterion(module(**inputs), target)
            return None in torch.autograd.grad(loss, weights, allow_unused=True)
        except REFUSALS:
            return True  # nothing is known, and looking for them is right in any case
