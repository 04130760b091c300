"""The dispatcher's side: claims, fencing, retries."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from layerloom.schema.events import StateChanged
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.storage import Store, open_store
from layerloom.storage.queue import RETRIES
from stores import add_run, claimed, loss, numbered, publish_checkpoint, running


def claim_all(store: Store, start: threading.Barrier) -> list[tuple[str, int]]:
    start.wait()
    taken = []
    while claims := store.queue.claim(3):
        taken += [(claim.run, claim.attempt) for claim in claims]
    return taken


def test_eight_claimers_never_take_one_run_twice(store: Store, database_url: str, tmp_path: Path) -> None:
    runs = {add_run(store) for _ in range(60)}
    # One process holds a SQLite file; on PostgreSQL each claimer is a service of its own.
    alone = database_url.startswith("sqlite")
    stores = [store if alone else open_store(database_url, tmp_path / "runs") for _ in range(8)]
    start = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        taken = [pair for part in pool.map(lambda one: claim_all(one, start), stores) for pair in part]
    for one in stores:
        one.close()
    assert len(taken) == len(runs)
    assert set(taken) == {(run, 1) for run in runs}


def test_a_claim_holds_all_that_a_job_needs(store: Store) -> None:
    first, second = add_run(store), add_run(store)
    assert [item.run for item in store.queue.waiting()] == [first, second]
    assert (store.queue.waiting(1)[0].device, store.queue.waiting(1)[0].threads) == ("cpu", 1)
    assert store.queue.claim(0) == store.queue.claim(-1) == []
    [claim] = store.queue.claim(1)
    assert (claim.run, claim.attempt, claim.resume) == (first, 1, None)
    assert len(claim.token) >= 43
    [live] = store.queue.live()
    assert (live.run, live.state, live.handle, live.received) == (first, "starting", None, 0)
    store.queue.set_handle(first, 1, "a handle")
    store.log.append(first, 1, numbered(running()))
    store.log.append(first, 1, [])
    [live] = store.queue.live()
    assert (live.state, live.handle, live.received) == ("running", "a handle", 1)


def test_a_lost_attempt_goes_on_from_its_newest_whole_checkpoint(store: Store) -> None:
    claim = claimed(store)
    events = [publish_checkpoint(store, claim.run, 1, step) for step in (10, 20, 30)]
    store.log.append(claim.run, 1, numbered(running(), *events))
    (store.folder(claim.run) / "checkpoints/a1-s30/manifest.json").unlink()
    assert store.queue.lost(claim.run, 1, "was killed by SIGKILL", crash=False) == "queued"
    [second] = store.queue.claim(1)
    assert (second.attempt, second.resume) == (3, "checkpoints/a1-s20")
    assert second.token != claim.token


def test_a_crashing_run_is_tried_three_times_more_with_growing_pauses(store: Store) -> None:
    run = add_run(store)
    for crash in range(1, RETRIES + 1):
        [claim] = store.queue.claim(1)
        before = time.time()
        assert store.queue.lost(run, claim.attempt, "was killed by SIGKILL") == "queued"
        with store._database.write() as connection:
            pause = connection.exec_driver_sql("SELECT not_before FROM runs").scalar_one() - before
            connection.exec_driver_sql("UPDATE runs SET not_before = 0")
        assert pause >= 2 ** (crash - 1), f"it waits after crash {crash}"
    [claim] = store.queue.claim(1)
    assert store.queue.lost(run, claim.attempt, "was killed by SIGKILL") == "failed"
    view = store.runs.get(run)
    assert view.problem is not None
    assert view.problem.code == ProblemCode.TRAINER_LOST
    assert store.queue.lost(run, claim.attempt, "again") is None


def test_a_run_whose_end_nobody_saw_can_be_resumed_by_the_user(store: Store) -> None:
    run = add_run(store)
    for _ in range(RETRIES):
        [claim] = store.queue.claim(1)
        store.queue.lost(run, claim.attempt, "is gone", seen=False)
        ready = store._database
        with ready.write() as connection:
            connection.exec_driver_sql("UPDATE runs SET not_before = 0")
    [claim] = store.queue.claim(1)
    assert store.queue.lost(run, claim.attempt, "is gone", seen=False) == "interrupted"
    assert store.runs.want(run, "run").state == "queued"
    [claim] = store.queue.claim(1)
    assert store.queue.lost(run, claim.attempt, "is gone") == "queued", "its crashes are forgiven"


@pytest.mark.parametrize(("desired", "state"), [("stop", "stopped"), ("pause", "paused")])
def test_a_lost_attempt_obeys_the_user_first(store: Store, desired: str, state: str) -> None:
    claim = claimed(store)
    store.runs.want(claim.run, desired)
    assert store.queue.lost(claim.run, 1, "was killed by SIGTERM") == state
    assert store.runs.summary(claim.run).state == state


def test_fail_is_for_good_and_once(store: Store) -> None:
    claim = claimed(store)
    problem = Problem(code=ProblemCode.TRAINER_FAILED, message="It broke.")
    assert store.queue.fail(claim.run, 1, problem, "Traceback …")
    assert not store.queue.fail(claim.run, 1, problem)
    assert store.runs.get(claim.run).problem == problem
    assert b"Traceback \xe2\x80\xa6" in store.log.events(claim.run)[-2]
    assert store.queue.claim(5) == []


def test_what_ended_by_itself_is_not_lost(store: Store) -> None:
    claim = claimed(store)
    store.log.append(claim.run, 1, numbered(running(), loss(1), StateChanged(state="succeeded")))
    assert store.queue.lost(claim.run, 1, "is gone") is None
    assert store.runs.summary(claim.run).state == "succeeded"
    assert store.queue.live() == []
