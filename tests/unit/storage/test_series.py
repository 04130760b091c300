"""Curves as columns: exact at any zoom, however they came, and one with the log."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerloom.schema.events import CheckpointSaved, Metrics
from layerloom.storage import EventRefused, Missing, Slice, Store, open_store
from layerloom.storage.tables import chunks, events, series
from stores import add_run, as_before, claimed, loss, numbered, running

LOSS = "train/loss"


def measured(steps: Sequence[int], values: Sequence[float], name: str = LOSS) -> Metrics:
    """An event as a trainer writes it: what is not finite is null and listed."""
    broken = [step for step, value in zip(steps, values, strict=True) if not np.isfinite(value)]
    return Metrics(
        steps=list(steps),
        epochs=[step / 32 for step in steps],
        times=[step / 1000 for step in steps],
        series={name: [float(value) if np.isfinite(value) else None for value in values]},
        nonfinite={name: broken} if broken else {},
    )


def taken(events: Sequence[Metrics], name: str = LOSS) -> tuple[list[int], list[float]]:
    """What the run's page shows of these events: each value taken in turn, a repeated step from there on anew."""
    steps: list[int] = []
    values: list[float] = []
    for event in events:
        for step, value in zip(event.steps, event.series.get(name, []), strict=False):
            if value is None and step not in event.nonfinite.get(name, []):
                continue
            cut = bisect.bisect_left(steps, step)
            steps[cut:], values[cut:] = [step], [np.nan if value is None else value]
    return steps, values


def check(part: Slice, steps: Sequence[int], values: Sequence[float], first: int, last: int, buckets: int) -> None:
    """A slice says of the values within a range exactly what numpy says."""
    low, high = bisect.bisect_left(steps, first), bisect.bisect_right(steps, last)
    within, shown = np.array(steps[low:high], np.int64), np.array(values[low:high])
    assert part.total == len(steps)
    assert part.counts.sum() == len(within)
    assert len(part.counts) <= buckets
    if len(within) == 0:
        return
    edges = np.cumsum(part.counts) - part.counts
    assert (part.steps == within[edges]).all()
    assert (part.lasts == within[edges + part.counts - 1]).all()
    assert part.epochs == pytest.approx(part.steps / 32, abs=0)
    assert part.times == pytest.approx(part.steps / 1000, abs=1e-6)
    if len(within) <= buckets:
        assert (part.counts == 1).all()
        for column in (part.lows, part.highs, part.means):
            assert np.array_equal(column, shown, equal_nan=True)
        return
    assert len(part.counts) >= buckets // 2
    for index, group in enumerate(np.split(shown, edges[1:])):
        finite = group[np.isfinite(group)]
        assert part.broken[index] == len(group) - len(finite)
        if len(finite):
            assert (part.lows[index], part.highs[index]) == (finite.min(), finite.max())
            mean, size = np.mean(finite / len(finite)) * len(finite), np.abs(finite).max()
            assert part.means[index] == pytest.approx(mean, rel=1e-6, abs=1e-6 * size)
        else:
            assert np.isnan([part.lows[index], part.highs[index], part.means[index]]).all()


def curves(store: Store, run: str, *asked: Any, **more: Any) -> list[Slice]:
    found = store.series.read(run, *asked, **more)
    assert found.last_seq == store.log.last_seq(run)
    return found.items


def rows(store: Store, run: str) -> list[tuple[Any, ...]]:
    query = sa.select(chunks.c.level, chunks.c.first, chunks.c.step).join(series).where(series.c.run == run)
    with store._database.read() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(chunks.c.level, chunks.c.first))]


@st.composite
def histories(draw: st.DrawFn) -> list[Metrics]:
    """Deliveries of a run: few and many values, gaps, values that are not finite, attempts that repeat steps."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["single", "double", "wide", "constant"]))
    step, events = 1, []
    for size in draw(st.lists(st.sampled_from([1, 2, 15, 16, 17, 100, 255, 257, 1000, 4000, 4097]), max_size=12)):
        if draw(st.integers(0, 4)) == 0:
            step = max(0, step - draw(st.integers(0, 6_000)))
        distances = chance.integers(1, 5, size) if draw(st.booleans()) else np.ones(size, np.int64)
        steps = step + np.cumsum(distances) - distances[0]
        values = chance.normal(0, 1, size)
        if kind == "single":
            values = values.astype(np.float32).astype(np.float64)
        elif kind == "wide":
            values *= 10.0 ** chance.integers(-300, 308, size)
        elif kind == "constant":
            values[:] = 0.1
        values[chance.random(size) < draw(st.sampled_from([0, 0.01, 0.9]))] = np.nan
        events.append(measured(steps.tolist(), values.tolist()))
        step = int(steps[-1]) + draw(st.sampled_from([1, 1, 1, 50]))
    return events


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories(), data=st.data())
def test_every_range_is_exact_at_every_zoom(store: Store, events: list[Metrics], data: st.DataObject) -> None:
    run = add_run(store)
    for event in events:
        store.log.say(run, event)
    steps, values = taken(events)
    if not steps:
        assert curves(store, run) == []
        return
    for _ in range(6):
        first, last = (data.draw(st.integers(0, steps[-1] + 2)) for _ in range(2))
        buckets = data.draw(st.sampled_from([1, 2, 7, 100, 1000]))
        [part] = curves(store, run, [LOSS], first, last, buckets)
        check(part, steps, values, first, last, buckets)
    [whole] = curves(store, run, buckets=50)
    check(whole, steps, values, 0, steps[-1], 50)


def test_a_long_series_is_exact_where_levels_end(store: Store) -> None:
    run, count = add_run(store), 70_000
    values = np.random.default_rng(0).normal(size=count)
    values[[0, 4095, 4096, 65_535, 65_536, count - 1]] = [9, np.nan, -9, 8, np.nan, -8]
    steps = range(1, count + 1)
    store.log.say(run, measured(steps, values.tolist()))
    for first in (0, 1, 2, 16, 17, 255, 4095, 4097, 65_536):
        for last in (65_535, 65_536, 65_537, count - 1, count, count + 1):
            for buckets in (1, 3, 1000):
                [part] = curves(store, run, [LOSS], first, last, buckets)
                check(part, steps, values.tolist(), first, last, buckets)


def test_what_is_stored_does_not_depend_on_how_it_came(store: Store) -> None:
    chance = np.random.default_rng(0)
    values, steps = chance.normal(size=9_000).tolist(), range(1, 9_001)
    once, often, repeated = add_run(store), add_run(store), add_run(store)
    store.log.say(once, measured(steps, values))
    at = 0
    while at < len(values):
        size = int(chance.choice([1, 3, 40, 700]))
        store.log.say(often, measured(steps[at : at + size], values[at : at + size]))
        at += size
    store.log.say(repeated, measured(range(1, 20_001), [0.5] * 20_000))
    store.log.say(repeated, measured(steps[4_500:], values[4_500:]))
    store.log.say(repeated, measured(steps[:5_000], values[:5_000]), measured(steps[5_000:], values[5_000:]))
    for run in (often, repeated):
        assert rows(store, run) == rows(store, once)
        for first, last, buckets in ((0, 9_000, 100), (1_000, 1_040, 100), (17, 8_999, 3)):
            [one], [other] = (curves(store, each, [LOSS], first, last, buckets) for each in (once, run))
            for name in ("counts", "steps", "lasts", "epochs", "times", "lows", "highs", "means", "broken"):
                assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_few_values_are_themselves(store: Store) -> None:
    run = add_run(store)
    store.log.say(run, measured([3, 5, 9], [0.1, np.nan, -2e300]), measured([1, 4], [7.0, 8.0], "validation/loss"))
    [train, validation] = curves(store, run)
    assert (train.name, train.steps.tolist(), train.broken.tolist()) == (LOSS, [3, 5, 9], [0, 1, 0])
    assert np.array_equal(train.means, [0.1, np.nan, -2e300], equal_nan=True)
    assert (validation.name, validation.means.tolist()) == ("validation/loss", [7.0, 8.0])
    assert [part.name for part in curves(store, run, ["nothing", "validation/loss"])] == ["validation/loss"]
    assert [len(part.steps) for part in curves(store, run, first=6)] == [1, 0]
    assert [len(part.steps) for part in curves(store, run, first=9, last=2)] == [0, 0]


def test_the_time_of_day_goes_on_through_jitter_and_jumps_at_a_pause(store: Store, monkeypatch: Any) -> None:
    run = add_run(store)
    for now, step in ((5_000.0, 1_000), (5_001.5, 2_000), (9_000.0, 3_000)):
        monkeypatch.setattr("layerloom.storage.journal.time.time", lambda now=now: now)
        store.log.say(run, measured([step], [0.5]))
    [part] = curves(store, run)
    assert part.times.tolist() == [1.0, 2.0, 3.0]
    assert part.clock.tolist() == [5_000.0, 5_001.0, 9_000.0]


def test_a_value_that_was_not_measured_is_no_value(store: Store) -> None:
    run = add_run(store)
    event = Metrics(
        steps=[1, 2, 3],
        epochs=[0.1, 0.2, 0.3],
        times=[1, 2, 3],
        series={"a": [1.0, None, None], "b": [None, None, None]},
        nonfinite={"a": [2]},
    )
    store.log.say(run, event)
    [only] = curves(store, run)
    assert (only.name, only.steps.tolist(), only.broken.tolist()) == ("a", [1, 2], [0, 1])


def test_what_a_trainer_should_not_send_does_no_harm(store: Store) -> None:
    run = add_run(store)
    long = "n" * 1_000 + "\0"
    store.log.say(
        run,
        Metrics(steps=[5, 10**30, -7], epochs=[1e308], times=[], series={"a": [1.0, 2.0, 3.0, 4.0], "b": [1e-320]}),
        Metrics(steps=[], epochs=[], times=[1e300], series={"a": [1.0]}),
        Metrics(steps=[1], epochs=[0.5], times=[1e300], series={long: [1.0]}, nonfinite={"other": [10**40]}),
    )
    a, b, c = curves(store, run)
    assert (a.steps.tolist(), a.means.tolist()) == ([0], [3.0])
    assert (b.steps.tolist(), b.means.tolist(), b.epochs.tolist()) == ([5], [1e-320], [1e308])
    assert c.name == "n" * 200
    store.log.say(run, Metrics(steps=[10**30], epochs=[0], times=[0], series={"b": [2.0]}))
    [b] = curves(store, run, ["b"])
    assert b.steps.tolist() == [5, 2**63 - 1]
    assert len(curves(store, run, ["b"], first=10**40)[0].steps) == 1


def test_series_are_one_with_the_log(store: Store) -> None:
    claim = claimed(store)
    delivery = numbered(running(), loss(1, 0.5), loss(2, 0.25))
    for _ in range(2):
        store.log.append(claim.run, 1, delivery)
    stray = CheckpointSaved(step=5, epoch=1, path="elsewhere")
    with pytest.raises(EventRefused):
        store.log.append(claim.run, 1, numbered(loss(3), stray, first=4))
    [part] = curves(store, claim.run)
    assert (part.total, part.means.tolist()) == (2, [0.5, 0.25])
    bodies = [orjson.loads(body) for body in store.log.events(claim.run)]
    assert [body["steps"] for body in bodies if body["kind"] == "metrics"] == [[1], [2]]


def test_a_runs_series_go_with_it(store: Store) -> None:
    gone, kept = add_run(store), add_run(store)
    for run in (gone, kept):
        store.log.say(run, measured(range(300), [0.5] * 300))
    store.runs.delete(gone)
    with pytest.raises(Missing):
        curves(store, gone)
    with store._database.read() as connection:
        assert connection.execute(sa.select(series.c.run)).scalars().all() == [kept]
        of = connection.execute(sa.select(series.c.id)).scalar_one()
        assert set(connection.execute(sa.select(chunks.c.series)).scalars()) == {of}
    assert curves(store, add_run(store)) == []


def test_runs_of_an_older_version_are_filled(store: Store, database_url: str, tmp_path: Any) -> None:
    run, empty = add_run(store), add_run(store)
    values = np.random.default_rng(0).normal(size=3_000).tolist()
    for at in range(0, 3_000, 5):
        store.log.say(run, measured(range(at, at + 5), values[at : at + 5]))
    before = curves(store, run, buckets=100), rows(store, run)
    told = store.log.events(run, limit=10_000)
    with store._database.write() as connection:
        for seq, body in enumerate(told, 1):  # whose values events held themselves
            connection.execute(events.update().where(events.c.run == run, events.c.seq == seq).values(body=body))
        as_before(connection, "0001")
    store.close()
    again = open_store(database_url, tmp_path / "runs")
    try:
        [old], [new] = before[0], curves(again, run, buckets=100)
        for name in Slice.__slots__:
            assert np.array_equal(getattr(old, name), getattr(new, name)), name
        assert rows(again, run) == before[1]
        assert curves(again, empty) == []
    finally:
        again.close()
