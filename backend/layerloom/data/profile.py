"""What the cells of a column say, met a batch at a time; nothing of the table is kept but these figures."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from layerloom.data.cells import MAX_NAME, MISSING, OK, TOO_LARGE, Cells, numbers, texts
from layerloom.data.parse import MAX_CLASSES, Block

BINS = 20
SHOWN = 20
"""Values that are told with their number."""


class Figures:
    """Smallest and largest value, mean and deviation of numbers that come in blocks."""

    def __init__(self) -> None:
        self.count = 0
        self.minimum = math.inf
        self.maximum = -math.inf
        self.mean = 0.0
        self._squares = 0.0

    def add(self, values: Block) -> None:
        """Take finite numbers in. Blocks are merged as Chan, Golub and LeVeque do (1979), which loses no digits."""
        if not values.size:
            return
        values = values.astype(np.float64, copy=False)
        count, mean = values.size, float(values.mean())
        self._squares += float(np.square(values - mean).sum())
        total, step = self.count + count, mean - self.mean
        self._squares += step * step * self.count * count / total
        self.mean += step * count / total
        self.count = total
        self.minimum = min(self.minimum, float(values.min()))
        self.maximum = max(self.maximum, float(values.max()))

    @property
    def deviation(self) -> float:
        """Of all values, without Bessel's correction."""
        return math.sqrt(self._squares / self.count) if self.count else 0.0


class Histogram:
    """Numbers in equal intervals between the smallest and the largest."""

    def __init__(self, figures: Figures) -> None:
        self._range = (figures.minimum, figures.maximum) if figures.count else None
        self.counts = np.zeros(BINS, np.int64)

    def add(self, values: Block) -> None:
        """Take finite numbers in."""
        if self._range is not None:
            low, high = self._range
            self.counts += np.histogram(values, BINS, (low, high if high > low else low + 1))[0]

    def list(self) -> list[int]:
        """How many each interval has, or nothing where there are no numbers."""
        counts: list[int] = self.counts.tolist()
        return counts if self._range is not None else []


class Profile:
    """One column."""

    def __init__(self) -> None:
        self.figures = Figures()
        self.cells = 0
        self.empty = 0
        """Cells without any text."""
        self.absent = 0
        """Cells that say that a number is missing; those without text are among them."""
        self.whole = True
        self.words = 0
        """Of all texts; what lies between spaces."""
        self.labels: Counter[str] = Counter()
        """How often each text occurs, as long as there are not too many."""
        self.many = False
        """There are more, or longer ones."""
        self.numeric = 0
        self.beyond = 0
        """Numbers that are infinite or larger than a float32 holds."""

    def add(self, cells: Cells) -> None:
        """Take a batch in."""
        found = numbers(cells)
        good = found.values[found.states == OK]
        self.figures.add(good)
        self.cells += len(cells)
        self.numeric += len(good)
        self.beyond += int((found.states == TOO_LARGE).sum())
        self.absent += int((found.states == MISSING).sum())
        self.whole = self.whole and bool((good == np.floor(good)).all())
        if isinstance(cells, np.ndarray):
            self.empty += int(np.isnan(cells).sum())
            if not self.many:
                values, counts = np.unique(cells[~np.isnan(cells)], return_counts=True)
                self._count(dict(zip(texts(values), counts.tolist(), strict=True)))
            return
        counted = Counter(map(str.strip, cells))
        self.empty += counted.pop("", 0)
        if len(good) < len(cells):
            self.words += sum(len(cell.split()) * times for cell, times in counted.items())
        if not self.many:
            self._count(counted)

    def _count(self, counted: dict[str, int]) -> None:
        self.labels.update(counted)
        if len(self.labels) > MAX_CLASSES or any(len(text) > MAX_NAME for text in counted):
            self.many = True

    @property
    def is_number(self) -> bool:
        """Whether nearly all cells that say something say a number."""
        return self.numeric > 0 and self.numeric + self.beyond >= 0.95 * (self.cells - self.absent)

    @property
    def distinct(self) -> int | None:
        """Different texts; None for too many."""
        return None if self.many else len(self.labels)

    @property
    def common(self) -> dict[str, int]:
        """The most frequent texts."""
        return {} if self.many else dict(self.labels.most_common(SHOWN))
