"""Loss and metrics over the whole validation part."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.training.batches import Batch
from layerloom.training.control import Control
from layerloom.training.criterion import Criterion, leaves
from layerloom.training.heads import Heads
from layerloom.training.position import generators_kept
from layerloom.training.ranks import ALONE, Ranks
from layerloom.training.setup import Parts

JOINED_NUMBERS = 2**20
"""Outputs are joined up to so many numbers before the loss and the metrics see them: few large calls cost less."""


def validate(module: nn.Module, parts: Parts, control: Control) -> dict[str, float] | None:
    """``validation/loss`` and ``validation/<metric>``, or None when the control wants something else meanwhile.

    The module is in eval mode and returns to training mode; random numbers that torch draws here are given
    back, so that validating changes nothing of what follows.
    """
    module.eval()
    try:
        # Not inference_mode: what a module keeps of a pass would be of no use to the next training step.
        with torch.no_grad(), generators_kept(parts.device):
            return _run(module, parts, control)
    finally:
        module.train()


def _run(module: nn.Module, parts: Parts, control: Control) -> dict[str, float] | None:
    ranks = parts.ranks
    loss = WholeLoss(parts.criterion, parts.train.mean_size)
    waiting: list[tuple[Any, Tensor]] = []
    numbers = 0
    ranks.share_buffers(module)
    for batch in _share(parts):
        if not control.going():
            parts.meters.reset()
            return None
        if batch is None:
            continue
        inputs, target = batch
        if numbers >= JOINED_NUMBERS:
            # Here and not when it came: what is not joined with anything is the last.
            _measure(waiting, parts, loss, last=False)
            waiting, numbers = [], 0
        with parts.precision.autocast():
            output = module(**inputs)
        waiting.append((output, target))
        numbers += sum(leaf.numel() for leaf in leaves(output))
    _measure(waiting, parts, loss, last=not ranks.several)
    values = {f"validation/{name}": value for name, value in parts.meters.compute(ranks).items()}
    return {"validation/loss": loss.value(ranks), **values}


def _share(parts: Parts) -> Iterator[Batch | None]:
    """This rank's batches; None where another one has one more, so that all take as many turns."""
    batches, rank, world = parts.validation, parts.ranks.rank, parts.ranks.world
    ends = [len(batches.targets) * place // world for place in range(world + 1)]
    yield from batches.ordered(ends[rank], ends[rank + 1])
    turns = [math.ceil((end - start) / batches.batch_size) for start, end in pairwise(ends)]
    yield from [None] * (max(turns) - turns[rank])


def _measure(pairs: list[tuple[Any, Tensor]], parts: Parts, loss: WholeLoss, *, last: bool) -> None:
    pairs = joined(pairs)
    for output, target in pairs:
        loss.add([_full(leaf) for leaf in leaves(output)], target, last=last and len(pairs) == 1)
        parts.meters.update(output, target)


class WholeLoss:
    """The loss of a whole set that is seen in parts, however it is cut: what the criterion would say of all at once.

    A loss that sums (``reduction="sum"``) would grow with the set, and with nothing to hold it against. It is given for
    as many samples as an average training batch has, so that it lies beside ``train/loss``: where nothing is learnt, it
    is the mean of ``train/loss`` over an epoch of the same samples.
    """

    def __init__(self, criterion: Criterion | Heads, batch: float) -> None:
        """``batch`` is the number of samples of an average training batch."""
        self._criterion = criterion
        self._batch = batch
        self._parts: list[Tensor] = []
        self._alone: tuple[float, int] | None = None

    def add(self, output: Any, target: Tensor, *, last: bool) -> None:
        """The module's output for some samples. When the ``last`` are also the first, the criterion alone decides."""
        if last and not self._parts:
            self._alone = (float(self._criterion(output, target)), len(target))
        else:
            self._parts.append(self._criterion.parts(output, target))

    def value(self, ranks: Ranks = ALONE) -> float:
        """The loss of what all ranks have added; NaN where a mean has nothing to divide by."""
        if self._alone is not None:
            value, count = self._alone
            return value / count * self._batch if self._criterion.sums else value
        sums, divisors = ranks.sum(torch.stack(self._parts).sum(0)).unbind(1)
        value = float((sums / divisors).sum())
        return value * self._batch if self._criterion.sums else value


def _full(output: Tensor) -> Tensor:
    """In single precision where autocast has left less: a mean over many samples needs the digits."""
    return output.float() if output.dtype in (torch.bfloat16, torch.float16) else output


def joined(pairs: list[tuple[Any, Tensor]]) -> list[tuple[Any, Tensor]]:
    """Outputs and targets of batches, joined along the samples where every tensor has them first."""
    rows = [leaves(output) for output, _ in pairs]
    samples_first = all(
        leaf.dim() > 0 and len(leaf) == len(target)
        for row, (_, target) in zip(rows, pairs, strict=True)
        for leaf in row
    )
    if len(pairs) < 2 or not samples_first:
        return pairs
    outputs = [torch.cat(parts) for parts in zip(*rows, strict=True)]
    targets = torch.cat([target for _, target in pairs])
    return [(outputs if len(outputs) > 1 else outputs[0], targets)]
