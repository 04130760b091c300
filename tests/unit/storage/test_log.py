"""The event log: gap-free, idempotent, fenced, and folded into the row in the same transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import orjson
import pytest

from layerloom.schema.events import CheckpointSaved, Log, ProblemFound, StateChanged
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.schema.run import RunPatch
from layerloom.storage import EventRefused, Fenced, Missing, Store
from stores import add_run, claimed, loss, numbered, progress, publish_checkpoint, running


def seqs(store: Store, run: str) -> list[int]:
    return [orjson.loads(body)["seq"] for body in store.log.events(run, limit=10_000)]


def test_events_are_stamped_and_replayed_as_they_were_stored(store: Store) -> None:
    claim = claimed(store)
    appended = store.log.append(claim.run, 1, numbered(running(), loss(1), loss(2, None)))
    assert appended.received == 3
    assert appended.desired == "run"
    assert store.log.events(claim.run, after=2) == appended.events
    assert store.log.events(claim.run, after=3, limit=1) == appended.events[1:2]
    first, _, last = (orjson.loads(body) for body in appended.events)
    assert (first["run"], first["seq"], first["state"], first["attempt"]) == (claim.run, 3, "running", 1)
    assert first["at"] == pytest.approx(store.runs.summary(claim.run).created_at, abs=60)
    assert last["series"] == {"train/loss": [None]}
    assert last["nonfinite"] == {"train/loss": [2]}
    assert store.log.last_seq(claim.run) == 5


def test_concurrent_appends_leave_no_gap_and_listeners_hear_them_in_order(store: Store) -> None:
    claims = [claimed(store) for _ in range(3)]
    heard: dict[str, list[int]] = {claim.run: [] for claim in claims}

    def listener(run: str, first: int, bodies: list[bytes]) -> None:
        heard[run] += range(first, first + len(bodies))

    deafen = store.log.listen(listener)
    start = threading.Barrier(9)

    def trainer(claim_index: int) -> None:
        claim = claims[claim_index]
        start.wait()
        for number in range(1, 21):
            store.log.append(claim.run, 1, numbered(loss(number), first=number))

    def service(claim_index: int) -> None:
        start.wait()
        for _ in range(10):
            store.log.say(claims[claim_index].run, Log(message="one"), Log(message="two"))

    with ThreadPoolExecutor(9) as pool:
        jobs = [pool.submit(work, index) for index in range(3) for work in (trainer, service, service)]
        for job in jobs:
            job.result()
    deafen()
    for claim in claims:
        assert seqs(store, claim.run) == list(range(1, 2 + 1 + 20 + 40))
        assert heard[claim.run] == list(range(3, 2 + 1 + 20 + 40))
    store.log.say(claims[0].run, Log(message="unheard"))
    assert heard[claims[0].run][-1] == store.log.last_seq(claims[0].run) - 1


def test_a_listener_that_fails_harms_nobody(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[int] = []

    def broken(_run: str, _first: int, _bodies: list[bytes]) -> None:
        raise RuntimeError("a viewer went away")

    store.log.listen(broken)
    store.log.listen(lambda _run, first, _bodies: heard.append(first))
    run = add_run(store)
    assert heard == [1]
    assert store.log.last_seq(run) == 1
    assert "a viewer went away" in caplog.text


def test_the_same_delivery_again_changes_nothing(store: Store) -> None:
    claim = claimed(store)
    delivery = numbered(running(), loss(1), loss(2))
    store.log.append(claim.run, 1, delivery)
    again = store.log.append(claim.run, 1, delivery)
    assert (again.received, again.events) == (3, [])
    overlapping = store.log.append(claim.run, 1, numbered(loss(2), loss(3), first=3))
    assert (overlapping.received, len(overlapping.events)) == (4, 1)
    assert seqs(store, claim.run) == [1, 2, 3, 4, 5, 6]


def test_nothing_is_taken_after_a_hole(store: Store) -> None:
    claim = claimed(store)
    store.log.append(claim.run, 1, numbered(running()))
    holed = [*numbered(loss(1), first=2), *numbered(loss(3), first=4)]
    assert store.log.append(claim.run, 1, holed).received == 2
    assert store.log.append(claim.run, 1, numbered(loss(9), first=9)).events == []


def test_an_attempt_that_is_not_the_newest_is_fenced(store: Store) -> None:
    claim = claimed(store)
    store.log.append(claim.run, 1, numbered(running()))
    assert store.queue.lost(claim.run, 1, "was killed by SIGKILL") == "queued"
    before = store.log.events(claim.run)
    for attempt in (0, 1, 2, 7):
        with pytest.raises(Fenced):
            store.log.append(claim.run, attempt, numbered(loss(1), first=2))
    assert store.log.events(claim.run) == before
    with store._database.write() as connection:
        connection.exec_driver_sql("UPDATE runs SET not_before = 0")
    [newest] = store.queue.claim(1)
    assert newest.attempt == 3
    for attempt in (1, 2, 4):
        with pytest.raises(Fenced):
            store.log.append(claim.run, attempt, numbered(running()))
    assert store.log.append(claim.run, 3, numbered(running())).received == 1


def test_tokens_belong_to_their_run_and_attempt(store: Store) -> None:
    claim, other = claimed(store), claimed(store)
    store.queue.lost(claim.run, 1, "went away", crash=False)
    [second] = store.queue.claim(1)
    assert store.log.attempt_of(claim.run, claim.token) == 1
    assert store.log.attempt_of(claim.run, second.token) == 3
    assert store.log.attempt_of(claim.run, other.token) is None
    assert store.log.attempt_of(claim.run, "") is None


def test_row_and_log_say_the_same(store: Store) -> None:
    claim = claimed(store)
    store.log.append(claim.run, 1, numbered(running(), progress(7), loss(7, 0.5)))
    row = store.runs.summary(claim.run)
    assert (row.state, row.step, row.steps, row.epoch, row.epochs) == ("running", 7, 100, 1, 3)
    assert row.started_at is not None
    assert row.ended_at is None
    assert row.last == {"train/loss": 0.5}
    problem = Problem(code=ProblemCode.DIVERGED, message="The loss is NaN.")
    end = [loss(8, None), ProblemFound(problem=problem, traceback="…"), StateChanged(state="failed")]
    store.log.append(claim.run, 1, numbered(*end, first=4))
    run = store.runs.get(claim.run)
    assert (run.state, run.last, run.problem) == ("failed", {"train/loss": None}, problem)
    assert run.ended_at is not None
    assert run.last_seq == store.log.last_seq(claim.run) == 8


def test_last_and_best_of_each_series(store: Store) -> None:
    claim = claimed(store)
    events = [
        loss(step, value, name)
        for name, values in {
            "validation/loss": [0.9, 0.3, None, 0.5],
            "validation/accuracy": [0.2, 0.8, 0.6],
            "validation/mean_absolute_error": [3.0, 1.0, 2.0],
            "validation/r2_score": [None, -1.0, None],
            "train/lr": [0.1, 0.01],
        }.items()
        for step, value in enumerate(values, 1)
    ]
    store.log.append(claim.run, 1, numbered(running(), *events))
    row = store.runs.summary(claim.run)
    assert row.last == {
        "validation/loss": 0.5,
        "validation/accuracy": 0.6,
        "validation/mean_absolute_error": 2.0,
        "validation/r2_score": None,
        "train/lr": 0.01,
    }
    assert row.best == {
        "validation/loss": 0.3,
        "validation/accuracy": 0.8,
        "validation/mean_absolute_error": 1.0,
        "validation/r2_score": -1.0,
    }


def test_nothing_follows_an_end(store: Store) -> None:
    claim = claimed(store)
    store.log.append(claim.run, 1, numbered(running(), StateChanged(state="succeeded")))
    with pytest.raises(Fenced):
        store.log.append(claim.run, 1, numbered(running(), first=3))
    store.log.append(claim.run, 1, numbered(Log(message="good bye"), first=3))
    assert store.runs.summary(claim.run).state == "succeeded"


def test_a_trainer_speaks_only_of_its_own_states(store: Store) -> None:
    claim = claimed(store)
    for state in ("queued", "starting", "interrupted"):
        with pytest.raises(EventRefused):
            store.log.append(claim.run, 1, numbered(StateChanged.model_validate({"state": state})))


def test_a_checkpoint_elsewhere_is_refused_whole(store: Store) -> None:
    claim = claimed(store)
    for path in ("../../etc", "checkpoints/a2-s5", "checkpoints/a1-s6", "/tmp/x", "checkpoints/a1-s5/.."):
        with pytest.raises(EventRefused):
            store.log.append(claim.run, 1, numbered(running(), CheckpointSaved(step=5, epoch=1, path=path)))
    assert store.runs.summary(claim.run).state == "starting"
    assert store.log.append(claim.run, 1, []).received == 0


def test_a_refused_event_leaves_no_half_of_its_delivery(store: Store) -> None:
    claim = claimed(store)
    saved = publish_checkpoint(store, claim.run, 1, 5)
    with pytest.raises(EventRefused):
        store.log.append(claim.run, 1, numbered(saved, saved.model_copy(update={"path": "elsewhere"})))
    assert store.runs.checkpoints(claim.run) == []


def test_numbers_beyond_a_database_are_bounded(store: Store) -> None:
    claim = claimed(store)
    store.log.append(claim.run, 1, numbered(running(), progress(10**30, steps=-1)))
    row = store.runs.summary(claim.run)
    assert (row.step, row.steps) == (2**63 - 1, 0)
    assert store.log.events(claim.run, after=10**30) == []


def test_an_unknown_run_is_missing_everywhere(store: Store) -> None:
    for run in ("", "nosuchrunabc", "../x", "a\0", "A" * 12, "é" * 12, "x" * 10_000):
        calls: list[Callable[[], object]] = [
            partial(store.log.events, run),
            partial(store.log.last_seq, run),
            partial(store.log.append, run, 1, []),
            partial(store.log.say, run, Log(message="x")),
            partial(store.runs.get, run),
            partial(store.runs.summary, run),
            partial(store.runs.want, run, "stop"),
            partial(store.runs.patch, run, RunPatch(name="x")),
            partial(store.runs.delete, run),
            partial(store.runs.checkpoints, run),
            partial(store.runs.checkpoint, run, "last"),
            partial(store.networks.get, run),
            partial(store.networks.revisions, run),
            partial(store.networks.delete, run),
        ]
        for call in calls:
            with pytest.raises(Missing):
                call()
