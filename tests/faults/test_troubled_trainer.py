"""Trainers that hang or run out of memory, with everything real: queue, dispatcher, executor, template, trainer."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from channel import channel
from layerloom.runs import Dispatcher, Limits
from layerloom.runs.executors.local import LocalExecutor
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.schema.run import Run
from layerloom.storage import Store, open_store
from stores import DOCUMENT, PLAN
from trainers import Attempt, warm
from unit.worker.service import serving
from waiting import wait_for

ENDLESS = """import torch
from torch import nn


class Endless(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        while self.training:
            x = x + 0
        return x
"""


def linear(name: str, width: int) -> dict[str, Any]:
    arguments = {"in_features": {"$auto": True}, "out_features": width}
    return {"kind": "layer", "name": name, "target": "torch.nn.Linear", "arguments": arguments}


def row(*members: dict[str, Any], **fields: Any) -> Document:
    """Layers one after the other, for flat digits."""
    before = ["x", *(member["name"] for member in members)]
    arguments = [{member.pop("port", "input"): {"$ref": name}} for member, name in zip(members, before, strict=False)]
    nodes = [
        {"op": "call", "id": member["name"], "target": member["name"], "arguments": given}
        for member, given in zip(members, arguments, strict=True)
    ]
    forward = {"inputs": [{"name": "x"}], "nodes": nodes, "output": {"$ref": before[-1]}}
    blocks = {"Net": {"members": members, "forward": forward}}
    return Document.model_validate(
        {"format": 1, "main": "Net", "blocks": blocks, "inputs": {"x": {"shape": [64]}}, **fields}
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    home = tmp_path_factory.mktemp("home")
    store = open_store(f"sqlite:///{home / 'layerloom.db'}", home / "runs")
    with channel(store, home / "address"):
        executor = LocalExecutor(cpu_slots=1)
        limits = Limits(stalled=4, grace=1)
        paths = {"data_folder": home / "data", "address_file": home / "address"}
        dispatcher = Dispatcher(store, executor, limits=limits, python=True, **paths)
        dispatcher.start()
        yield store
        dispatcher.close()
    store.close()


def failed(store: Store, document: Document, plan: Plan) -> tuple[Run, str]:
    """A run that fails, and what its log held."""
    run = store.runs.add(document, plan).run
    wait_for(lambda: store.runs.summary(run).state == "failed", "the end of the run")
    events = [json.loads(body) for body in store.log.events(run, limit=10_000)]
    return store.runs.get(run), "".join(event.get("traceback", "") for event in events)


def test_data_that_never_arrive_are_stalled_with_the_stacks(store: Store) -> None:
    upload = store.folder("x").parents[1] / "data" / "uploads" / "0123456789abcdef"
    upload.mkdir(parents=True)
    # Opening a pipe that nobody writes to waits, as a file on a network disk does that is gone.
    os.mkfifo(upload / "meta.json")
    run, stacks = failed(store, DOCUMENT, PLAN.model_copy(update={"dataset": "mine"}))
    (upload / "meta.json").unlink()
    upload.rmdir()
    assert run.problem is not None
    assert run.problem.code == "stalled"
    assert "uploads.py" in stacks
    assert "in _meta" in stacks


def test_a_layer_that_never_returns_is_stalled_with_the_stacks(store: Store) -> None:
    endless = {"kind": "layer", "name": "wait", "target": "python.Endless", "port": "x"}
    document = row(linear("fc", 16), endless, linear("head", 10), code={"Endless": {"source": ENDLESS}})
    run, stacks = failed(store, document, PLAN)
    assert run.problem is not None
    assert run.problem.code == "stalled", stacks
    # The innermost frame of the thread that trains.
    assert "in forward" in stacks
    assert "layerloom_network_" in stacks


def test_a_trainer_is_started_again_three_times_and_no_more(store: Store) -> None:
    run = store.runs.add(DOCUMENT, PLAN.model_copy(update={"epochs": 100_000})).run
    resumed = []
    for kill in range(4):
        wait_for(lambda: store.runs.summary(run).state == "running" and store.runs.checkpoints(run), "training")
        attempt = store.runs.summary(run).attempt
        folder = store.folder(run) / "attempts" / str(attempt)
        resumed.append(json.loads((folder / "job.json").read_bytes())["resume"])
        # A warm trainer may say that it runs before the executor has written which process it is.
        wait_for((folder / "process.json").is_file, "the trainer's record")
        os.kill(json.loads((folder / "process.json").read_bytes())["pid"], signal.SIGKILL)
        wait_for(lambda before=attempt: store.runs.summary(run).attempt > before, f"kill {kill} is noticed")  # type: ignore[misc]
    view = store.runs.get(run)
    assert view.state == "failed"
    assert view.problem is not None
    assert view.problem.code == "trainer_lost"
    assert view.problem.data["crashes"] == 4
    assert resumed[0] is None
    assert all(resumed[1:]), "each went on from a checkpoint"
    assert (store.runs.checkpoint(run, "last").folder / "state.pt").is_file()
    reasons = [json.loads(body).get("reason") or "" for body in store.log.events(run, limit=10_000)]
    told = [f"This was crash {count} of at most 3." in " ".join(reasons) for count in (1, 2, 3, 4)]
    assert told == [True, True, True, False]


def test_memory_that_is_refused_is_told_with_what_would_help(tmp_path: Path) -> None:
    attempt = Attempt(
        tmp_path, (row(linear("wide", 200_000), linear("head", 10)), "digits-flat"), {"batch_size": 2_000}
    )
    with serving(tmp_path) as service, warm() as template:
        process = psutil.Process(template.process.pid)
        # The weights fit, with what the optimizer keeps of them; a whole batch of 1.1 GB does not.
        process.rlimit(resource.RLIMIT_AS, (process.memory_info().vms + 700 * 2**20,) * 2)
        assert attempt.train(template) == 0, attempt.log.read_text()
    assert service.states() == ["running", "failed"]
    (found,) = service.of("problem")
    assert found["problem"]["code"] == "out_of_memory", found["traceback"]
    assert "smaller batch size" in found["problem"]["message"]
    assert "accumulation" in found["problem"]["message"]
    assert "updates.step" in found["traceback"], "it was a step that ran out of memory"
