"""Columns of a table on their way to tensors: each turns cells into numbers, and tells which rows it cannot take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from layerloom.data.cells import MISSING, NO_NUMBER, OK, TOO_LARGE, Cells, Numbers, number, texts
from layerloom.data.guessing import MAX_CATEGORIES
from layerloom.data.lexicon import PADDING, Lexicon
from layerloom.data.parse import MAX_CLASSES, Block, refuse
from layerloom.data.profile import Profile
from layerloom.schema.datasets import RowReason

MAX_ID = 2**53
"""Whole numbers beyond it are not told apart by a float64."""
REASONS: tuple[RowReason, ...] = ("missing", "no_number", "too_large", "no_target", "no_id", "empty_text")
_OF_STATE = {MISSING: "missing", NO_NUMBER: "no_number", TOO_LARGE: "too_large"}


def code(reason: str) -> int:
    """The number of a reason among ``Encoded.bad``; 0 is none."""
    return REASONS.index(reason) + 1


_STATES = np.array([0 if state == OK else code(_OF_STATE[state]) for state in range(4)], np.uint8)


@dataclass(frozen=True)
class Encoded:
    """``block`` is rows × width; ``bad`` has for each row the number of a reason, or 0."""

    block: Block
    bad: Block


class Encoder(Protocol):
    """``fills``: a bad row need not go, because a mean can take its place."""

    name: str
    width: int
    fills: bool

    @property
    def features(self) -> list[str]:
        """What each number of a row is; nothing where that says no more than the tensor's name."""
        ...

    def encode(self, cells: Cells, found: Numbers) -> Encoded:
        """A batch of cells, which ``found`` has as numbers."""
        ...


class NumberColumn:
    """One float, NaN where there is no number."""

    width = 1

    def __init__(self, name: str, *, fills: bool) -> None:
        self.name, self.fills = name, fills

    @property
    def features(self) -> list[str]:
        """Its name."""
        return [self.name]

    def encode(self, _cells: Cells, found: Numbers) -> Encoded:
        """As they stand."""
        return Encoded(found.values[:, None].astype(np.float32), _STATES[found.states])


class CategoryColumn:
    """One float for each value in the order of the alphabet, 1 where the cell has it."""

    def __init__(self, name: str, profile: Profile, *, fills: bool) -> None:
        """Raise DataError: too many values."""
        if profile.many or len(profile.labels) > MAX_CATEGORIES:
            raise refuse(
                f"Column {name!r} has more than {MAX_CATEGORIES} different values, which is too many for a category. "
                "Read it as text or ids, or ignore it.",
                column=name,
            )
        self.name, self.fills = name, fills
        self._codes = {text: place for place, text in enumerate(sorted(profile.labels))}
        self.width = len(self._codes)

    @property
    def features(self) -> list[str]:
        """Each of its values."""
        return [f"{self.name}={value}" for value in self._codes]

    def encode(self, cells: Cells, _found: Numbers) -> Encoded:
        """A missing value is NaN throughout, so that the mean of each value can take its place."""
        codes = _looked_up(cells, self._codes)
        block = np.zeros((len(codes), self.width), np.float32)
        present = codes >= 0
        block[np.flatnonzero(present), codes[present]] = 1
        block[~present] = np.nan
        return Encoded(block, np.where(present, 0, code("missing")).astype(np.uint8))


class ClassColumn:
    """The number of a class; classes are in the order of their numbers, or else of the alphabet."""

    width = 1
    fills = False

    def __init__(self, name: str, profile: Profile) -> None:
        """Raise DataError: too many classes, or none."""
        if profile.many:
            raise refuse(
                f"Column {name!r} has more than {MAX_CLASSES:,} classes, or labels of more than 200 characters. "
                "Make another column the target, or read it as a number.",
                column=name,
            )
        self.name = name
        self.classes = sorted(profile.labels, key=lambda text: (number(text) or 0.0, text))
        self._codes = {text: place for place, text in enumerate(self.classes)}

    @property
    def features(self) -> list[str]:
        """Its name."""
        return [self.name]

    def encode(self, cells: Cells, _found: Numbers) -> Encoded:
        """A row without a label is bad."""
        codes = _looked_up(cells, self._codes)
        return Encoded(np.maximum(codes, 0)[:, None], np.where(codes < 0, code("no_target"), 0).astype(np.uint8))


class QuantityColumn(NumberColumn):
    """A number to predict."""

    def __init__(self, name: str) -> None:
        super().__init__(name, fills=False)

    def encode(self, cells: Cells, found: Numbers) -> Encoded:
        """A row without a number is bad."""
        plain = super().encode(cells, found)
        return Encoded(plain.block, np.where(plain.bad == code("missing"), code("no_target"), plain.bad))


class IdColumn:
    """A whole number from 0 as it stands."""

    width = 1
    fills = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.largest = 0

    @property
    def features(self) -> list[str]:
        """Its name."""
        return [self.name]

    def encode(self, _cells: Cells, found: Numbers) -> Encoded:
        """Any other number is bad."""
        values = np.where(found.states == OK, found.values, -1)
        good = (values >= 0) & (values <= MAX_ID) & (values == np.floor(values))
        ids = np.where(good, values, 0).astype(np.int64)
        self.largest = max(self.largest, int(ids.max(initial=0)))
        reasons = np.where(found.states == MISSING, code("missing"), code("no_id"))
        return Encoded(ids[:, None], np.where(good, 0, reasons).astype(np.uint8))


class TextColumn:
    """Numbers of tokens, cut or filled up to one length."""

    fills = False

    def __init__(self, name: str, lexicon: Lexicon) -> None:
        self.name = name
        self.width = lexicon.reading.length
        self._lexicon = lexicon

    @property
    def features(self) -> list[str]:
        """None: tokens have no names by their place."""
        return []

    def encode(self, cells: Cells, _found: Numbers) -> Encoded:
        """A row without a token is bad."""
        block = np.full((len(cells), self.width), PADDING, np.int32)
        bad = np.zeros(len(cells), np.uint8)
        for place, cell in enumerate(texts(cells)):
            ids = self._lexicon.encode(cell)[: self.width]
            block[place, : len(ids)] = ids
            bad[place] = 0 if ids else code("empty_text")
        return Encoded(block, bad)


def _looked_up(cells: Cells, codes: dict[str, int]) -> Block:
    """The number of each cell's text, -1 for none."""
    return np.array([codes.get(text.strip(), -1) for text in texts(cells)], np.int64)
