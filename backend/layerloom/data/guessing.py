"""What the columns of a table are, as far as their names and cells tell."""

from __future__ import annotations

import re
from dataclasses import dataclass

from layerloom.data.parse import MAX_CLASSES, TARGET_NAMES
from layerloom.data.profile import Profile
from layerloom.schema.datasets import Column, ColumnKind, ColumnNote, ColumnRole, TextReading

MAX_CATEGORIES = 64
"""A column with more values than this is no feature of that kind; as a target it may have more."""
_ID = re.compile(r"(.*[\s_.-])?(id|index|idx|uuid|key)|unnamed: ?0|", re.IGNORECASE)
_CAMEL = re.compile(r".*[a-z](Id|ID)")
_PROSE = 3
"""Words of a cell, on average, from which on a column is taken for something to read."""


@dataclass(frozen=True)
class Guess:
    """A column, and why it is not what one might expect."""

    column: Column
    note: ColumnNote | None = None


def guess(names: list[str], profiles: list[Profile], nested: frozenset[int], days: frozenset[int]) -> list[Guess]:
    """The target is the column of a name that says so, else the last that can be read; numbers and texts of few values
    are features. What names rows is ignored, and so is prose unless there is nothing else to learn from."""
    usable = [place for place in range(len(names)) if place not in nested]
    named = (place for place in usable if names[place].lower() in TARGET_NAMES)
    target = next(named, usable[-1] if usable else -1)
    guesses = [
        Guess(Column(name=name, kind="text", role="ignored"), "nested")
        if place in nested
        else _target(name, profile)
        if place == target
        else _feature(name, profile, time=place in days)
        for place, (name, profile) in enumerate(zip(names, profiles, strict=True))
    ]
    if not any(item.column.role == "feature" for item in guesses):
        texts = [place for place in usable if place != target and guesses[place].column.kind == "text"]
        if texts:
            best = max(texts, key=lambda place: profiles[place].words)
            guesses[best] = Guess(guesses[best].column.model_copy(update={"role": "feature"}))
    return guesses


def kinds(profile: Profile) -> list[ColumnKind]:
    """What a column can be read as."""
    found: list[ColumnKind] = []
    if profile.numeric:
        found.append("number")
    if not profile.many:
        found.append("category")
    if profile.numeric and profile.whole and profile.figures.minimum >= 0:
        found.append("id")
    return [*found, "text"]


def text_reading(profile: Profile) -> TextReading:
    """A length that takes in most texts of a column."""
    mean = profile.words / max(1, profile.cells - profile.empty)
    return TextReading(length=max(8, min(256, 2 ** round(max(0, mean * 1.5)).bit_length())))


def _target(name: str, profile: Profile) -> Guess:
    few = not profile.many and len(profile.labels) <= min(MAX_CLASSES, max(20, profile.cells // 50))
    quantity = profile.is_number and not (profile.whole and few)
    return Guess(Column(name=name, kind="number" if quantity else "category", role="target"))


def _feature(name: str, profile: Profile, *, time: bool) -> Guess:
    def made(kind: ColumnKind, note: ColumnNote | None = None, role: ColumnRole = "feature") -> Guess:
        return Guess(Column(name=name, kind=kind, role=role), note)

    names_rows = _ID.fullmatch(name.strip()) or _CAMEL.fullmatch(name)
    if profile.is_number:
        if names_rows and profile.whole and profile.figures.minimum >= 0 and profile.figures.maximum > 1:
            return made("id", "names_rows", "ignored")
        return made("number", "days" if time else None if len(profile.labels) > 1 or profile.many else "constant")
    if profile.many or len(profile.labels) > MAX_CATEGORIES:
        prose = profile.words >= _PROSE * (profile.cells - profile.empty)
        return made("text", None if prose else "names_rows" if names_rows else "many_values", "ignored")
    if not profile.labels:
        return made("category", "constant", "ignored")
    return made("category", "constant" if len(profile.labels) == 1 else None)
