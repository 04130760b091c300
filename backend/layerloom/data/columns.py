"""The columns of a table, read a batch of cells at a time into numbers that a later pass turns into tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerloom.data.dataset import DataError
from layerloom.data.parse import MAX_CLASSES, MAX_FLOAT, Block, refuse

MAX_CATEGORIES = 64
"""A text column with more values than this is no feature."""
MAX_NAME = 200
"""Characters of a column's name and of a class label; both are shown wherever the data set is."""


def number(cell: str) -> float | None:
    """What a cell says as a number, NaN and infinities included; None for text.

    ``float`` also takes ``1_000`` and the digits of other scripts, which are no numbers in a table.
    """
    if "_" in cell or not cell.strip().isascii():
        return None
    try:
        return float(cell)
    except ValueError:
        return None


class Numbers:
    """A feature column whose first cell is a number, as all others have to be."""

    width = 1

    def __init__(self, name: str) -> None:
        self._name = name

    def read(self, cells: Sequence[str], first: int) -> Block:
        """The cells as numbers; ``first`` is the sample number of the first of them, counted from 1.

        Raises:
            DataError: with the sample at fault.
        """
        values = _plain_numbers(cells)
        if values is None:
            values = np.array([self._one(cell, first + place) for place, cell in enumerate(cells)])
        return values

    def expand(self, values: Block, out: Block) -> None:
        """Write this column's part of a block, ``rows × width``."""
        out[:, 0] = values

    def _one(self, cell: str, sample: int) -> float:
        value = number(cell)
        if value is None or not abs(value) <= MAX_FLOAT:
            raise no_number(self._name, cell, sample)
        return value


class Categories:
    """A feature column of text with few values, each of which becomes a feature that is 0 or 1."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._codes: dict[str, int] = {}

    @property
    def width(self) -> int:
        """How many features it becomes."""
        return len(self._codes)

    def read(self, cells: Sequence[str], _first: int) -> Block:
        """The number of each cell's value, in the order in which the values were met.

        Raises:
            DataError: too many values, or numbers among them.
        """
        codes = self._codes
        for cell in cells:
            if cell not in codes:
                self._add(cell)
        return np.array([codes[cell] for cell in cells])

    def expand(self, values: Block, out: Block) -> None:
        """Write this column's part of a block, ``rows × width``: its values in the order of the alphabet."""
        out[np.arange(len(values)), ranks(sorted(self._codes), self._codes)[values.astype(np.int64)]] = 1

    def _add(self, cell: str) -> None:
        if number(cell) is not None:
            # With one number it is a column of numbers, and its first cell is none.
            raise no_number(self._name, next(iter(self._codes)), 1)
        if len(self._codes) == MAX_CATEGORIES:
            raise refuse(
                f"Column {self._name!r} is text with more than {MAX_CATEGORIES} different values. "
                "Remove it, or turn it into numbers.",
                column=self._name,
            )
        self._codes[cell] = len(self._codes)


class Target:
    """The column to predict. Only at its end is it known whether it holds classes or quantities."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._codes: dict[str, int] = {}
        self._many = False
        self._numeric = False
        self._whole = True
        self._bad: DataError | None = None

    def read(self, cells: Sequence[str], first: int) -> tuple[Block, Block]:
        """The cells as numbers, 0 where they are none, and as numbers of their labels."""
        labels = [cell.strip() for cell in cells]
        values = _plain_numbers(cells)
        if values is None:
            values = np.array([self._one(cell, first + place) for place, cell in enumerate(cells)])
        else:
            self._numeric = True
            self._whole = self._whole and bool((values == np.floor(values)).all())
        return values, np.array([self._code(label) for label in labels])

    def finish(self, samples: int) -> list[str]:
        """Names of the classes, or none for quantities.

        Raises:
            DataError: a sample without a label or number, or too many classes.
        """
        few = not self._many and len(self._codes) <= min(MAX_CLASSES, max(20, samples // 50))
        if self._numeric and not (self._whole and few):
            if self._bad:
                raise self._bad
            return []
        if "" in self._codes:
            raise refuse(f"Column {self.name!r} has samples without a label.", column=self.name)
        if self._many:
            raise refuse(
                f"Column {self.name!r} has more than {MAX_CLASSES:,} classes, or labels of more than {MAX_NAME} "
                "characters.",
                column=self.name,
            )
        return sorted(self._codes, key=lambda label: (number(label) or 0.0, label))

    def class_numbers(self, classes: list[str], codes: Block) -> Block:
        """From the numbers that ``read`` gave to places among ``classes``."""
        return ranks(classes, self._codes)[codes.astype(np.int64)]

    def _one(self, cell: str, sample: int) -> float:
        value = number(cell)
        self._numeric = self._numeric or value is not None
        self._whole = self._whole and value is not None and math.isfinite(value) and value == int(value)
        if value is None or not abs(value) <= MAX_FLOAT:
            self._bad = self._bad or no_number(self.name, cell, sample)
            return 0.0
        return value

    def _code(self, label: str) -> int:
        code = self._codes.get(label)
        if code is None:
            if len(self._codes) == MAX_CLASSES or len(label) > MAX_NAME:
                self._many = True
                return 0
            code = self._codes[label] = len(self._codes)
        return code


@dataclass(frozen=True)
class Table:
    """A table that has been read once. ``features`` are all columns but the target, in order."""

    features: list[Numbers | Categories]
    target: Target
    samples: int


def no_number(name: str, cell: str, sample: int) -> DataError:
    """The error for a cell that has to be a number; raise it."""
    what = "is no finite 32-bit number" if cell.strip() else "is empty"
    return refuse(f"Column {name!r}, sample {sample}, {what}. Fill it in or remove the row.", column=name, row=sample)


def ranks(ordered: list[str], codes: dict[str, int]) -> Block:
    """For each code the place of its value in ``ordered``."""
    places = np.empty(len(ordered), np.int64)
    places[[codes[value] for value in ordered]] = np.arange(len(ordered))
    return places


def _plain_numbers(cells: Sequence[str]) -> Block | None:
    """All cells as numbers, at once; None where one of them needs a closer look."""
    together = "".join(cells)
    if "_" in together or not together.isascii():
        return None
    try:
        values = np.array(list(map(float, cells)))
    except ValueError:
        return None
    return values if (np.abs(values) <= MAX_FLOAT).all() else None
