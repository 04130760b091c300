"""Series when the service dies while it writes: they say what the log says, whole deliveries only."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import orjson

from layerloom.storage import Store, open_store
from writers import killed_writer

WRITER = """
import sys
from pathlib import Path
from layerloom.schema.events import Metrics
from layerloom.storage import open_store
from stores import claimed, numbered

def part(first, name, value):
    steps = list(range(first, first + 7))
    ease = [step / 10 for step in steps]
    return Metrics(steps=steps, epochs=ease, times=ease, series={name: [value + step for step in steps]})

store = open_store(sys.argv[1], Path(sys.argv[2]))
claim = claimed(store)
print(claim.run, flush=True)
number, step = 0, 1
while True:
    number, step = number + 2, step + 7
    if number % 100 == 0:
        step -= 140  # as an attempt that repeats what came after its checkpoint
    events = numbered(part(step, "train/loss", number), part(step, "train/lr", 0.5), first=number - 1)
    print(store.log.append(claim.run, 1, events).received, flush=True)
"""


def logged(store: Store, run: str) -> dict[str, dict[int, float]]:
    """By series, from the events: values by step, the later attempt's where steps were repeated."""
    curves: dict[str, dict[int, float]] = {}
    after = 0
    while page := store.log.events(run, after):
        after += len(page)
        for event in map(orjson.loads, page):
            for name, values in event.get("series", {}).items():
                kept = {step: value for step, value in curves.get(name, {}).items() if step < event["steps"][0]}
                curves[name] = kept | dict(zip(event["steps"], values, strict=True))
    return curves


def test_log_and_series_say_the_same_after_kill_9(database_url: str, tmp_path: Path) -> None:
    chance = random.Random(1)
    for _ in range(4):
        run, acknowledged = killed_writer(WRITER, database_url, tmp_path / "runs", chance.uniform(0, 1.5))
        store = open_store(database_url, tmp_path / "runs")
        curves = logged(store, run)
        assert store.log.last_seq(run) - 2 >= max(acknowledged, default=2)
        parts = {part.name: part for part in store.series.read(run, buckets=10_000).items}
        assert set(parts) == set(curves) == {"train/loss", "train/lr"}
        for name, part in parts.items():
            assert dict(zip(part.steps.tolist(), part.means.tolist(), strict=True)) == curves[name]
        assert parts["train/loss"].steps.tolist() == parts["train/lr"].steps.tolist()
        store.close()
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(tmp_path / "layerloom.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
