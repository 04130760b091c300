"""Batches as views of tensors that lie on the device: no loader process, no collation, one gather per block.

A dataset's order in an epoch depends only on the seed and the epoch's number, so that a run resumes in the middle of an
epoch with the very batches that it would have seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

BLOCK_BYTES = 64 * 2**20
"""Samples are gathered and moved in blocks of about this size; a small dataset is a single block."""
RESIDENT_SHARE = 0.5
"""A dataset moves to an accelerator as a whole where it takes at most this share of the free memory."""

Batch = tuple[dict[str, Tensor], Tensor]
"""Inputs by the names of the forward parameters, and targets; samples on the first axis."""


class Samples(Protocol):
    """What a module trains on. Every tensor has its samples on the first axis."""

    @property
    def inputs(self) -> Mapping[str, Tensor]: ...

    @property
    def targets(self) -> Tensor: ...


def permutation(seed: int, epoch: int, count: int) -> Tensor:
    """Order of the samples in an epoch (1-based), a function of the seed and the epoch alone."""
    # 2^64 divided by the golden ratio spreads consecutive epochs over the whole range of seeds.
    mixed = (seed + epoch * 0x9E3779B97F4A7C15) % 2**63
    return torch.randperm(count, generator=torch.Generator().manual_seed(mixed))


@dataclass(frozen=True)
class Batches:
    """The samples of one part of the data, cut into batches."""

    inputs: dict[str, Tensor]
    targets: Tensor
    batch_size: int
    device: torch.device

    def __len__(self) -> int:
        """Batches of an epoch. A last batch of one sample is left out, because batch normalization cannot train on it;
        the order changes from epoch to epoch, so that no sample is left out for good."""
        whole, rest = divmod(len(self.targets), self.batch_size)
        return whole + (rest > 1 or whole == 0)

    @property
    def samples(self) -> int:
        """Samples of an epoch."""
        return min(len(self.targets), len(self) * self.batch_size)

    @property
    def mean_size(self) -> float:
        """Samples of an average batch."""
        return self.samples / len(self)

    def shuffled(self, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Batches ``start`` to the last of an epoch."""
        order = permutation(seed, epoch, len(self.targets))[: self.samples]
        order = order[start * self.batch_size :].to(self.targets.device)
        for rows in torch.split(order, self._block()):
            inputs = {
                name: torch.split(self._place(value[rows]), self.batch_size) for name, value in self.inputs.items()
            }
            targets = torch.split(self._place(self.targets[rows]), self.batch_size)
            for index, target in enumerate(targets):
                yield {name: parts[index] for name, parts in inputs.items()}, target

    def ordered(self) -> Iterator[Batch]:
        """Every sample once, in the given order. Batches are copies: a module may change its input in place."""
        for start in range(0, len(self.targets), self.batch_size):
            rows = slice(start, start + self.batch_size)
            inputs = {name: self._place(value[rows].clone()) for name, value in self.inputs.items()}
            yield inputs, self._place(self.targets[rows].clone())

    def _place(self, value: Tensor) -> Tensor:
        # Blocking: what is gathered lies in pageable memory, which MPS may still read after it was freed.
        return value.to(self.device)

    def _block(self) -> int:
        """Samples per block: whole batches, so that a cut into blocks is no cut inside a batch."""
        tensors = (*self.inputs.values(), self.targets)
        size = sum(value.element_size() * value[:1].numel() for value in tensors)
        return max(1, BLOCK_BYTES // max(1, size * self.batch_size)) * self.batch_size


def place(samples: Samples, batch_size: int, device: torch.device, *, reconstruct: bool = False) -> Batches:
    """Batches of ``samples`` for ``device``, whose tensors already lie there where they fit.

    ``reconstruct`` makes the (first) input the target.
    """
    inputs = dict(samples.inputs)
    targets = next(iter(inputs.values())) if reconstruct else samples.targets
    if _fits((*inputs.values(), targets), device):
        inputs = {name: value.to(device) for name, value in inputs.items()}
        targets = targets.to(device)
    return Batches(inputs, targets, batch_size, device)


def _fits(tensors: tuple[Tensor, ...], device: torch.device) -> bool:
    return sum(value.nbytes for value in tensors) <= RESIDENT_SHARE * _free(device)


def _free(device: torch.device) -> float:
    """Free memory of an accelerator, in bytes; infinite where the samples lie already."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return math.inf
