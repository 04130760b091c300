"""Stores on both databases, and the smallest things to put into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from layerloom.schema.document import Document
from layerloom.schema.events import CheckpointSaved, Event, Metrics, Progress, StateChanged
from layerloom.schema.plan import Plan
from layerloom.schema.worker import Numbered
from layerloom.storage import Claim, Store, open_store
from postgres import Postgres

DOCUMENT = Document.model_validate(
    {
        "format": 1,
        "name": "Line",
        "main": "Line",
        "inputs": {"x": {"shape": [64]}},
        "blocks": {
            "Line": {
                "members": [
                    {
                        "kind": "layer",
                        "name": "fc",
                        "target": "torch.nn.Linear",
                        "arguments": {"in_features": {"$auto": True}, "out_features": 10},
                    }
                ],
                "forward": {
                    "inputs": [{"name": "x"}],
                    "nodes": [{"op": "call", "id": "n1", "target": "fc", "arguments": {"input": {"$ref": "x"}}}],
                    "output": {"$ref": "n1"},
                },
            }
        },
    }
)
PLAN = Plan(dataset="digits-flat", epochs=1, device="cpu", threads=1)

_MADE = {
    "0002": ["DROP TABLE chunks", "DROP TABLE series"],
    "0003": [
        "DROP INDEX ix_events_run_last_step",
        "DROP INDEX ix_events_run_seq",
        *(f"ALTER TABLE events DROP COLUMN {name}" for name in ("first_step", "last_step")),
    ],
    "0004": [
        "DROP INDEX ix_runs_origin",
        *(f"ALTER TABLE runs DROP COLUMN {name}" for name in ("asked", "answered", "adjustment", "adjusted", "origin")),
        *(f"ALTER TABLE run_bodies DROP COLUMN {name}" for name in ("adjusted", "origin")),
        "ALTER TABLE checkpoints DROP COLUMN weights",
    ],
    "0005": ["ALTER TABLE network_revisions DROP COLUMN label"],
    "0006": [f"ALTER TABLE runs DROP COLUMN {name}" for name in ("origin_name", "origin_step")],
}
"""What takes back what each revision of the schema made."""


def as_before(connection: sa.Connection, revision: str) -> None:
    """Give a database the schema that it had at an earlier revision."""
    for later in sorted(_MADE, reverse=True):
        for statement in _MADE[later] if later > revision else ():
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


OpenStore = Callable[[], Store]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'layerloom.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_url()


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(database_url, tmp_path / "runs")
    yield opened
    opened.close()


def add_run(store: Store, **changes: object) -> str:
    """A run in the queue."""
    return store.runs.add(DOCUMENT, PLAN, **changes).run  # type: ignore[arg-type]


def claimed(store: Store, **changes: object) -> Claim:
    """A run that is starting."""
    run = add_run(store, **changes)
    [claim] = [claim for claim in store.queue.claim(200) if claim.run == run]
    return claim


def numbered(*events: Event, first: int = 1) -> list[Numbered]:
    """Events as a trainer sends them."""
    return [Numbered(number=number, event=event) for number, event in enumerate(events, first)]


def running() -> StateChanged:
    return StateChanged(state="running")


def loss(step: int, value: float | None = 1.0, name: str = "train/loss") -> Metrics:
    bad = {name: [step]} if value is None else {}
    return Metrics(steps=[step], epochs=[step / 10], times=[step / 100], series={name: [value]}, nonfinite=bad)


def progress(step: int, steps: int = 100) -> Progress:
    return Progress(step=step, steps=steps, epoch=1, epochs=3, elapsed=step / 100)


def publish_checkpoint(store: Store, run: str, attempt: int, step: int, **facts: object) -> CheckpointSaved:
    """A checkpoint's folder, as a trainer leaves it, and the event that tells of it."""
    path = f"checkpoints/a{attempt}-s{step}"
    folder = store.folder(run) / path
    folder.mkdir(parents=True)
    (folder / "state.pt").write_bytes(b"weights")
    (folder / "manifest.json").write_text("{}")
    return CheckpointSaved(step=step, epoch=1, path=path, **facts)  # type: ignore[arg-type]
