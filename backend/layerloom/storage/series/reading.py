"""From rows to what a chart draws: at most so many buckets of each series, exact in every range."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from layerloom.storage.database import Database
from layerloom.storage.errors import Missing
from layerloom.storage.fold import LARGEST, bounded
from layerloom.storage.ids import known_form
from layerloom.storage.series.cells import Cells, Points
from layerloom.storage.series.columns import Floats, Ints
from layerloom.storage.series.layout import FAN, Span, cover, row_of
from layerloom.storage.series.whole import Frames, whole
from layerloom.storage.series.writing import MICROSECONDS, place, read
from layerloom.storage.tables import runs, series

MOST_BUCKETS = 10_000
Buckets = tuple[Cells, Ints]
"""Cells, and the numbers of their values."""
Fetch = Callable[[Sequence[Span]], Frames]
"""The rows, in order, that begin within spans of a series, by level; others may be among them."""
_SERIES = sa.select(runs.c.last_seq, series).outerjoin(series, series.c.run == runs.c.id)
_SERIES = _SERIES.where(runs.c.id == sa.bindparam("run")).order_by(series.c.id)


@dataclass(frozen=True, slots=True)
class Slice:
    """Part of a series, as buckets without a gap between them; columns run parallel.

    Where there are no more values than buckets, each has one: ``lows``, ``highs`` and ``means`` are the values, those
    that are not finite included. Elsewhere they are of the finite values, and NaN where there is none; but the last of
    several buckets always has the last value alone.
    """

    name: str
    total: int
    """Values in the whole series."""
    counts: Ints
    """Values in each bucket."""
    steps: Ints
    """Steps of the buckets' first values."""
    lasts: Ints
    """Steps of their last values."""
    epochs: Floats
    """Epochs done at the first value, with their fraction."""
    times: Floats
    """Seconds of training at the first value, to the microsecond."""
    clock: Floats
    """Time of day at the first value: seconds since 1970."""
    lows: Floats
    highs: Floats
    means: Floats
    """To single precision where the values need no more."""
    broken: Ints
    """How many of the values are not finite."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Series of a run as its events up to ``last_seq`` have made them: behind that the stream goes on."""

    items: list[Slice]
    last_seq: int


class Series:
    """Every value that a run's events hold, by series; where steps were repeated, the later ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(
        self,
        run: str,
        names: Collection[str] | None = None,
        first: int = 0,
        last: int = LARGEST,
        buckets: int = 1_000,
    ) -> Curves:
        """The values at steps ``first`` to ``last`` in at most ``buckets`` parts, of the named series or of all.

        Series that the run does not have are left out. ``Missing`` for an unknown run.
        """
        buckets = max(1, min(buckets, MOST_BUCKETS))
        if first <= 0 and last >= LARGEST:
            last_seq, found = whole(self._database, known_form(run, "run"), names, buckets)
            return _all(last_seq, found, buckets)
        with self._database.read() as connection:
            rows = connection.execute(_SERIES, {"run": known_form(run, "run")}).all()
            if not rows:
                raise Missing("there is no such run")
            wanted = [row for row in rows if row.id is not None and (names is None or row.name in names)]
            slices = [_named(row, _within(connection, row, bounded(first), bounded(last), buckets)) for row in wanted]
            return Curves(slices, rows[0].last_seq)

    def exact(self, run: str) -> Curves:
        """Every value of every series. ``Missing`` for an unknown run."""
        last_seq, found = whole(self._database, known_form(run, "run"), None, LARGEST)
        return _all(last_seq, found, LARGEST)


def _all(last_seq: int, found: Sequence[tuple[sa.Row[Any], Frames]], buckets: int) -> Curves:
    return Curves(
        [_named(row, _slice(row, _chosen(frames), 0, row.length, buckets)) for row, frames in found], last_seq
    )


def _within(connection: sa.Connection, row: sa.Row[Any], first: int, last: int, buckets: int) -> Buckets:
    start = 0 if first <= row.first_step else place(connection, row.id, first)
    stop = row.length if last >= row.last_step else place(connection, row.id, last + 1)

    def fetch(places: Sequence[Span]) -> Frames:
        found = read(connection, [(row.id, span) for span in places])
        return {level: frames for (_, level), frames in found.items()}

    return _slice(row, fetch, start, stop, buckets)


def _chosen(frames: Frames) -> Fetch:
    """What was fetched with the row is what is wanted, and more."""
    return lambda _places: frames


def _slice(row: sa.Row[Any], fetch: Fetch, start: int, stop: int, buckets: int) -> Buckets:
    if start >= stop:
        return _NOTHING, np.zeros(0, np.int64)
    if stop - start <= buckets:
        points = _points(fetch, row.length, start, stop)
        raw = replace(points.cells(), lows=points.values, highs=points.values, means=points.values)
        return raw, np.ones(len(raw), np.int64)
    # The newest value is a bucket by itself: a reader wants to know it exactly.
    alone = buckets > 1
    spans = cover(start, stop - alone, buckets - alone)
    cells, sizes = _covering(fetch, row.length, [*spans, *[Span(0, stop - 1, stop)] * alone])
    begins = np.cumsum(sizes) - sizes
    bucket = np.minimum((begins * ((buckets - alone) / (stop - alone - start))).astype(np.int64), buckets - 1 - alone)
    if alone:
        bucket[-1] = buckets - 1
    edges = np.flatnonzero(np.diff(bucket, prepend=-1))
    return cells.fold(edges, sizes), np.add.reduceat(sizes, edges)


def _points(fetch: Fetch, count: int, start: int, stop: int) -> Points:
    first = row_of(0, start, count)
    frames = fetch([Span(0, first, stop)])[0]
    return Points.join([Points.unpack(data) for _, data in frames]).part(start - first, stop - first)


def _covering(fetch: Fetch, count: int, spans: Sequence[Span]) -> Buckets:
    """The cells of spans, in order, and the numbers of their values."""
    begins = [row_of(span.level, span.start, count // FAN**span.level) for span in spans]
    found = fetch([Span(span.level, first, span.stop) for span, first in zip(spans, begins, strict=True)])
    parts, sizes = [], []
    for (level, start, stop), begin in zip(spans, begins, strict=True):
        for first, data in found[level]:
            if begin <= first < stop:
                every = Cells.unpack(data) if level else Points.unpack(data).cells()
                parts.append(every.part(start - first, stop - first))
        sizes.append(np.full(stop - start, FAN**level))
    return Cells.join(parts), np.concatenate(sizes)


def _named(row: sa.Row[Any], buckets: Buckets) -> Slice:
    cells, counts = buckets
    return Slice(
        name=row.name,
        total=row.length,
        counts=counts,
        steps=cells.steps,
        lasts=cells.lasts,
        epochs=cells.epochs,
        times=_seconds(cells.times),
        clock=_seconds(cells.times + cells.began),
        lows=cells.lows,
        highs=cells.highs,
        means=cells.means,
        broken=cells.broken,
    )


def _seconds(microseconds: Ints) -> Floats:
    # A quotient is the float nearest to what it stands for, as a trainer's own number was; a product may be another.
    return np.asarray(microseconds / MICROSECONDS, np.float64)


def _empty() -> Cells:
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    return Cells(whole, real, whole, whole, whole, real, real, real, whole)


_NOTHING = _empty()
