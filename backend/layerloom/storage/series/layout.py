"""Where a series lies: level 0 holds its values, each cell of a higher level stands for sixteen cells of the one below.

A level is cut into rows of a table. How is decided by the number of its cells alone: rows of 4,096 as far as they go,
then of 1,024, of 256 on the levels that grow with every append, and the rest. So an append writes one short row anew,
seldom a longer one, a wide view reads few, and what is stored does not depend on how it came.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

FAN: Final = 16
TIERS: Final = (4096, 1024, 256)
QUICK: Final = 2
"""Levels below this one grow with nearly every append, and have all tiers; the others all but the last."""


class Span(NamedTuple):
    """Cells ``start`` to ``stop`` of a level."""

    level: int
    start: int
    stop: int


def levels(before: int, after: int) -> Iterator[tuple[int, int, int]]:
    """Each level that differs between a series of so many values before and after, with its numbers of cells."""
    level = 0
    while before != after:
        yield level, before, after
        level, before, after = level + 1, before // FAN, after // FAN


def rewritten(level: int, before: int, after: int) -> int:
    """The cell from which on a growing level's rows are written anew."""
    tiers = _tiers(level)
    tier = next((tier for tier in tiers if before // tier != after // tier), tiers[-1])
    return before // tier * tier


def row_of(level: int, cell: int, count: int) -> int:
    """The first cell of the row that holds a cell, in a level of ``count`` cells."""
    tiers = _tiers(level)
    tier = next((tier for tier in tiers if cell < count // tier * tier), tiers[-1])
    return cell // tier * tier


def rows(level: int, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The rows from the one that begins with cell ``start`` to the last of a level of ``stop`` cells."""
    while start < stop:
        end = next((start + tier for tier in _tiers(level) if start % tier == 0 and start + tier <= stop), stop)
        yield start, end
        start = end


def _tiers(level: int) -> tuple[int, ...]:
    return TIERS if level < QUICK else TIERS[:-1]


def cover(start: int, stop: int, buckets: int) -> list[Span]:
    """Cells that make up values ``start`` to ``stop`` exactly, in order, and that tell ``buckets`` parts apart.

    In the middle cells of one level, at both ends of ever lower ones, at most fifteen of each.
    """
    left: list[Span] = []
    right: list[Span] = []
    level, values = 0, stop - start
    while values // FAN ** (level + 1) >= buckets:
        inner, outer = -(-start // FAN), stop // FAN
        left.append(Span(level, start, inner * FAN))
        right.append(Span(level, outer * FAN, stop))
        level, start, stop = level + 1, inner, outer
    return [span for span in (*left, Span(level, start, stop), *reversed(right)) if span.start < span.stop]
