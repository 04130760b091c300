"""Runs under any order of users, trainers, crashes and dispatchers: a Hypothesis state machine."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from layerloom.schema.events import ENDED, LIVE, Log, StateChanged
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.storage import Claim, Fenced, Missing, StateConflict, Store, open_store
from stores import DOCUMENT, PLAN, numbered

AFTER = {
    "queued": {"starting", "paused", "stopped"},
    "starting": {"running", "paused", "stopped", "succeeded", "failed", "interrupted", "queued"},
    "running": {"running", "paused", "stopped", "succeeded", "failed", "interrupted", "queued"},
    "paused": {"queued", "stopped"},
    "interrupted": {"queued"},
    "succeeded": set(),
    "stopped": set(),
    "failed": set(),
}


class RunMachine(RuleBasedStateMachine):
    """Claims are remembered for ever, so that fenced trainers go on talking."""

    claims = Bundle("claims")
    runs = Bundle("runs")

    @initialize()
    def open(self) -> None:
        self._home = tempfile.TemporaryDirectory()
        home = Path(self._home.name)
        self.store: Store = open_store(f"sqlite:///{home / 'x.db'}", home / "runs")
        self.known: set[str] = set()
        self.given: set[tuple[str, int]] = set()
        self.said: dict[tuple[str, int], int] = {}

    def teardown(self) -> None:
        self.store.close()
        self._home.cleanup()

    @rule(target=runs)
    def add(self) -> str:
        run = self.store.runs.add(DOCUMENT, PLAN).run
        self.known.add(run)
        return run

    @rule(run=runs, desired=st.sampled_from(["run", "pause", "stop"]))
    def want(self, run: str, desired: str) -> None:
        if run not in self.known:
            with pytest.raises(Missing):
                self.store.runs.want(run, desired)  # type: ignore[arg-type]
            return
        before = self.store.runs.summary(run)
        try:
            after = self.store.runs.want(run, desired)  # type: ignore[arg-type]
        except StateConflict:
            assert before.state in ENDED or before.desired == "stop"
            assert self.store.runs.summary(run) == before
        else:
            assert after == self.store.runs.summary(run)
            assert (after.state in LIVE) == (before.state in LIVE)

    @rule(target=claims, limit=st.integers(-1, 3))
    def claim(self, limit: int) -> object:
        claims = self.store.queue.claim(limit)
        for claim in claims:
            assert (claim.run, claim.attempt) not in self.given
            self.given.add((claim.run, claim.attempt))
        return multiple(*claims)

    @rule(claim=claims, state=st.sampled_from(["running", "paused", "succeeded", "stopped", "failed"]))
    def tell(self, claim: Claim, state: str) -> None:
        self._append(claim, StateChanged.model_validate({"state": state}))

    @rule(claim=claims)
    def chat(self, claim: Claim) -> None:
        self._append(claim, Log(message="hello"))

    def _append(self, claim: Claim, event: Log | StateChanged) -> None:
        key = (claim.run, claim.attempt)
        number = self.said.get(key, 0) + 1
        before = self.store.runs.summary(claim.run) if claim.run in self.known else None
        try:
            appended = self.store.log.append(claim.run, claim.attempt, numbered(event, first=number))
        except Missing:
            assert before is None
        except Fenced:
            assert before is not None
            assert claim.attempt < before.attempt or before.state not in LIVE
        else:
            assert before is not None
            assert claim.attempt == before.attempt
            assert appended.received == number
            self.said[key] = number

    @rule(claim=claims, crash=st.booleans(), seen=st.booleans())
    def lose(self, claim: Claim, crash: bool, seen: bool) -> None:
        if claim.run in self.known:
            self._conclude(claim, lambda: self.store.queue.lost(claim.run, claim.attempt, "x", crash=crash, seen=seen))

    @rule(claim=claims)
    def fail(self, claim: Claim) -> None:
        problem = Problem(code=ProblemCode.TRAINER_FAILED, message="x")
        if claim.run in self.known:
            self._conclude(claim, lambda: self.store.queue.fail(claim.run, claim.attempt, problem))

    def _conclude(self, claim: Claim, act: object) -> None:
        before = self.store.runs.summary(claim.run)
        done = act()  # type: ignore[operator]
        after = self.store.runs.summary(claim.run)
        if before.attempt == claim.attempt and before.state in LIVE:
            assert done
            assert after.attempt == claim.attempt + 1
            assert after.state not in LIVE
        else:
            assert not done
            assert after == before

    @rule()
    def let_time_pass(self) -> None:
        with self.store._database.write() as connection:
            connection.exec_driver_sql("UPDATE runs SET not_before = 0")

    @rule(run=consumes(runs))
    def delete(self, run: str) -> None:
        if run not in self.known:
            return
        live = self.store.runs.summary(run).state in LIVE
        try:
            self.store.runs.delete(run)
        except StateConflict:
            assert live
        else:
            assert not live
            self.known.remove(run)

    @invariant()
    def log_and_row_agree(self) -> None:
        if not hasattr(self, "store"):
            return
        assert {row.id for row in self.store.runs.page(limit=200).items} == self.known
        for run in self.known:
            row = self.store.runs.summary(run)
            events = [orjson.loads(body) for body in self.store.log.events(run)]
            assert [event["seq"] for event in events] == list(range(1, row.last_seq + 1))
            states = [event["state"] for event in events if event["kind"] == "state"]
            assert states[-1] == row.state
            assert (row.ended_at is not None) == (row.state in ENDED)
            for before, after in pairwise(states):
                assert after in AFTER[before], (before, after)
        assert {live.run for live in self.store.queue.live()} == {
            run for run in self.known if self.store.runs.summary(run).state in LIVE
        }


TestRunMachine = RunMachine.TestCase
TestRunMachine.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
