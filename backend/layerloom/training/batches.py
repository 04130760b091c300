"""Batches as views of tensors that lie on the device: no loader process, no collation, one gather per block. What does
not fit there is gathered a batch at a time, by a thread that is a few batches ahead.

A dataset's order in an epoch depends only on the seed and the epoch's number, so that a run resumes in the middle of an
epoch with the very batches that it would have seen.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from layerloom.training.position import drawing

BLOCK_BYTES = 64 * 2**20
"""Samples on the device are gathered in blocks of about this size; a small dataset is a single block."""
RESIDENT_SHARE = 0.5
"""A dataset moves to an accelerator as a whole where it takes at most this share of the free memory."""

AHEAD = 2
"""Batches that are read from a file while the network trains on others."""

Batch = tuple[dict[str, Tensor], Tensor]
"""Inputs by the names of the forward parameters, and targets; samples on the first axis."""


class Stored(Protocol):
    """Samples that lie in a file; otherwise as a tensor, as far as it is asked here."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def dim(self) -> int: ...

    def is_floating_point(self) -> bool: ...

    def __len__(self) -> int: ...

    def __getitem__(self, which: slice | Tensor) -> Tensor: ...

    def gather(self, which: slice | Tensor) -> Tensor:
        """Samples as they lie in the file."""
        ...

    def ready(self, gathered: Tensor) -> Tensor:
        """What was gathered, as the network takes it, computed where it lies."""
        ...


class Transform(Protocol):
    """What becomes of a batch of one input before the network sees it."""

    @property
    def input(self) -> str: ...

    @property
    def random(self) -> bool:
        """Whether it draws from torch's generators."""
        ...

    def __call__(self, images: Tensor, /) -> Tensor: ...


class Samples(Protocol):
    """What a module trains on. Every tensor has its samples on the first axis.

    One that has a ``transform``, too, passes every batch through it.
    """

    @property
    def inputs(self) -> Mapping[str, Tensor | Stored]: ...

    @property
    def targets(self) -> Tensor: ...

    @property
    def others(self) -> Mapping[str, Tensor]:
        """What feeds no input and is no target of its own: some head's targets."""


def permutation(seed: int, epoch: int, count: int) -> Tensor:
    """Order of the samples in an epoch (1-based), a function of the seed and the epoch alone."""
    # 2^64 divided by the golden ratio spreads consecutive epochs over the whole range of seeds.
    mixed = (seed + epoch * 0x9E3779B97F4A7C15) % 2**63
    return torch.randperm(count, generator=torch.Generator().manual_seed(mixed))


@dataclass(frozen=True)
class Batches:
    """The samples of one part of the data, cut into batches."""

    inputs: dict[str, Tensor | Stored]
    targets: Tensor | Stored
    batch_size: int
    device: torch.device
    transform: Transform | None = None
    rebuilt: str = ""
    """The input that is the target as well, as the network sees it."""
    channels_last: bool = False
    """Images that are made a batch at a time are laid out with their channels together."""

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
        """Batches ``start`` to the last of an epoch. What a transform draws for a batch depends on its place alone."""
        order = permutation(seed, epoch, len(self.targets))[: self.samples]
        cut = self._cut(order[start * self.batch_size :])
        if not self._made_by_batch:
            return cut
        return self._made(cut, (_mixed(seed, epoch, start + index) for index in itertools.count()))

    def ordered(self, first: int = 0, end: int | None = None) -> Iterator[Batch]:
        """Every sample once, in the given order, or those from ``first`` to before ``end``. Batches are copies: a
        module may change its input in place."""
        end = len(self.targets) if end is None else end
        starts = range(first, end, self.batch_size)
        pieces = [slice(start, min(start + self.batch_size, end)) for start in starts]
        cut = self._ahead(pieces) if self._elsewhere else (self._copied(rows) for rows in pieces)
        return self._made(cut, itertools.repeat(0)) if self._made_by_batch else cut

    def first(self, count: int) -> Batch:
        """The first samples as the network takes them, on the device. No random number counts as drawn."""
        batch = self._copied(slice(0, count))
        if not self._made_by_batch:
            return batch
        return next(self._made(iter([batch]), iter([0])))

    def _cut(self, order: Tensor) -> Iterator[Batch]:
        if self._elsewhere:
            yield from self._ahead(torch.split(order, self.batch_size))
            return
        assert isinstance(self.targets, Tensor)
        for rows in torch.split(order.to(self.targets.device), self._block()):
            inputs = {name: torch.split(_raw(value, rows), self.batch_size) for name, value in self.inputs.items()}
            targets = torch.split(_raw(self.targets, rows), self.batch_size)
            for index, target in enumerate(targets):
                yield {name: parts[index] for name, parts in inputs.items()}, target

    def _copied(self, rows: slice) -> Batch:
        inputs = {name: value[rows].clone().to(self.device) for name, value in self.inputs.items()}
        return inputs, self.targets[rows].clone().to(self.device)

    def _ahead(self, pieces: Sequence[slice | Tensor]) -> Iterator[Batch]:
        """Batches that one thread gathers in the file's own numbers while others are trained on; what is moved and
        computed then, is moved and computed here."""
        with ThreadPoolExecutor(1, "gathering") as reader:
            waiting: deque[Future[tuple[dict[str, Tensor], Tensor]]] = deque()
            for piece in pieces:
                waiting.append(reader.submit(self._gathered, piece))
                if len(waiting) > AHEAD:
                    yield self._arrived(*waiting.popleft().result())
            while waiting:
                yield self._arrived(*waiting.popleft().result())

    def _gathered(self, rows: slice | Tensor) -> tuple[dict[str, Tensor], Tensor]:
        inputs = {name: self._held(_raw(value, rows)) for name, value in self.inputs.items()}
        return inputs, self._held(_raw(self.targets, rows))

    def _arrived(self, raw: dict[str, Tensor], target: Tensor) -> Batch:
        inputs = {name: _ready(self.inputs[name], self._moved(value)) for name, value in raw.items()}
        return inputs, _ready(self.targets, self._moved(target))

    def _held(self, value: Tensor) -> Tensor:
        """In memory that the device reads by itself, where there is such."""
        return value.pin_memory() if self.device.type == "cuda" else value

    def _moved(self, value: Tensor) -> Tensor:
        # Elsewhere than on CUDA it waits: MPS may still read pageable memory after it was freed.
        return value.to(self.device, non_blocking=self.device.type == "cuda")

    @property
    def _elsewhere(self) -> bool:
        """Whether samples lie in a file, or in memory that is not the device's."""
        values = (*self.inputs.values(), self.targets)
        return not all(isinstance(value, Tensor) and value.device.type == self.device.type for value in values)

    @property
    def _made_by_batch(self) -> bool:
        return self.transform is not None or self.channels_last

    def _made(self, batches: Iterator[Batch], seeds: Iterator[int]) -> Iterator[Batch]:
        """Each batch through the transform, and in the wanted layout."""
        for (inputs, target), seed in zip(batches, seeds, strict=False):
            if self.transform is not None:
                name = self.transform.input
                with drawing(seed, self.device) if self.transform.random else nullcontext():
                    inputs[name] = self.transform(inputs[name])
                if self.rebuilt == name:
                    target = inputs[name].clone()
            if self.channels_last:
                inputs = {name: last(value) for name, value in inputs.items()}
            yield inputs, target

    def _block(self) -> int:
        """Samples per block: whole batches, so that a cut into blocks is no cut inside a batch."""
        tensors = [value for value in (*self.inputs.values(), self.targets) if isinstance(value, Tensor)]
        size = sum(value.element_size() * value[:1].numel() for value in tensors)
        return max(1, BLOCK_BYTES // max(1, size * self.batch_size)) * self.batch_size


def place(samples: Samples, batch_size: int, device: torch.device, *, reconstruct: bool = False) -> Batches:
    """Batches of ``samples`` for ``device``, whose tensors already lie there where they fit.

    ``reconstruct`` makes the (first) input the target.
    """
    inputs = dict(samples.inputs)
    rebuilt = next(iter(inputs)) if reconstruct else ""
    targets = inputs[rebuilt] if reconstruct else samples.targets
    tensors = {name: value for name, value in inputs.items() if isinstance(value, Tensor)}
    if isinstance(targets, Tensor) and len(tensors) == len(inputs) and _fits((*tensors.values(), targets), device):
        inputs = {name: value.to(device) for name, value in tensors.items()}
        targets = targets.to(device)
    return Batches(inputs, targets, batch_size, device, getattr(samples, "transform", None), rebuilt)


def last(value: Tensor) -> Tensor:
    """Images with their channels together in memory; all else as it is."""
    return value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value


def _raw(value: Tensor | Stored, rows: slice | Tensor) -> Tensor:
    if not isinstance(value, Tensor):
        return value.gather(rows)
    # Selecting is several times as fast as indexing, and gives the same.
    return value.index_select(0, rows.to(value.device)) if isinstance(rows, Tensor) else value[rows].clone()


def _ready(value: Tensor | Stored, gathered: Tensor) -> Tensor:
    return gathered if isinstance(value, Tensor) else value.ready(gathered)


def _mixed(seed: int, epoch: int, batch: int) -> int:
    """A seed for each batch of a run, a function of its place alone: what a resumed run draws is what it would have
    drawn. The factors are odd and have no pattern in their bits (2^64 divided by the golden ratio, and by e)."""
    return (seed + epoch * 0x9E3779B97F4A7C15 + (batch + 1) * 0x5E2D58D8B3BCDF1B) % 2**63


def _fits(tensors: Sequence[Tensor], device: torch.device) -> bool:
    return sum(value.nbytes for value in tensors) <= RESIDENT_SHARE * _free(device)


def _free(device: torch.device) -> float:
    """Free memory of an accelerator, in bytes; infinite where the samples lie already."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return math.inf
