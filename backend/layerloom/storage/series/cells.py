"""Parts of a curve: its values, and cells that stand for several values each by their smallest, largest and mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from layerloom.storage.series.columns import Column, Floats, Ints, pack, single, unpack


@dataclass(frozen=True, slots=True)
class _Table:
    """Columns of one length."""

    steps: Ints
    """Strictly rising. Of a cell: of its first value, as are epochs, times and began."""
    epochs: Floats
    times: Ints
    """Training time, in microseconds."""
    began: Ints
    """When training would have begun, had it never paused: microseconds since 1970. With ``times``: the time of day."""

    def __len__(self) -> int:
        return len(self.steps)

    def columns(self) -> list[Column]:
        """All of them, in order."""
        return [getattr(self, name) for name in self.__match_args__]

    def part(self, start: int, stop: int) -> Self:
        """Those of the rows ``start`` to ``stop`` that there are."""
        start = max(start, 0)
        if start == 0 and stop >= len(self):
            return self
        return type(self)(*(column[start:stop] for column in self.columns()))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """One after the other; at least one."""
        if len(parts) == 1:
            return parts[0]
        return cls(*map(np.concatenate, zip(*(part.columns() for part in parts), strict=True)))

    @classmethod
    def unpack(cls, frame: bytes) -> Self:
        """From a stored frame."""
        return cls(*unpack(frame))


@dataclass(frozen=True, slots=True)
class Points(_Table):
    """Values as they were measured."""

    values: Floats
    """Those that are not finite are kept as they are."""

    def pack(self) -> bytes:
        """As it is stored."""
        return pack(self.columns(), squeeze=True)

    def cells(self) -> Cells:
        """A cell for each value."""
        broken = ~np.isfinite(self.values)
        finite = np.where(broken, np.nan, self.values) if broken.any() else self.values
        where = (self.steps, self.epochs, self.times, self.began)
        return Cells(*where, self.steps, finite, finite, finite, broken.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Cells(_Table):
    """What is known of several values each. Where none of them is finite, low, high and mean are NaN."""

    lasts: Ints
    """Steps of their last values."""
    lows: Floats
    highs: Floats
    means: Floats
    """Of the finite values; rounded to single precision where low and high need no more."""
    broken: Ints
    """How many of the values are NaN or infinite."""

    def pack(self) -> bytes:
        """As it is stored: not squeezed, because a wide view reads thousands of cells."""
        return pack(self.columns(), squeeze=False)

    def fold(self, edges: Ints, sizes: Ints) -> Cells:
        """Fewer cells, which begin at ``edges`` (rising from 0). ``sizes`` are the numbers of values in the old."""
        lasts = self.lasts[np.append(edges[1:], len(self)) - 1]
        lows, highs = np.fmin.reduceat(self.lows, edges), np.fmax.reduceat(self.highs, edges)
        broken = np.add.reduceat(self.broken, edges)
        where = (self.steps[edges], self.epochs[edges], self.times[edges], self.began[edges])
        return Cells(*where, lasts, lows, highs, self._means(edges, sizes, lows, highs), broken)

    def _means(self, edges: Ints, sizes: Ints, lows: Floats, highs: Floats) -> Floats:
        means, finite = self.means, sizes
        if self.broken.any():
            finite = sizes - self.broken
            means = np.where(finite > 0, means, 0.0)
        totals = np.maximum(np.add.reduceat(finite, edges), 1)
        # Shares instead of sums: a sum of large values may be no float any more.
        shares = means * (finite / np.repeat(totals, np.diff(np.append(edges, len(self)))))
        with np.errstate(over="ignore"):
            means = np.clip(np.add.reduceat(shares, edges), lows, highs)
            return np.where(single(lows) & single(highs), means.astype(np.float32), means)
