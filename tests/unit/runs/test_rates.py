"""Searches for a learning rate in the queue: started where there is room, and gone when nobody asks after them."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerloom.graph.examples import examples
from layerloom.runs.executors.memory import MemoryExecutor
from layerloom.runs.jobs import Means
from layerloom.runs.rates import FORGOTTEN, GONE, MOST, RateSearches
from layerloom.schema.plan import Plan
from layerloom.schema.rates import RateSearch
from layerloom.schema.trial import REPORT_FILE
from layerloom.schema.worker import Job
from layerloom.storage import Missing, StateConflict

DOCUMENT = examples()[0].document
PLAN = Plan(dataset="digits", device="cpu", devices=2, sync_batch_norm=True, threads=3)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def made(folder: Path, executor: MemoryExecutor, clock: Clock) -> RateSearches:
    return RateSearches(executor, Means(folder / "data"), folder=folder / "rates", clock=clock)


def test_a_search_waits_for_room_and_one_device_makes_it(tmp_path: Path) -> None:
    executor, clock = MemoryExecutor(slots=0), Clock()
    searches = made(tmp_path, executor, clock)
    name = searches.ask(DOCUMENT, PLAN).id
    searches.look()
    assert (executor.started, searches.read(name).state) == ({}, "waiting")
    executor.slots = 1
    searches = made(tmp_path, executor, clock)  # the service was restarted
    searches.look()
    (task,) = executor.started.values()
    assert (task.need.devices, task.need.device, task.need.threads) == (1, "cpu", 3)
    job = Job.model_validate_json((task.folder / "job.json").read_bytes())
    assert (job.rates, job.plan.devices, job.plan.sync_batch_norm) == (True, 1, False)
    done = RateSearch(id=name, state="done", rates=[0.1], losses=[1.0], smoothed=[1.0])
    (task.folder / REPORT_FILE).write_text(done.model_dump_json())
    assert searches.read(name) == done


def test_what_nobody_asks_after_is_deleted(tmp_path: Path) -> None:
    clock = Clock()
    searches = made(tmp_path, MemoryExecutor(slots=0), clock)
    left, looked_at = (searches.ask(DOCUMENT, PLAN).id for _ in range(2))
    searches.look()
    clock.now = FORGOTTEN - 1
    searches.read(looked_at)
    clock.now = FORGOTTEN + 1
    searches.look()
    assert [folder.name for folder in (tmp_path / "rates").iterdir()] == [looked_at]
    with pytest.raises(Missing):
        searches.read(left)
    searches.cancel(looked_at)
    searches.cancel(looked_at)
    assert not list((tmp_path / "rates").iterdir())


def test_there_are_not_too_many_at_once(tmp_path: Path) -> None:
    searches = made(tmp_path, MemoryExecutor(slots=0), Clock())
    names = [searches.ask(DOCUMENT, PLAN).id for _ in range(MOST)]
    with pytest.raises(StateConflict, match="under way"):
        searches.ask(DOCUMENT, PLAN)
    searches.cancel(names[0])
    assert searches.ask(DOCUMENT, PLAN).state == "waiting"


def test_one_that_cannot_be_started_fails_and_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    executor = MemoryExecutor(slots=2)
    searches = made(tmp_path, executor, Clock())
    bad, good = (searches.ask(DOCUMENT, PLAN).id for _ in range(2))
    (tmp_path / "rates" / bad / "job.json").write_text("of another version")
    searches.look()
    assert (searches.read(bad).state, searches.read(good).state) == ("failed", "waiting")
    assert "could not be started" in searches.read(bad).message
    assert [task.folder.name for task in executor.started.values()] == [good]
    assert bad in caplog.text


def test_what_an_earlier_service_or_a_file_manager_left_is_no_search(tmp_path: Path) -> None:
    clock = Clock()
    searches = made(tmp_path, MemoryExecutor(slots=0), clock)
    name = searches.ask(DOCUMENT, PLAN).id
    (tmp_path / "rates" / ".DS_Store").touch()
    (tmp_path / "rates" / f"{name}{GONE}").mkdir()
    for clock.now in (0, FORGOTTEN - 1):
        searches.look()
        searches.read(name)
    clock.now = FORGOTTEN + 1
    searches.look()
    assert {left.name for left in (tmp_path / "rates").iterdir()} == {".DS_Store", name}


@pytest.mark.parametrize("name", ["../runs", "4ewm6g7vcfmw", ""])
def test_an_unknown_one_is_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(Missing):
        made(tmp_path, MemoryExecutor(), Clock()).read(name)
