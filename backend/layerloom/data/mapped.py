"""Samples that are too many for memory: they stay in their file, and a batch of them is gathered by index."""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerloom.data.pictures import floats

KEPT_BYTES = 64 * 2**20
"""Pages that were read are let go after so many bytes: the system keeps them where it has room, and this process need
not be counted as large as the file."""
_PIECE_BYTES = 16 * 2**20
"""Of samples in double precision that are looked at together."""
_CONSTANT = 1e-12
"""A deviation of so small a share of the mean is what rounding leaves."""
_TYPES = {"F32": np.float32, "I64": np.int64, "U8": np.uint8}


class Pages:
    """One tensor, samples first, that is read where and when it is asked for."""

    def __init__(self, array: np.ndarray[Any, Any], whole: mmap.mmap | None = None) -> None:
        """``whole`` is the map that the array lies in, where it does."""
        self._array = array
        self._map = whole
        self._read = 0
        self._advise("MADV_RANDOM")

    @classmethod
    def of(cls, file: Path, name: str) -> Pages:
        """A tensor of a safetensors file."""
        with file.open("rb") as raw:
            length = int.from_bytes(raw.read(8), "little")
            place = json.loads(raw.read(length))[name]
            whole = mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ)
        begin, end = place["data_offsets"]
        kind = np.dtype(_TYPES[place["dtype"]])
        array = np.frombuffer(whole, kind, (end - begin) // kind.itemsize, 8 + length + begin)
        return cls(array.reshape(place["shape"]), whole)

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples first."""
        return tuple(self._array.shape)

    @property
    def dtype(self) -> torch.dtype:
        """Of what lies in the file."""
        return torch.from_numpy(np.empty(0, self._array.dtype)).dtype

    def take(self, rows: Tensor) -> Tensor:
        """Copies of these samples. In one thread and without Python's lock, so that a step goes on beside it."""
        found = np.take(self._array, rows.numpy(), axis=0)
        self._read += max(found.nbytes, len(rows) * mmap.PAGESIZE)
        if self._read > KEPT_BYTES:
            self._read = 0
            self._advise("MADV_DONTNEED")
        return torch.from_numpy(found)

    def _advise(self, what: str) -> None:
        with suppress(AttributeError, OSError):  # not every system can be told
            if self._map is not None:
                self._map.madvise(getattr(mmap, what))


@dataclass(frozen=True)
class Moments:
    """Mean and deviation of each number of a sample."""

    mean: Tensor
    deviation: Tensor


@dataclass(frozen=True)
class Mapped:
    """Samples of ``pages`` in the order of ``rows``: like a tensor, as far as a trainer asks.

    ``sample`` is the shape in which the network takes one; ``filled`` takes the place of missing numbers, and ``scale``
    is what every number is scaled by.
    """

    pages: Pages
    rows: Tensor
    sample: tuple[int, ...]
    filled: Tensor | None = None
    scale: Moments | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples first."""
        return (len(self.rows), *self.sample)

    @property
    def dtype(self) -> torch.dtype:
        """Of what the network is given."""
        return torch.float32 if self.pages.dtype == torch.uint8 else self.pages.dtype

    @property
    def nbytes(self) -> int:
        """As a tensor in memory."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def __len__(self) -> int:
        return len(self.rows)

    def dim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def is_floating_point(self) -> bool:
        """Whether the network is given floats."""
        return self.dtype.is_floating_point

    def __getitem__(self, which: slice | Tensor | int) -> Tensor:
        """Samples as the network takes them."""
        if isinstance(which, int):
            return self[torch.tensor([which])][0]
        return self.ready(self.gather(which))

    def gather(self, which: slice | Tensor) -> Tensor:
        """Samples as they lie in the file: this is what has to be moved to a device."""
        return self.pages.take(self.rows[which])

    def ready(self, gathered: Tensor) -> Tensor:
        """Gathered samples as the network takes them, computed where they lie; number for number what it would be
        given from memory."""
        made = floats(gathered).reshape(len(gathered), *self.sample)
        if self.filled is not None:
            made = made.where(~made.isnan(), self.filled.to(made.device))
        if self.scale is not None:
            made = made.sub(self.scale.mean.to(made.device)).div_(self.scale.deviation.to(made.device))
        return made


Column = Tensor | Mapped


def moments(value: Column) -> Moments:
    """Mean and deviation over the samples, a piece at a time and in double precision, so that it is the same number
    whether samples lie in memory or in a file. A constant number has the deviation 1, and stays as it is."""
    count = len(value)
    mean = torch.stack([piece.double().sum(0) for piece in _pieces(value)]).sum(0) / count
    squares = torch.stack([(piece.double() - mean).square_().sum(0) for piece in _pieces(value)]).sum(0)
    deviation = (squares / count).sqrt_().float()
    return Moments(mean.float(), deviation.where(deviation > _CONSTANT * mean.abs(), 1.0))


def present(value: Column) -> tuple[bool, Tensor]:
    """Whether any number is missing, and the mean of those that are there; 0 where there are none."""
    counts = torch.stack([(~piece.isnan()).sum(0) for piece in _pieces(value)]).sum(0)
    sums = torch.stack([piece.double().nansum(0) for piece in _pieces(value)]).sum(0)
    return bool((counts < len(value)).any()), (sums / counts.clamp(min=1)).float()


def _pieces(value: Column) -> Iterator[Tensor]:
    rows = max(1, _PIECE_BYTES // (8 * math.prod(value.shape[1:])))
    for start in range(0, len(value), rows):
        yield value[start : start + rows]
