"""A batch that is run in parts, whose gradients are added up: what fits into memory only so trains as if it fitted."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor

from layerloom.training.criterion import Criterion, Share
from layerloom.training.heads import Heads


class Piece(NamedTuple):
    """Some samples of a batch; their loss, weighed by ``share`` and summed over the pieces, is that of the batch."""

    inputs: dict[str, Tensor]
    target: Tensor
    share: Share | None
    """None: it is the whole batch."""


def pieces(
    inputs: dict[str, Tensor], target: Tensor, count: int, criterion: Criterion | Heads, sample: Any
) -> list[Piece]:
    """A batch in ``count`` pieces, or as many as have two samples each, which batch normalization wants.

    A piece in which every target is ignored has no loss, and is left out. ``sample`` is any output of the module.
    """
    count = max(1, min(count, len(target) // 2))
    if count == 1:
        return [Piece(inputs, target, None)]
    targets = target.tensor_split(count)
    cut = {name: value.tensor_split(count) for name, value in inputs.items()}
    shares = criterion.shares(sample, target, targets)
    return [
        Piece({name: parts[place] for name, parts in cut.items()}, targets[place], share)
        for place, share in enumerate(shares)
        if any(share)
    ]
