"""Tables as their formats give them: batches of columns of cells, and what cells say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from layerloom.data.parse import MAX_FLOAT, Block

Cells = Sequence[str] | Block
"""Cells of one column: texts, or float64 numbers in which NaN is a missing one."""
MAX_NAME = 200
"""Characters of a column's name and of a class label; both are shown wherever the data set is."""
BATCH_CELLS = 65_536
OK, MISSING, NO_NUMBER, TOO_LARGE = range(4)
"""What a cell is as a number."""
_MISSING = frozenset(("", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "?", "<na>"))


class Source(Protocol):
    """A table that can be read again and again, a batch of rows at a time."""

    names: list[str]
    stored: list[str]
    """The type of each column in the file; empty where it has none."""
    nested: frozenset[int]
    """Places of columns that are not read."""
    days: frozenset[int]
    """Places of columns of times, which come as days."""

    def batches(self) -> Iterator[list[Cells]]:
        """Columns in order, each with as many cells; one that is not read has none."""
        ...


@dataclass(frozen=True)
class Numbers:
    """Cells as float64 numbers, NaN where they are none, and what each of them is."""

    values: Block
    states: Block


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


def numbers(cells: Cells) -> Numbers:
    """All cells as numbers."""
    if isinstance(cells, np.ndarray):
        states = np.where(np.isnan(cells), MISSING, np.where(np.abs(cells) <= MAX_FLOAT, OK, TOO_LARGE))
        return Numbers(np.where(states == OK, cells, np.nan), states.astype(np.uint8))
    plain = _plain_numbers(cells)
    if plain is not None:
        return Numbers(plain, np.zeros(len(plain), np.uint8))
    # Texts repeat themselves.
    known = {cell: _one(cell) for cell in set(cells)}
    values = np.array([known[cell][0] for cell in cells])
    return Numbers(values, np.array([known[cell][1] for cell in cells], np.uint8))


def texts(cells: Cells) -> Sequence[str]:
    """All cells as texts; a missing one is empty."""
    if not isinstance(cells, np.ndarray):
        return cells
    return [label(value) for value in cells.tolist()]


def label(value: float) -> str:
    """A number as the name of a class."""
    if value != value:
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _one(cell: str) -> tuple[float, int]:
    value = number(cell)
    if cell.strip().lower() in _MISSING:
        return np.nan, MISSING
    if value is None:
        return np.nan, NO_NUMBER
    return (value, OK) if abs(value) <= MAX_FLOAT else (np.nan, TOO_LARGE)


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
