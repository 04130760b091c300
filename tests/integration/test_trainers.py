"""Store, dispatcher, local executor and the real trainer, forked from the real template."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import orjson
import psutil
import pytest

from channel import channel
from layerloom.runs import Dispatcher
from layerloom.runs.executors.local import LocalExecutor
from layerloom.schema.plan import Plan
from layerloom.storage import Store, open_store
from stores import DOCUMENT, PLAN
from waiting import wait_for

LONG = PLAN.model_copy(update={"epochs": 100_000})


class Service:
    """Store, channel and dispatcher; may be let go and taken up again while trainers go on."""

    def __init__(self, home: Path, store: Store) -> None:
        self.home = home
        self.store = store
        self.take_up()

    def take_up(self) -> None:
        self.executor = LocalExecutor(cpu_slots=2)
        paths = {"data_folder": self.home / "data", "address_file": self.home / "address"}
        self.dispatcher = Dispatcher(self.store, self.executor, **paths)
        self.dispatcher.start()

    def let_go(self) -> None:
        self.dispatcher.close()

    def start(self, plan: Plan) -> str:
        run = self.store.runs.add(DOCUMENT, plan).run
        self.dispatcher.wake()
        return run

    def reach(self, run: str, state: str) -> None:
        def reached() -> bool:
            view = self.store.runs.get(run)
            assert view.state in (state, "queued", "starting", "running", "paused"), view.problem
            return view.state == state

        wait_for(reached, f"{state} of {run}")

    def step(self, run: str, beyond: int = 0) -> int:
        wait_for(lambda: self.store.runs.summary(run).step > beyond, f"step {beyond} of {run}")
        return self.store.runs.summary(run).step

    def pid(self, run: str) -> int:
        attempt = self.store.runs.summary(run).attempt
        record = self.store.folder(run) / "attempts" / str(attempt) / "process.json"
        wait_for(record.exists, "a process")
        return int(orjson.loads(record.read_bytes())["pid"])

    def events(self, run: str) -> list[dict[str, object]]:
        return [orjson.loads(body) for body in self.store.log.events(run, limit=10_000)]

    def want(self, run: str, desired: str) -> None:
        self.store.runs.want(run, desired)  # type: ignore[arg-type]
        self.dispatcher.wake()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("home")
    store = open_store(f"sqlite:///{home / 'layerloom.db'}", home / "runs")
    with channel(store, home / "address"):
        service = Service(home, store)
        yield service
        for row in store.runs.page().items:
            service.want(row.id, "stop")
        wait_for(lambda: not store.queue.live(), "the end of every run")
        service.let_go()
    store.close()


def contiguous(events: list[dict[str, object]]) -> bool:
    return [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_a_run_is_trained_to_its_end(service: Service) -> None:
    run = service.start(PLAN)
    service.reach(run, "succeeded")
    view, events = service.store.runs.get(run), service.events(run)
    assert contiguous(events)
    assert (view.epoch, view.step) == (1, view.steps)
    assert view.best["validation/accuracy"] == view.last["validation/accuracy"]
    assert (service.store.runs.checkpoint(run, "last").folder / "state.pt").is_file()
    assert [event["state"] for event in events if event["kind"] == "state"] == [
        "queued",
        "starting",
        "running",
        "succeeded",
    ]
    wait_for(lambda: not psutil.pid_exists(service.pid(run)), "its trainer has left")


def test_pause_leaves_the_machine_and_resume_goes_on_from_the_checkpoint(service: Service) -> None:
    run = service.start(LONG)
    service.step(run)
    first = service.pid(run)
    service.want(run, "pause")
    service.reach(run, "paused")
    step = service.store.runs.summary(run).step
    wait_for(lambda: not psutil.pid_exists(first), "its trainer has left")
    service.want(run, "run")
    service.step(run, beyond=step)
    assert service.store.runs.summary(run).attempt == 2
    service.want(run, "stop")
    service.reach(run, "stopped")
    events = service.events(run)
    assert contiguous(events)
    steps = [
        step
        for event in events
        if event["kind"] == "metrics" and "train/loss" in event["series"]
        for step in event["steps"]
    ]
    assert steps == list(range(1, len(steps) + 1)), "not a step is lost or done twice"


def test_a_killed_trainer_is_replaced(service: Service) -> None:
    run = service.start(LONG)
    wait_for(lambda: service.store.runs.checkpoints(run), "a checkpoint")
    os.kill(service.pid(run), signal.SIGKILL)
    wait_for(lambda: service.store.runs.summary(run).attempt == 3, "the next attempt")
    service.step(run, beyond=service.store.runs.summary(run).step)
    service.want(run, "stop")
    service.reach(run, "stopped")
    events = service.events(run)
    assert contiguous(events)
    assert any("SIGKILL; it goes on from" in str(event.get("reason")) for event in events)
    assert any("This was crash 1 of" in str(event.get("reason")) for event in events)
    assert any("Resumed from checkpoints/a1-" in str(event.get("message")) for event in events)


def test_trainers_outlive_the_service_and_are_adopted(service: Service) -> None:
    run = service.start(LONG)
    step = service.step(run)
    pid = service.pid(run)
    service.let_go()
    service.step(run, beyond=step)
    service.take_up()
    wait_for(lambda: service.executor.devices()[-1].busy == 1, "adoption")
    service.step(run, beyond=service.store.runs.summary(run).step)
    assert (service.store.runs.summary(run).attempt, service.pid(run)) == (1, pid)
    service.want(run, "stop")
    service.reach(run, "stopped")
    wait_for(lambda: not psutil.pid_exists(pid), "its trainer has left")


def test_a_broken_plan_fails_with_the_trainers_own_words(service: Service) -> None:
    run = service.start(PLAN.model_copy(update={"dataset": "no-such-data"}))
    wait_for(lambda: service.store.runs.summary(run).state == "failed", "failure")
    problem = service.store.runs.get(run).problem
    assert problem is not None
    assert problem.code == "unknown_dataset"
