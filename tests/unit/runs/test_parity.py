"""Parity reports in the queue: started where there is room, kept with the run, found again after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from layerloom.graph.examples import examples
from layerloom.runs.executors.memory import MemoryExecutor
from layerloom.runs.jobs import Means
from layerloom.runs.parity import Parities
from layerloom.schema.parity import NewParity, Parity
from layerloom.schema.plan import Plan
from layerloom.schema.trial import REPORT_FILE
from layerloom.storage import Missing, StateConflict, Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'layerloom.db'}", tmp_path / "runs")
    yield opened
    opened.close()


def made(store: Store, executor: MemoryExecutor) -> Parities:
    return Parities(store, executor, Means(store.artifacts.parent))


def a_run(store: Store) -> str:
    return store.runs.add(examples()[0].document, Plan(dataset="digits")).run


def test_a_report_waits_for_room_is_made_and_kept(store: Store) -> None:
    run, executor = a_run(store), MemoryExecutor(slots=0)
    parities = made(store, executor)
    parities.look()
    assert parities.read(run).state == "none"
    parities.ask(run, NewParity(steps=30))
    parities.look()
    assert (executor.started, parities.read(run).state) == ({}, "waiting")
    with pytest.raises(StateConflict):
        parities.ask(run, NewParity())
    executor.slots = 1
    parities = made(store, executor)  # the service was restarted
    parities.look()
    ((key, task),) = executor.started.items()
    assert key == f"{run}.parity1"
    assert task.need.devices == 2
    (task.folder / REPORT_FILE).write_text(Parity(state="done", steps=30).model_dump_json())
    assert parities.read(run).state == "done"
    assert parities.ask(run, NewParity()).state == "waiting"
    assert not task.folder.exists()


def test_a_run_that_is_gone_has_none(store: Store) -> None:
    parities = made(store, MemoryExecutor())
    for act in (lambda: parities.read("4ewm6g7vcfmw"), lambda: parities.ask("4ewm6g7vcfmw", NewParity())):
        with pytest.raises(Missing):
            act()
