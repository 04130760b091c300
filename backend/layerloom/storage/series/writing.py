"""From events to rows: a series grows at its end, and is cut back where a later attempt repeats steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from pydantic import TypeAdapter

from layerloom.schema.events import Event, Metrics
from layerloom.storage.fold import bounded
from layerloom.storage.ids import label
from layerloom.storage.series.cells import Cells, Points
from layerloom.storage.series.columns import Ints
from layerloom.storage.series.layout import FAN, Span, levels, rewritten, row_of, rows
from layerloom.storage.series.replay import Kept, kept, spell_out
from layerloom.storage.tables import chunks, events, series

Frame = tuple[int, bytes]
"""A row's first cell, and its cells."""
MICROSECONDS: Final = 1e6
_JITTER_S: Final = 2.0
"""An event is written as its last step is done, now a little later and now less; only more than that is a pause."""
_LONGEST: Final = 2.0**53
"""Microseconds: 285 years. A float holds every integer up to there."""
_PAGE: Final = 500
_AT_ONCE: Final = 64
"""Spans of one query."""
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_OF_RUN = sa.select(series).where(series.c.run == sa.bindparam("of"))
_CUT = chunks.delete().where(
    chunks.c.series == sa.bindparam("of"), chunks.c.level == sa.bindparam("at"), chunks.c.first >= sa.bindparam("start")
)
_GROW = series.update().where(series.c.id == sa.bindparam("of"))
_GROW = _GROW.values({name: sa.bindparam(name) for name in ("length", "first_step", "last_step", "began")})


def append(
    connection: sa.Connection, run: str, stamped: Sequence[Event], said: Sequence[bytes] = ()
) -> dict[int, Kept]:
    """Add the values of a run's new events, in the transaction that stores them.

    Of those whose texts are given, returns by ``seq`` which need not be stored as such, and how instead.

    The caller holds the run's row, so that nobody else writes to its series. For a step that was done twice the later
    values count, and what came after it is forgotten, as a later attempt starts again from a checkpoint.
    """
    measured = [event for event in stamped if isinstance(event, Metrics)]
    if not measured:
        return {}
    stored = {row["name"]: dict(row) for row in connection.execute(_OF_RUN, {"of": run}).mappings()}
    grown: list[tuple[int, int, Points]] = []
    changed: list[dict[str, Any]] = []
    new, ids = _gather(measured, stored), {}
    repeated = [int(points.steps[0]) for name, points in new.items() if _repeats(points, stored.get(name))]
    if repeated:
        spell_out(connection, run, min(repeated))
    for name, points in new.items():
        row = stored.get(name) or _begin(connection, run, name)
        ids[name] = row["id"]
        length, first = row["length"], int(points.steps[0])
        if _repeats(points, row):
            length = _rewind(connection, row["id"], length, first)
        grown.append((row["id"], length, points))
        changed.append(
            {
                "of": row["id"],
                "length": length + len(points),
                "first_step": row["first_step"] if length else first,
                "last_step": int(points.steps[-1]),
                "began": points.began[-1] / MICROSECONDS,
            }
        )
    if grown:
        _extend(connection, grown)
        connection.execute(_GROW, changed)
    places = {
        event.seq: kept(event, text, ids, new)
        for event, text in zip(stamped, said, strict=False)
        if isinstance(event, Metrics)
    }
    return {seq: place for seq, place in places.items() if place is not None}


def _repeats(points: Points, row: dict[str, Any] | None) -> bool:
    """Whether values are of steps that a series has already."""
    return row is not None and row["length"] > 0 and int(points.steps[0]) <= row["last_step"]


def fill(connection: sa.Connection) -> None:
    """Make the series of runs whose events were stored before there were any."""
    metrics = sa.select(events.c.run).where(events.c.kind == "metrics")
    for run in connection.execute(metrics.distinct()).scalars().all():
        after = 0
        while True:
            query = sa.select(events.c.seq, events.c.body).where(events.c.run == run, events.c.kind == "metrics")
            page = connection.execute(query.where(events.c.seq > after).order_by(events.c.seq).limit(_PAGE)).all()
            if not page:
                break
            after = page[-1].seq
            append(connection, run, [_EVENT.validate_json(row.body) for row in page])


def place(connection: sa.Connection, of: int, step: int) -> int:
    """How many values of a series lie before a step."""
    query = sa.select(chunks.c.first, chunks.c.data).where(chunks.c.series == of, chunks.c.level == sa.text("0"))
    query = query.where(chunks.c.step <= step).order_by(chunks.c.step.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        return 0
    return int(row.first + np.searchsorted(Points.unpack(row.data).steps, step))


def read(connection: sa.Connection, places: Sequence[tuple[int, Span]]) -> dict[tuple[int, int], list[Frame]]:
    """By series and level: the rows that begin within spans, in order."""
    found: dict[tuple[int, int], dict[int, bytes]] = {}
    for at in range(0, len(places), _AT_ONCE):
        some = places[at : at + _AT_ONCE]
        values = {f"{name}{index}": value for index, (of, span) in enumerate(some) for name, value in _ends(of, span)}
        for of, level, first, data in connection.execute(_within(len(some)), values):
            found.setdefault((of, level), {})[first] = data
    return {key: sorted(frames.items()) for key, frames in found.items()}


@cache
def _within(count: int) -> sa.CompoundSelect[Any]:
    """The rows within so many spans: made once, because making it takes longer than the database needs.

    One query for each, as PostgreSQL looks at every row of a series to find those of one span or another.
    """
    rows_of = sa.select(chunks.c.series, chunks.c.level, chunks.c.first, chunks.c.data)
    spans = [
        rows_of.where(
            chunks.c.series == sa.bindparam(f"of{index}"),
            chunks.c.level == sa.bindparam(f"level{index}"),
            chunks.c.first >= sa.bindparam(f"start{index}"),
            chunks.c.first < sa.bindparam(f"stop{index}"),
        )
        for index in range(count)
    ]
    return sa.union_all(*spans)


def _ends(of: int, span: Span) -> tuple[tuple[str, int], ...]:
    return (("of", of), *span._asdict().items())


def _gather(measured: Sequence[Metrics], stored: dict[str, dict[str, Any]]) -> dict[str, Points]:
    """By series: what events say of it, with every step once."""
    parts: dict[str, list[Points]] = {}
    for event in measured:
        steps = np.array([bounded(step) for step in event.steps], np.int64)
        epochs = _as_long(event.epochs, len(steps))
        times = _microseconds(_as_long(event.times, len(steps)))
        began = event.at - (event.times[-1] if event.times else 0.0)
        for name, column in event.series.items():
            values = _as_long(column, len(steps), missing=np.nan)
            kept = ~np.isnan(values)
            if not kept.all():
                # A null that is not listed as non-finite stands for "not measured at this step".
                kept |= np.isin(steps, [bounded(step) for step in event.nonfinite.get(name, ())])
            if not kept.any():
                continue
            key = label(name)
            before = parts.setdefault(key, [])
            known = before[-1].began[-1] / MICROSECONDS if before else stored.get(key, {}).get("began", 0.0)
            since = known if abs(began - known) <= _JITTER_S else began
            origin = np.full(len(steps), since)
            table = Points(steps, epochs, times, _microseconds(origin), values)
            before.append(Points(*(part[kept] for part in table.columns())))
    return {name: _risen(Points.join(part)) for name, part in parts.items()}


def _risen(points: Points) -> Points:
    """Without the values that later ones take back."""
    least = np.minimum.accumulate(points.steps[::-1])[::-1]
    kept = np.append(points.steps[:-1] < least[1:], True)
    return points if kept.all() else Points(*(column[kept] for column in points.columns()))


def _as_long(numbers: Sequence[float | None], length: int, missing: float = 0.0) -> Any:
    """As float64, cut or filled up to a length, whatever a trainer sends."""
    column = np.full(length, missing)
    held = np.array(numbers[:length], np.float64)
    column[: len(held)] = held
    return column


def _microseconds(seconds: Any) -> Ints:
    with np.errstate(over="ignore"):
        whole: Ints = np.clip(np.rint(seconds * MICROSECONDS), -_LONGEST, _LONGEST).astype(np.int64)
    return whole


def _begin(connection: sa.Connection, run: str, name: str) -> dict[str, Any]:
    row = {"run": run, "name": name, "length": 0, "first_step": 0, "last_step": 0, "began": 0.0}
    made = connection.execute(series.insert().values(row).returning(series.c.id))
    return {"id": made.scalar_one(), **row}


def _extend(connection: sa.Connection, grown: Sequence[tuple[int, int, Points]]) -> None:
    """Add values behind the last of series with so many, and the cells that they complete."""
    levels_of = {of: list(levels(length, length + len(points))) for of, length, points in grown}
    tails = [
        (of, Span(level, rewritten(level, old, new), old))
        for of, changes in levels_of.items()
        for level, old, new in changes
    ]
    tails = [(of, span) for of, span in tails if span.start < span.stop]
    held = read(connection, tails)
    written: list[dict[str, Any]] = []
    for of, _, points in grown:
        new: Points | Cells = points
        for level, old, stop in levels_of[of]:
            start = rewritten(level, old, stop)
            whole = _join(level, held.get((of, level), []), new)
            written += _rows(of, level, start, stop, whole)
            # The cells of the next level that are complete now; of their cells here, some were there before.
            first, last = (count // FAN * FAN - start for count in (old, stop))
            if first < last:
                below = whole.part(first, last)
                new = _cells(below).fold(np.arange(0, len(below), FAN), np.full(len(below), FAN**level))
    _replace(connection, tails, written)


def _rewind(connection: sa.Connection, of: int, length: int, step: int) -> int:
    """Forget the values from a step on; returns how many are left."""
    left = place(connection, of, step)
    cuts = [(of, Span(level, row_of(level, new, old), new)) for level, old, new in levels(length, left)]
    kept = [(of, span) for of, span in cuts if span.start < span.stop]
    held = read(connection, kept)
    written: list[dict[str, Any]] = []
    for _, (level, start, stop) in kept:
        written += _rows(of, level, start, stop, _join(level, held[of, level]))
    _replace(connection, cuts, written)
    return left


def _replace(connection: sa.Connection, cuts: Sequence[tuple[int, Span]], written: Sequence[dict[str, Any]]) -> None:
    """Take away the rows from the starts of spans on, and put others there."""
    if cuts:
        connection.execute(_CUT, [{"of": of, "at": level, "start": start} for of, (level, start, _) in cuts])
    if written:
        connection.execute(chunks.insert(), written)


def _rows(of: int, level: int, start: int, stop: int, whole: Points | Cells) -> Iterator[dict[str, Any]]:
    for first, end in rows(level, start, stop):
        part = whole.part(first - start, end - start)
        yield {"series": of, "level": level, "first": first, "step": int(part.steps[0]), "data": part.pack()}


def _join(level: int, frames: Sequence[Frame], *more: Any) -> Points | Cells:
    kind: Any = Points if level == 0 else Cells
    joined: Points | Cells = kind.join([*(kind.unpack(data) for _, data in frames), *more])
    return joined


def _cells(part: Points | Cells) -> Cells:
    return part if isinstance(part, Cells) else part.cells()
