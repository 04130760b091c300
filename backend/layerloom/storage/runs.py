"""Runs as the user sees them: add, look at, rename, ask for another state, delete, and their checkpoints."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, Literal, TypeVar

import orjson
import sqlalchemy as sa

from layerloom.schema.base import Wire
from layerloom.schema.datasets import VOCABULARY_FILE
from layerloom.schema.document import Document
from layerloom.schema.events import ENDED, LIVE, Event, State, StateChanged
from layerloom.schema.fork import ForkedFrom, Offspring, Origin
from layerloom.schema.plan import Plan
from layerloom.schema.problems import Problem
from layerloom.schema.run import (
    PREPARATION_FILE,
    SCALING_FILE,
    Checkpoint,
    Desired,
    InputScaling,
    Preparation,
    Run,
    RunPage,
    RunPatch,
    RunSummary,
)
from layerloom.storage import orders
from layerloom.storage.errors import KeyReused, Missing, StateConflict
from layerloom.storage.fold import LARGEST
from layerloom.storage.ids import known_form, label, new_id
from layerloom.storage.journal import Journal, Row, is_published
from layerloom.storage.records import Added, Saved
from layerloom.storage.tables import checkpoints, idempotency_keys, run_bodies, runs

Sort = Literal["created_at", "name", "state", "ended_at", "step"]
PAGE = 200
_Told = TypeVar("_Told", bound=Wire)
ORIGIN = "origin"
"""Folder of what a fork begins with, below its own."""
_PLAIN = tuple(name for name in RunSummary.model_fields if name != "forked_from")
_SUMMARY = tuple(runs.c[name] for name in (*_PLAIN, "origin", "origin_name", "origin_step"))


class Runs:
    """Every method raises ``Missing`` for an unknown run."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._artifacts = journal.artifacts

    def add(
        self,
        document: Document,
        plan: Plan,
        *,
        name: str = "",
        parameters: int = 0,
        key: str | None = None,
        origin: Origin | None = None,
        checkpoint: Path | None = None,
    ) -> Added:
        """Put a run into the queue. The same Idempotency-Key gives the same run; ``KeyReused`` if the body differs.

        ``origin`` is what it is forked from, and ``checkpoint`` the folder of what it begins with: its files lie in the
        run's own folder from then on. Raises FileNotFoundError where they are gone.
        """
        run, bodies = new_id(), (document.model_dump_json().encode(), plan.model_dump_json().encode())
        came = [] if origin is None else [f"{origin.run} {origin.report.step} {origin.report.fresh}".encode()]
        body_hash = _digest(name.encode(), *bodies, *came)
        with self._journal.transaction() as transaction:
            known = None if key is None else _known(transaction.connection, key, body_hash)
            if known is not None:
                return Added(known, new=False)
            row = {
                "id": run,
                "name": label(name or document.name),
                "tags": "[]",
                "state": "queued",
                "desired": "run",
                "dataset": label(plan.dataset),
                "model": label(document.main),
                "device": plan.device,
                "threads": plan.threads,
                "parameters": min(parameters, LARGEST),
                "created_at": transaction.now,
                "origin": None if origin is None else origin.run,
                "origin_name": None if origin is None else origin.name,
                "origin_step": None if origin is None else origin.report.step,
            }
            transaction.connection.execute(runs.insert().values(row))
            transaction.connection.execute(
                run_bodies.insert().values(
                    run=run,
                    document=bodies[0],
                    plan=bodies[1],
                    problem=None,
                    origin=None if origin is None else origin.model_dump_json(),
                )
            )
            if checkpoint is not None:
                keep_checkpoint(checkpoint, self._artifacts / run / ORIGIN)
            if key is not None:
                hashes = {"key_hash": _digest(key.encode()), "body_hash": body_hash}
                transaction.connection.execute(idempotency_keys.insert().values(run=run, **hashes))
            transaction.record(transaction.row(run), [StateChanged(state="queued")])
        return Added(run, new=True)

    def get(self, run: str) -> Run:
        """One run, whole."""
        bodies = [run_bodies.c[name] for name in ("document", "plan", "problem", "adjusted")]
        query = sa.select(*_SUMMARY, runs.c.adjustment, *bodies, run_bodies.c.origin.label("began"))
        forks = sa.select(runs.c.id, runs.c.name).where(runs.c.origin == run).order_by(runs.c.created_at.desc())
        query = query.join(run_bodies, run_bodies.c.run == runs.c.id).where(runs.c.id == known_form(run, "run"))
        with self._journal.database.read() as connection:
            row = connection.execute(query).mappings().first()
            made = connection.execute(forks.limit(PAGE)).mappings().all()
        if row is None:
            raise Missing("there is no such run")
        return Run(
            **_plain(dict(row)),
            document=Document.model_validate_json(row["document"]),
            plan=Plan.model_validate_json(row["plan"]),
            problem=None if row["problem"] is None else Problem.model_validate_json(row["problem"]),
            vocabulary=(self._artifacts / row["id"] / VOCABULARY_FILE).exists(),
            scaling=self._told(row["id"], SCALING_FILE, InputScaling),
            preparation=self._told(row["id"], PREPARATION_FILE, Preparation),
            adjustment=orders.adjustment_of(dict(row)),
            adjusted=orjson.loads(row["adjusted"]),
            origin=None if row["began"] is None else Origin.model_validate_json(row["began"]),
            forks=[Offspring(**one) for one in made],
        )

    def told(self, run: str) -> dict[str, str]:
        """What a file of weights has to tell of how inputs were prepared, by name, as JSON."""
        scaling = self._told(run, SCALING_FILE, InputScaling)
        preparation = self._told(run, PREPARATION_FILE, Preparation)
        found = {"layerloom.scaling": scaling, "layerloom.preparation": preparation}
        return {name: value.model_dump_json(by_alias=True) for name, value in found.items() if value is not None}

    def _told(self, run: str, file: str, kind: type[_Told]) -> _Told | None:
        try:
            return kind.model_validate_json((self._artifacts / run / file).read_bytes())
        except FileNotFoundError:
            return None

    def vocabulary(self, run: str) -> str:
        """How a run numbers tokens, as JSON.

        Raises:
            Missing: it has no text, or has not begun.
        """
        try:
            path = self._artifacts / known_form(run, "run") / VOCABULARY_FILE
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise Missing("this run has no vocabulary (yet)") from None

    def summary(self, run: str) -> RunSummary:
        """Its row of the table, without document and plan."""
        query = sa.select(*_SUMMARY).where(runs.c.id == known_form(run, "run"))
        with self._journal.database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise Missing("there is no such run")
        return RunSummary(**_plain(dict(row)))

    def page(
        self,
        *,
        text: str = "",
        state: State | None = None,
        sort: Sort = "created_at",
        descending: bool = True,
        limit: int = 50,
        offset: int = 0,
    ) -> RunPage:
        """A page of at most 200 rows. ``text`` is looked for in name, model, data set, tags and id."""
        conditions = [] if state is None else [runs.c.state == state]
        if wanted := label(text):
            columns = (runs.c.name, runs.c.model, runs.c.dataset, runs.c.tags, runs.c.id)
            conditions.append(sa.or_(*(column.icontains(wanted, autoescape=True) for column in columns)))
        query = page_query(sort, descending, limit, offset).where(*conditions)
        count = sa.select(sa.func.count()).select_from(runs).where(*conditions)
        with self._journal.database.read() as connection:
            rows = connection.execute(query).mappings().all()
            total = connection.execute(count).scalar_one()
        return RunPage(items=[RunSummary(**_plain(dict(row))) for row in rows], total=total)

    def patch(self, run: str, patch: RunPatch) -> RunSummary:
        """Rename or tag a run, and change its learning rate or its length, all of it or nothing.

        A live trainer hears of a change with its next receipt, another one when it starts. A run that has reached its
        length is queued again. ``StateConflict`` with the remedy where its state does not allow it.
        """
        with self._journal.transaction() as transaction:
            row = transaction.row(run)
            said: list[Event] = []
            columns: dict[str, Any] = {}
            if patch.name is not None:
                columns["name"] = label(patch.name)
                forks = runs.update().where(runs.c.origin == row["id"])
                transaction.connection.execute(forks.values(origin_name=columns["name"]))
            if patch.tags is not None:
                columns["tags"] = orjson.dumps([label(tag) for tag in patch.tags]).decode()
            wanted = orders.adjusted(row, patch)
            if wanted != orders.adjustment_of(row):
                columns["adjustment"] = wanted.model_dump_json()
                if row["state"] == "succeeded":
                    if newest_checkpoint(transaction.connection, self._artifacts, run) is None:
                        raise StateConflict("The run has no checkpoint left to go on from. Train the network anew.")
                    said = [StateChanged(state="queued", reason="extended by the user", attempt=row["attempt"])]
                    columns.update(desired="run", crashes=0, not_before=0.0)
            if columns:
                transaction.record(row, said, **columns)
            return RunSummary(**_plain(row))

    def want(self, run: str, desired: Desired) -> RunSummary:
        """Ask for ``run``, ``pause`` or ``stop``.

        A queued, paused or interrupted run is settled at once (with its event); a live one by its trainer, which reads
        the wish from its next receipt. ``StateConflict`` when the run has ended, except that an interrupted run
        may be resumed and that stopping what has ended changes nothing.
        """
        with self._journal.transaction() as transaction:
            row = transaction.row(run)
            state = settled(row["state"], row["desired"], desired)
            if state == row["state"]:
                said: list[Event] = []
            else:
                reason = {"run": "resumed", "pause": "paused", "stop": "stopped"}[desired]
                said = [StateChanged(state=state, reason=f"{reason} by the user", attempt=row["attempt"])]
            wish = row["desired"] if row["state"] in ENDED and not said else desired
            # A user's resume is a new beginning: earlier crashes do not count against it.
            again = {"crashes": 0, "not_before": 0.0} if said and desired == "run" else {}
            transaction.record(row, said, desired=wish, **again)
            return RunSummary(**_plain(row))

    def ask(self, run: str) -> RunSummary:
        """Wish for a checkpoint of a live run; ``StateConflict`` with the remedy otherwise."""
        with self._journal.transaction() as transaction:
            row = transaction.row(run)
            transaction.record(row, [], asked=orders.asked(row))
            return RunSummary(**_plain(row))

    def delete(self, run: str) -> None:
        """Remove a run with its events and files; ``StateConflict`` while it is live."""
        with self._journal.transaction() as transaction:
            row = transaction.row(run)
            if row["state"] in LIVE:
                raise StateConflict("The run is being trained. Stop it first.")
            transaction.connection.execute(runs.delete().where(runs.c.id == run))
        shutil.rmtree(self._artifacts / run, ignore_errors=True)

    def checkpoints(self, run: str) -> list[Checkpoint]:
        """Those whose files are there, newest first."""
        self.summary(run)
        fields = Checkpoint.model_fields
        return [Checkpoint(**{name: getattr(one, name) for name in fields}) for one in self._saved(run)]

    def checkpoint(self, run: str, which: str) -> Saved:
        """``last``, ``best`` or a step; ``Missing`` when there is none (any more)."""
        for one in self._saved(known_form(run, "run")):
            if (one.last and which == "last") or (one.best and which == "best") or str(one.step) == which:
                return one
        raise Missing("there is no such checkpoint")

    def counts(self) -> dict[State, int]:
        """How many runs are in each state that occurs."""
        query = sa.select(runs.c.state, sa.func.count()).group_by(runs.c.state)
        with self._journal.database.read() as connection:
            return {state: count for state, count in connection.execute(query)}  # noqa: C416  (mypy cannot tell a pair from a row)

    def _saved(self, run: str) -> list[Saved]:
        with self._journal.database.read() as connection:
            return saved_checkpoints(connection, self._artifacts, run)


def page_query(sort: Sort, descending: bool, limit: int, offset: int) -> sa.Select[Any]:
    """One page of the table. The id breaks ties, so that pages never overlap."""
    order = [column.desc() if descending else column.asc() for column in (runs.c[sort], runs.c.id)]
    query = sa.select(*_SUMMARY).order_by(*order)
    return query.limit(max(0, min(limit, PAGE))).offset(max(0, min(offset, LARGEST)))


def settled(state: State, held: Desired, desired: Desired) -> State:
    """The state after a wish; the same one where a trainer has to settle it, or where there is nothing to change."""
    if state in ENDED and desired == "stop":
        return state
    if state in ENDED and not (state == "interrupted" and desired == "run"):
        go_on = "Extend it to train on, or fork it." if state == "succeeded" else orders.FORK
        raise StateConflict(f"The run is {state}. {go_on}")
    if state in LIVE:
        if held == "stop" and desired != "stop":
            raise StateConflict(f"The run is stopping. Once it has stopped: {orders.FORK.lower()}")
        return state
    outcome: dict[Desired, State] = {"run": "queued", "pause": "paused", "stop": "stopped"}
    return outcome[desired]


def saved_checkpoints(connection: sa.Connection, artifacts: Path, run: str) -> list[Saved]:
    """Published checkpoints whose files are there, newest first; the first is ``last``."""
    query = sa.select(checkpoints).where(checkpoints.c.run == run)
    query = query.order_by(checkpoints.c.attempt.desc(), checkpoints.c.step.desc())
    rows = [row for row in connection.execute(query).mappings() if is_published(artifacts / run / row["path"])]
    names = ("step", "epoch", "attempt", "best", "monitor", "value", "weights", "saved_at")
    return [
        Saved(folder=artifacts / run / row["path"], last=index == 0, **{name: row[name] for name in names})
        for index, row in enumerate(rows)
    ]


def newest_checkpoint(connection: sa.Connection, artifacts: Path, run: str) -> Saved | None:
    """Where the next attempt goes on."""
    return next(iter(saved_checkpoints(connection, artifacts, run)), None)


def _plain(row: Row) -> dict[str, Any]:
    plain = {name: row[name] for name in _PLAIN}
    told = {name: orjson.loads(row[name]) for name in ("tags", "last", "best")}
    origin = row["origin"]
    came = None if origin is None else ForkedFrom(run=origin, name=row["origin_name"], step=row["origin_step"])
    return {**plain, **told, "forked_from": came}


def keep_checkpoint(checkpoint: Path, folder: Path) -> None:
    """Give a checkpoint's files a second name, under which they stay whatever becomes of the first.

    Raises:
        FileNotFoundError: it is gone; then so is what ``folder`` was to lie in.
    """
    folder.mkdir(parents=True)
    try:
        for file in sorted(checkpoint.iterdir()):
            try:
                os.link(file, folder / file.name)
            except FileNotFoundError:
                raise
            except OSError:  # a file system without links
                shutil.copyfile(file, folder / file.name)
    except BaseException:
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise
    if not is_published(folder):
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise FileNotFoundError("the checkpoint was retired")


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _known(connection: sa.Connection, key: str, body_hash: str) -> str | None:
    table = idempotency_keys
    query = sa.select(table.c.run, table.c.body_hash).where(table.c.key_hash == _digest(key.encode()))
    found = connection.execute(query).first()
    if found is None:
        return None
    if found.body_hash != body_hash:
        raise KeyReused("this Idempotency-Key was used for another run")
    return str(found.run)
