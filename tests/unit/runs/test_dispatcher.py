"""The dispatcher's decisions, with an executor that ends trainers when the test says so."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from layerloom.runs import Dispatcher, Limits
from layerloom.runs.executors.memory import MemoryExecutor
from layerloom.schema.events import Event, ProblemFound, StateChanged
from layerloom.schema.parity import NewParity
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.schema.worker import Job
from layerloom.storage import Store, open_store
from stores import add_run, loss, numbered, publish_checkpoint, running
from waiting import wait_for

PATIENT = Limits(obey=600, stalled=600, linger=600)


@pytest.fixture(name="store")
def sqlite_store(tmp_path: Path) -> object:
    """What the two databases do alike is tested with the store."""
    opened = open_store(f"sqlite:///{tmp_path / 'layerloom.db'}", tmp_path / "runs")
    yield opened
    opened.close()


@pytest.fixture
def executor() -> MemoryExecutor:
    return MemoryExecutor(slots=1)


@pytest.fixture
def make(store: Store, executor: MemoryExecutor, tmp_path: Path) -> Callable[..., Dispatcher]:
    def dispatcher(limits: Limits = PATIENT) -> Dispatcher:
        paths = {"data_folder": tmp_path / "data", "address_file": tmp_path / "address"}
        return Dispatcher(store, executor, limits=limits, **paths)

    return dispatcher


def attempt_folder(store: Store, run: str, attempt: int = 1) -> Path:
    return store.folder(run) / "attempts" / str(attempt)


def write_spool(store: Store, run: str, *events: Event, attempt: int = 1, torn: bytes = b"") -> None:
    lines = [item.model_dump_json().encode() + b"\n" for item in numbered(*events)]
    (attempt_folder(store, run, attempt) / "spool.jsonl").write_bytes(b"".join(lines) + torn)


def started(store: Store, dispatcher: Dispatcher) -> str:
    run = add_run(store)
    dispatcher.tick()
    store.log.append(run, 1, numbered(running()))
    return run


def reasons(store: Store, run: str) -> list[str]:
    events = [orjson.loads(body) for body in store.log.events(run)]
    return [event["reason"] for event in events if event["kind"] == "state" and event["reason"]]


def state(store: Store, run: str) -> str:
    return store.runs.summary(run).state


def test_runs_start_in_order_as_there_is_room(store: Store, executor: MemoryExecutor, make: Callable) -> None:
    dispatcher, runs = make(), [add_run(store) for _ in range(3)]
    dispatcher.tick()
    dispatcher.tick()
    assert list(executor.started) == [f"{runs[0]}.a1"]
    store.log.append(runs[0], 1, numbered(running(), StateChanged(state="succeeded")))
    dispatcher.tick()
    assert len(executor.started) == 1, "the trainer has its slot until it leaves"
    executor.finish(f"{runs[0]}.a1", 0)
    dispatcher.tick()
    assert list(executor.started) == [f"{runs[0]}.a1", f"{runs[1]}.a1"]


def test_the_job_holds_the_only_copy_of_its_token(store: Store, make: Callable, tmp_path: Path) -> None:
    run = started(store, make())
    file = attempt_folder(store, run) / "job.json"
    job = Job.model_validate_json(file.read_bytes())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert store.log.attempt_of(run, job.token) == 1
    assert (job.run, job.attempt, job.resume) == (run, 1, None)
    assert (job.folder, job.address_file) == (str(tmp_path / "runs" / run), str(tmp_path / "address"))
    assert job.token.encode() not in (tmp_path / "layerloom.db").read_bytes()
    assert job.token.encode() not in (tmp_path / "layerloom.db-wal").read_bytes()


def test_what_was_not_delivered_is_imported_from_the_spool(
    store: Store, executor: MemoryExecutor, make: Callable
) -> None:
    dispatcher = make()
    run = started(store, dispatcher)
    many = [loss(step) for step in range(1, 1_200)]
    write_spool(store, run, running(), *many, StateChanged(state="succeeded"), torn=b'{"number":1202,"eve')
    executor.finish(f"{run}.a1", 0)
    dispatcher.tick()
    assert state(store, run) == "succeeded"
    events = [orjson.loads(body) for body in store.log.events(run, limit=10_000)]
    assert [event["seq"] for event in events] == list(range(1, 1 + 2 + 1_201))
    assert [event["steps"][0] for event in events if event["kind"] == "metrics"] == list(range(1, 1_200))


def test_a_failure_that_the_trainer_tells_is_final(store: Store, executor: MemoryExecutor, make: Callable) -> None:
    dispatcher = make()
    run = started(store, dispatcher)
    problem = Problem(code=ProblemCode.DIVERGED, message="The loss is NaN.")
    write_spool(store, run, running(), ProblemFound(problem=problem, traceback="T"), StateChanged(state="failed"))
    executor.finish(f"{run}.a1", 0)
    dispatcher.tick()
    dispatcher.tick()
    assert store.runs.get(run).problem == problem
    assert list(executor.started) == [f"{run}.a1"]


def test_a_trainer_that_dies_speechless_fails_with_its_log(
    store: Store, executor: MemoryExecutor, make: Callable
) -> None:
    dispatcher = make()
    run = started(store, dispatcher)
    executor.printed[f"{run}.a1"] = b"ImportError: no module named \xff"
    executor.finish(f"{run}.a1", 1)
    dispatcher.tick()
    view = store.runs.get(run)
    assert view.state == "failed"
    assert view.problem is not None
    assert view.problem.code == ProblemCode.TRAINER_FAILED
    told = [orjson.loads(body) for body in store.log.events(run)]
    assert [event["traceback"] for event in told if event["kind"] == "problem"] == [
        "ImportError: no module named \\xff"
    ]


@pytest.mark.parametrize(("code", "crashes"), [(-9, 1), (None, 1), (76, 0), (0, 1)])
def test_a_lost_trainer_is_replaced_from_the_last_checkpoint(
    store: Store, executor: MemoryExecutor, make: Callable, code: int | None, crashes: int
) -> None:
    dispatcher = make()
    run = started(store, dispatcher)
    write_spool(store, run, running(), publish_checkpoint(store, run, 1, 40))
    executor.finish(f"{run}.a1", code)
    dispatcher.tick()
    assert store.runs.summary(run).attempt >= 2, "fenced from now on"

    def again() -> bool:
        dispatcher.tick()
        return f"{run}.a3" in executor.started

    wait_for(again, "the next attempt")
    job = Job.model_validate_json((attempt_folder(store, run, 3) / "job.json").read_bytes())
    assert job.resume == "checkpoints/a1-s40"
    assert [("crash 1" in reason) for reason in reasons(store, run)] == [crashes == 1]


def test_a_trainer_that_does_not_obey_is_made_to(store: Store, executor: MemoryExecutor, make: Callable) -> None:
    patient = make()
    run = started(store, patient)
    store.runs.want(run, "stop")
    patient.tick()
    patient.tick()
    assert executor.stopped == []
    strict = make(Limits(obey=0, stalled=600, linger=600))

    def enforced() -> bool:
        strict.tick()
        return state(store, run) == "stopped"

    wait_for(enforced, "the end")
    assert executor.stopped == [f"{run}.a1"]


def test_a_wish_taken_back_is_not_enforced(store: Store, executor: MemoryExecutor, make: Callable) -> None:
    dispatcher = make(Limits(obey=0.2, stalled=600, linger=600))
    run = started(store, dispatcher)
    for desired in ("pause", "run"):
        store.runs.want(run, desired)
        dispatcher.tick()
    time.sleep(0.3)
    dispatcher.tick()
    dispatcher.tick()
    assert executor.stopped == []


def test_a_hung_trainer_is_dumped_ended_and_failed(store: Store, executor: MemoryExecutor, make: Callable) -> None:
    dispatcher = make(Limits(obey=600, stalled=0.1, linger=600))
    run = started(store, dispatcher)
    executor.printed[f"{run}.a1"] = b"Thread 0x01: in forever()"

    def failed() -> bool:
        dispatcher.tick()
        return state(store, run) == "failed"

    wait_for(failed, "the end")
    assert executor.dumped == [f"{run}.a1"]
    problem = store.runs.get(run).problem
    assert problem is not None
    assert problem.code == "stalled"
    assert b"in forever()" in store.log.events(run)[-2]


def test_a_growing_spool_is_a_sign_of_life(store: Store, executor: MemoryExecutor, make: Callable) -> None:
    dispatcher = make(Limits(obey=600, stalled=0.3, linger=600))
    run = started(store, dispatcher)
    for count in range(1, 9):
        write_spool(store, run, running(), *[loss(step) for step in range(count)])
        dispatcher.tick()
        time.sleep(0.1)
    assert executor.stopped == []


def test_a_trainer_that_lingers_after_its_end_is_made_to_leave(
    store: Store, executor: MemoryExecutor, make: Callable
) -> None:
    dispatcher = make(Limits(obey=600, stalled=600, linger=0))
    run = started(store, dispatcher)
    dispatcher.tick()
    store.log.append(run, 1, numbered(StateChanged(state="succeeded"), first=2))

    def left() -> bool:
        dispatcher.tick()
        return executor.stopped == [f"{run}.a1"]

    wait_for(left, "its end")
    assert state(store, run) == "succeeded"


def test_a_new_dispatcher_goes_on_where_the_old_one_died(
    store: Store, executor: MemoryExecutor, make: Callable
) -> None:
    executor.slots = 5
    add_run(store)
    add_run(store)
    before, after = store.queue.claim(2)
    # The first died between claim and job, the second between job and handle.
    folder = attempt_folder(store, after.run)
    folder.mkdir(parents=True)
    facts = {"run": after.run, "attempt": 1, "document": after.document, "plan": after.plan, "token": after.token}
    job = Job(**facts, folder=str(store.folder(after.run)), data_folder="", address_file="")
    (folder / "job.json").write_text(job.model_dump_json())
    make().tick()
    assert executor.started[f"{after.run}.a1"].folder == folder
    assert list(executor.started) == [f"{after.run}.a1", f"{before.run}.a3"]
    assert {run.run: run.handle for run in store.queue.live()} == {
        after.run: f"{after.run}.a1",
        before.run: f"{before.run}.a3",
    }


def test_a_start_that_fails_is_tried_again_and_harms_no_other(
    store: Store, executor: MemoryExecutor, make: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    executor.slots = 2
    bad, good = add_run(store), add_run(store)
    store.folder(bad).mkdir(parents=True)
    (store.folder(bad) / "attempts").write_text("in the way")
    make().tick()
    assert (state(store, bad), state(store, good)) == ("queued", "starting")
    assert "could not be started" in reasons(store, bad)[-1]
    assert bad in caplog.text


def test_a_second_start_that_fails_harms_no_other(store: Store, executor: MemoryExecutor, make: Callable) -> None:
    """A service of another version may have written the job."""
    executor.slots = 2
    bad, good = add_run(store), add_run(store)
    (claimed,) = store.queue.claim(1)
    assert claimed.run == bad
    attempt_folder(store, bad).mkdir(parents=True)
    (attempt_folder(store, bad) / "job.json").write_text("of another version")
    make().tick()
    assert (state(store, bad), state(store, good)) == ("queued", "starting")
    assert "could not be started" in reasons(store, bad)[-1]


def test_the_thread_starts_what_it_is_woken_for(store: Store, executor: MemoryExecutor, make: Callable) -> None:
    dispatcher = make(Limits(period=600))
    dispatcher.start()
    run = add_run(store)
    dispatcher.wake()
    wait_for(lambda: f"{run}.a1" in executor.started, "a start")
    assert dispatcher.healthy
    dispatcher.close()
    assert not dispatcher.healthy


def test_a_job_says_whether_data_may_be_downloaded(store: Store, tmp_path: Path) -> None:
    paths = {"data_folder": tmp_path / "data", "address_file": tmp_path / "address"}
    for downloads in (True, False):
        dispatcher = Dispatcher(store, MemoryExecutor(slots=2), limits=PATIENT, downloads=downloads, **paths)
        run = add_run(store)
        dispatcher.tick()
        job = Job.model_validate_json((attempt_folder(store, run) / "job.json").read_bytes())
        assert job.downloads == downloads
        dispatcher.parities.ask(run, NewParity())
        (asked,) = store.folder(run).glob("parity/*/job.json")
        assert Job.model_validate_json(asked.read_bytes()).downloads == downloads
