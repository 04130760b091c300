"""Metrics events whose values only the series hold: what is stored of one is where they lie, and it is told as it came.

An event is stored so only if its text comes out of the series byte for byte; any other is kept as a text. The series
hold those values for as long as no later attempt repeats their steps: before that, the events are spelled out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import sqlalchemy as sa
from pydantic import TypeAdapter

from layerloom.schema.events import Event, Metrics
from layerloom.storage.series.cells import Points
from layerloom.storage.tables import chunks, events, series

_EVENT: Final[TypeAdapter[Event]] = TypeAdapter(Event)
_PAGE: Final = 500
_AT_ONCE: Final = 64
"""Series of one query."""
SPOKEN: Final = (events.c.run, events.c.seq, events.c.at, events.c.body, events.c.first_step, events.c.last_step)
"""What telling an event takes."""
_PLACED: Final = events.update().where(events.c.run == sa.bindparam("of"), events.c.seq == sa.bindparam("number"))
_PLACED_AS: Final = _PLACED.values({name: sa.bindparam(name) for name in ("body", "first_step", "last_step")})


class Kept(NamedTuple):
    """What is stored of an event."""

    body: bytes
    """Its text, or where its values lie: a JSON list of the series' ids, in the event's order."""
    first_step: int | None
    """Of its values, where they lie in the series, as is ``last_step``."""
    last_step: int | None


def kept(event: Metrics, text: bytes, ids: Mapping[str, int], held: Mapping[str, Points]) -> Kept | None:
    """How to store an event of that text; None when its values do not lie in ``held``, or not as they came."""
    if not event.series or not event.steps or any(name not in ids for name in event.series):
        return None
    first, last = event.steps[0], event.steps[-1]
    if not 0 <= first <= last < 2**63:
        return None
    tables = {name: _within(held[name], first, last) for name in event.series}
    if text != _text(event.run, event.seq, event.at, tables):
        return None
    return Kept(orjson.dumps([ids[name] for name in event.series]), first, last)


def texts(connection: sa.Connection, rows: Sequence[Any]) -> list[bytes]:
    """JSON of stored events, given as ``SPOKEN``."""
    spans: dict[int, tuple[int, int]] = {}
    ids_of: dict[int, list[int]] = {}
    for index, row in enumerate(rows):
        if row.last_step is None:
            continue
        ids_of[index] = orjson.loads(row.body)
        for of in ids_of[index]:
            low, high = spans.get(of, (row.first_step, row.last_step))
            spans[of] = (min(low, row.first_step), max(high, row.last_step))
    names, held = _read(connection, spans) if spans else ({}, {})
    said = []
    for index, row in enumerate(rows):
        if index in ids_of:
            tables = {names[of]: _within(held[of], row.first_step, row.last_step) for of in ids_of[index]}
            said.append(_text(row.run, row.seq, row.at, tables))
        else:
            said.append(bytes(row.body))
    return said


def spell_out(connection: sa.Connection, run: str, step: int) -> None:
    """Store a run's events as texts whose values from a step on the series are about to lose."""
    query = sa.select(*SPOKEN).where(events.c.run == run, events.c.last_step >= step).order_by(events.c.seq)
    while rows := connection.execute(query.limit(_PAGE)).all():
        changed = [
            {"of": run, "number": row.seq, "body": text, "first_step": None, "last_step": None}
            for row, text in zip(rows, texts(connection, rows), strict=True)
        ]
        connection.execute(_PLACED_AS, changed)


def compact(connection: sa.Connection) -> None:
    """Store the events of an older version, which are texts, by where their values lie."""
    for run in connection.execute(sa.select(series.c.run).distinct()).scalars().all():
        ids = {row.name: row.id for row in connection.execute(sa.select(series).where(series.c.run == run))}
        after = 0
        query = sa.select(*SPOKEN).where(events.c.run == run, events.c.kind == "metrics").order_by(events.c.seq)
        while rows := connection.execute(query.where(events.c.seq > after).limit(_PAGE)).all():
            after = rows[-1].seq
            changed = _placed(connection, run, ids, [row for row in rows if row.last_step is None])
            if changed:
                connection.execute(_PLACED_AS, changed)


def _placed(connection: sa.Connection, run: str, ids: Mapping[str, int], rows: Sequence[Any]) -> list[dict[str, Any]]:
    said = [(_EVENT.validate_json(row.body), bytes(row.body)) for row in rows]
    steps = [step for event, _ in said if isinstance(event, Metrics) for step in event.steps if 0 <= step < 2**63]
    if not steps:
        return []
    names, held = _read(connection, dict.fromkeys(ids.values(), (min(steps), max(steps))))
    curves = {names[of]: points for of, points in held.items()}
    found = [(event, kept(event, text, ids, curves)) for event, text in said if isinstance(event, Metrics)]
    return [{"of": run, "number": event.seq, **place._asdict()} for event, place in found if place is not None]


def _read(connection: sa.Connection, spans: Mapping[int, tuple[int, int]]) -> tuple[dict[int, str], dict[int, Points]]:
    """Names of series, and their values within spans of steps, with some beside."""
    named = sa.select(series.c.id, series.c.name).where(series.c.id.in_(list(spans)))
    names = {row.id: row.name for row in connection.execute(named)}
    found: dict[int, list[tuple[int, bytes]]] = {}
    wanted = list(spans.items())
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        values = {
            f"{name}{index}": value
            for index, (of, (low, high)) in enumerate(some)
            for name, value in (("of", of), ("low", low), ("high", high))
        }
        for of, first, data in connection.execute(_rows_of(len(some)), values):
            found.setdefault(of, []).append((first, data))
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    nothing = Points(whole, real, whole, whole, real)
    held = {of: Points.join([Points.unpack(data) for _, data in sorted(frames)]) for of, frames in found.items()}
    return names, {of: held.get(of, nothing) for of in spans}


@cache
def _rows_of(count: int) -> sa.CompoundSelect[Any]:
    """Rows of values that reach into spans of steps, of so many series."""
    before = chunks.alias()
    level = sa.text("chunks.level = 0")
    queries = []
    for index in range(count):
        of, low, high = (sa.bindparam(f"{name}{index}", type_=sa.BigInteger) for name in ("of", "low", "high"))
        newest = sa.select(sa.func.max(before.c.step)).where(
            before.c.series == of, before.c.level == sa.literal_column("0"), before.c.step <= low
        )
        start = sa.func.coalesce(newest.scalar_subquery(), low)
        rows = sa.select(chunks.c.series, chunks.c.first, chunks.c.data).where(chunks.c.series == of, level)
        queries.append(rows.where(chunks.c.step >= start, chunks.c.step <= high))
    return sa.union_all(*queries)


def _within(points: Points, first: int, last: int) -> Points:
    return points.part(*np.searchsorted(points.steps, [first, last + 1]).tolist())


def _text(run: str, seq: int, at: float, tables: Mapping[str, Points]) -> bytes:
    """What an event says of which each series holds the same steps."""
    some = next(iter(tables.values()))
    steps = some.steps.tolist()
    columns: dict[str, list[float | None]] = {}
    nonfinite: dict[str, list[int]] = {}
    for name, points in tables.items():
        if len(points) != len(steps):
            return b""
        broken = np.isnan(points.values)
        columns[name] = points.values.tolist()
        if broken.any():
            columns[name] = [
                None if is_broken else value for value, is_broken in zip(columns[name], broken, strict=True)
            ]
            nonfinite[name] = points.steps[broken].tolist()
    event = Metrics.model_construct(
        run=run,
        seq=seq,
        at=at,
        kind="metrics",
        steps=steps,
        epochs=some.epochs.tolist(),
        # A quotient is the float that the text of a microsecond stands for; a product may be its neighbour.
        times=(some.times / 1e6).tolist(),
        series=columns,
        nonfinite=nonfinite,
    )
    return _EVENT.dump_json(event)
