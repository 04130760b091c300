"""Metrics are stored once, and told again byte for byte."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter

from layerloom.schema.events import Event, Metrics
from layerloom.storage import Store, open_store
from layerloom.storage.tables import events
from stores import add_run, as_before, claimed, loss, numbered, running

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def measured(first: int, count: int, **series: list[float | None]) -> Metrics:
    steps = list(range(first, first + count))
    broken = {
        name: [step for step, it in zip(steps, column, strict=True) if it is None] for name, column in series.items()
    }
    return Metrics(
        steps=steps,
        epochs=[step / 28 for step in steps],
        times=[round(step * 0.0013, 6) for step in steps],
        series=series,
        nonfinite={name: bad for name, bad in broken.items() if bad},
    )


def odd() -> list[Metrics]:
    """Events that the series do not hold as they came, or not at all."""
    plain = {"steps": [50, 51], "epochs": [0.5, 0.6], "times": [1.0, 2.0]}
    return [
        Metrics(**plain | {"times": [0.1234567891, 0.2]}, series={"a": [1.0, 2.0]}),
        Metrics(**plain | {"steps": [53, 52]}, series={"a": [1.0, 2.0]}),
        Metrics(**plain | {"steps": [54, 54]}, series={"a": [1.0, 2.0]}),
        Metrics(**plain | {"steps": [55, 56]}, series={"a": [1.0, None], "b": [1.0, 2.0]}),
        Metrics(**plain | {"steps": [57, 58]}, series={"a": [None, 2.0]}, nonfinite={"a": [57], "zz": [1]}),
        Metrics(**plain | {"steps": [10**30, 10**31]}, series={"a": [1.0, 2.0]}),
        Metrics(**plain | {"steps": [60, 61], "epochs": [1.0]}, series={"a": [1.0]}),
        Metrics(**plain | {"steps": [62, 63]}, series={"n" * 300: [1.0, 2.0], "n" * 299: [3.0, 4.0]}),
        Metrics(steps=[], epochs=[], times=[], series={}),
        Metrics(steps=[70], epochs=[0.0], times=[1e300], series={"a": [1.0]}),
        Metrics(steps=[71], epochs=[-0.0], times=[-0.0], series={"a": [-0.0]}),
        Metrics(steps=[-4], epochs=[0.0], times=[0.0], series={"a": [4.0]}),
    ]


def placed(store: Store, run: str) -> list[int]:
    """Which events are stored by the place of their values."""
    query = sa.select(events.c.seq).where(events.c.run == run, events.c.last_step.is_not(None))
    with store._database.read() as connection:
        return list(connection.execute(query.order_by(events.c.seq)).scalars())


def say(store: Store, run: str, *new: Event) -> list[bytes]:
    """What viewers were told at the time."""
    told: list[bytes] = []
    deafen = store.log.listen(lambda _run, _first, bodies: told.extend(bodies))
    store.log.say(run, *new)
    deafen()
    return told


def test_metrics_are_told_again_as_they_came(store: Store) -> None:
    run = add_run(store)
    told = store.log.events(run)
    told += say(
        store, run, running(), measured(1, 3, a=[0.1, None, 1e300], b=[1.5, 2.5, -0.0]), measured(3, 1, c=[7.0])
    )
    for first in range(4, 40, 6):
        told += say(store, run, measured(first, 6, a=[first / 7] * 6, b=[0.003] * 6))
    assert placed(store, run) == list(range(3, 11))
    assert store.log.events(run) == told
    for event in odd():
        told += say(store, run, event)
    told += say(store, run, *odd())
    assert store.log.events(run) == told
    assert [store.log.events(run, seq, 1) for seq in range(len(told))] == [[one] for one in told]
    assert [orjson.loads(body)["seq"] for body in told] == list(range(1, len(told) + 1))


def test_what_a_later_attempt_repeats_is_told_as_it_was(store: Store) -> None:
    run = add_run(store)
    told = store.log.events(run)
    for first in range(1, 601, 6):
        told += say(store, run, measured(first, 6, a=[first / 7] * 6), measured(first + 5, 1, b=[first]))
    for first in (300, 299, 297, 1_000, 150):
        told += say(store, run, measured(first, 4, a=[0.25] * 4))
        assert store.log.events(run) == told
    told += say(
        store, run, measured(500, 2, a=[1.0, 2.0]), measured(100, 2, a=[3.0, 4.0]), measured(90, 2, b=[3.0, 4.0])
    )
    assert store.log.events(run) == told
    assert placed(store, run)[:16] == list(range(2, 18))


def test_events_of_an_older_version_are_stored_once(store: Store, database_url: str, tmp_path: Any) -> None:
    run, other = add_run(store), add_run(store)
    for first in range(1, 301, 6):
        store.log.say(run, measured(first, 6, a=[first / 7] * 6, b=[None, *[1.5] * 5]), loss(first))
    store.log.say(run, measured(280, 6, a=[0.5] * 6), *odd())
    store.log.say(other, loss(1))
    told, known = store.log.events(run), placed(store, run)
    with store._database.write() as connection:
        for of, bodies in ((run, told), (other, store.log.events(other))):
            for seq, body in enumerate(bodies, 1):
                was = events.update().where(events.c.run == of, events.c.seq == seq).values(body=body)
                connection.execute(was)
        as_before(connection, "0002")
    store.close()
    again = open_store(database_url, tmp_path / "runs")
    try:
        assert again.log.events(run) == told
        assert set(known) <= set(placed(again, run))
        assert say(again, run, measured(3, 1, a=[9.0]))
        assert again.log.events(run)[:-1] == told
    finally:
        again.close()


@pytest.mark.parametrize("again", [False, True])
def test_a_delivery_is_stored_once(store: Store, again: bool) -> None:
    claim = claimed(store)
    events_ = [running(), measured(1, 4, a=[1.0, 2.0, 3.0, 4.0]), measured(5, 1, a=[5.0])]
    told = store.log.append(claim.run, 1, numbered(*events_)).events
    if again:
        assert store.log.append(claim.run, 1, numbered(*events_)).events == []
    assert store.log.events(claim.run, 2) == told
    assert [_EVENT.validate_json(body).kind for body in told] == ["state", "metrics", "metrics"]
