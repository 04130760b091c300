"""Trainers are killed at random moments, and the run comes out as if nothing had happened.

``LAYERLOOM_KILLS=50 pytest tests/faults/test_killed_trainer.py`` is the whole promise: see ``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten_with_path

from layerloom.schema.document import Document
from layerloom.training.checkpoints import CheckpointStore
from trainers import Attempt, Forked, Template, losses, warm
from unit.worker.service import HANG_GUARD_S, serving

KILLS = int(os.environ.get("LAYERLOOM_KILLS", "6"))
pytestmark = pytest.mark.timeout(120 + 30 * KILLS)

OFTEN = """
from layerloom.training import keeper, recorder
keeper.LONGEST, keeper.SHARE, recorder.FLUSH_SECONDS = 0.02, 0.5, 0.01
from layerloom.worker.template import main
raise SystemExit(main())
"""
"""The template with some checkpoints in each epoch, of a tenth of a second here, where there is one each minute
otherwise: a run of seconds then meets everything that one of hours does."""


def layer(name: str, target: str, **arguments: Any) -> dict[str, Any]:
    return {"kind": "layer", "name": name, "target": f"torch.nn.{target}", "arguments": arguments}


LAYERS = [
    layer("conv", "Conv2d", in_channels=1, out_channels=8, kernel_size=3, padding=1),
    layer("norm", "BatchNorm2d", num_features=8),
    layer("act", "ReLU"),
    layer("drop", "Dropout", p=0.25),
    layer("flat", "Flatten"),
    layer("head", "Linear", in_features=512, out_features=10),
]
NODES = [
    {"op": "call", "id": one["name"], "target": one["name"], "arguments": {"input": {"$ref": before}}}
    for one, before in zip(LAYERS, ["x", *(one["name"] for one in LAYERS)], strict=False)
]
DOCUMENT = Document.model_validate(
    {
        "format": 1,
        "name": "Net",
        "main": "Net",
        "inputs": {"x": {"shape": [1, 8, 8]}},
        "blocks": {
            "Net": {
                "members": LAYERS,
                "forward": {"inputs": [{"name": "x"}], "nodes": NODES, "output": {"$ref": "head"}},
            }
        },
    }
)
PLAN = {
    "epochs": 12,
    "batch_size": 16,  # 90 steps an epoch: most of what is saved lies in the middle of one
    "seed": 3,
    "threads": 1,
    "optimizer": {"name": "torch.optim.AdamW", "arguments": {"lr": 0.002}},
    "scheduler": {"name": "torch.optim.lr_scheduler.CosineAnnealingLR", "arguments": {"T_max": 1_080}},
    "scheduler_interval": "step",
}


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    with warm((sys.executable, "-c", OFTEN)) as running:
        yield running


class Run:
    """One run in a folder, trained by as many attempts as it takes."""

    def __init__(self, folder: Path, template: Template) -> None:
        self.folder = folder
        self.template = template
        self.store = CheckpointStore(folder / "run", 1)
        self.attempts: list[Attempt] = []
        self.repeated: list[int] = []
        """Steps done again after each kill."""
        self.inside = 0
        """Checkpoints in the middle of an epoch from which an attempt went on."""

    def attempt(self) -> Attempt:
        """The next one, from the newest checkpoint that was told of, as the store finds it."""
        path = self.newest()
        made = Attempt(self.folder, (DOCUMENT, "digits"), PLAN, number=len(self.attempts) + 1, resume=path)
        if path is not None:
            done, position = self.reached(), self.store.load(path).training["position"]
            self.repeated.append(done - position["step"])
            self.inside += position["batch"] > 0
            spent = self.times().get(done, 0.0) - position["elapsed"]
            assert done <= position["step"] + 1 or spent <= 60, "a crash costs one step, or a minute"
        self.attempts.append(made)
        return made

    def newest(self) -> str | None:
        """Path of the newest checkpoint of the newest attempt that has one."""
        for attempt in reversed(self.attempts):
            told = [event["path"] for event in spooled(attempt) if event["kind"] == "checkpoint"]
            found = [path for path in told if self.store.exists(path)]
            if found:
                return max(found, key=lambda path: int(path.rpartition("-s")[2]))
        return None

    def reached(self) -> int:
        """The last step that was told of."""
        return max((step for attempt in self.attempts for step in losses(spooled(attempt))), default=0)

    def times(self) -> dict[int, float]:
        """Seconds of training by step, of the newest attempt that did it."""
        return {
            step: moment
            for attempt in self.attempts
            for event in spooled(attempt)
            if event["kind"] == "metrics"
            for step, moment in zip(event["steps"], event["times"], strict=True)
        }

    def series(self, name: str) -> dict[int, float]:
        """A series by step; what was done twice came out the same twice."""
        points: dict[int, float] = {}
        for attempt in self.attempts:
            for step, value in losses(spooled(attempt), name).items():
                assert points.setdefault(step, value) == value, f"{name} at step {step}"
        return points

    def end(self) -> dict[str, Any]:
        """Everything of the last checkpoint but the clock and what is called by its attempt."""
        path = self.newest()
        assert path is not None
        contents = self.store.load(path)
        training = {name: value for name, value in contents.training.items() if name != "position"}
        position = contents.training["position"]
        return {"state": dict(contents.state), **training, "at": [position[key] for key in ("step", "epoch", "batch")]}


def different(one: Any, other: Any) -> list[str]:
    """Where two nested states are not the same, bit for bit."""
    (leaves, form), (others, other_form) = tree_flatten_with_path(one), tree_flatten_with_path(other)
    assert form == other_form
    return [
        str(path)
        for (path, value), (_, known) in zip(leaves, others, strict=True)
        if not (torch.equal(value, known) if isinstance(value, Tensor) else value == known)
    ]


def spooled(attempt: Attempt) -> list[dict[str, Any]]:
    """Events of its spool, which a kill may have left without one, or with a last line that is cut."""
    return attempt.spooled() if (attempt.place / "spool.jsonl").exists() else []


def train_until_killed(run: Run, chance: random.Random) -> bool:
    """One attempt, killed at a moment that nobody chose; False when it has ended before."""
    attempt = run.attempt()
    spool = attempt.place / "spool.jsonl"
    wanted = 0 if chance.random() < 0.2 else chance.randint(1, 40)
    with serving(run.folder), attempt.running(run.template) as process:
        before = run.reached()
        while wanted and process.poll() is None and not (spool.exists() and told(spool) >= before + wanted):
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.1 if wanted else 0.4))
        return killed(process)


def told(spool: Path) -> int:
    """The newest step in a spool that is being written."""
    found = re.findall(rb'"kind":"metrics".*?"steps":\[[\d,]*?(\d+)\]', spool.read_bytes())
    return max(map(int, found), default=0)


def killed(process: Forked) -> bool:
    if process.poll() is None:
        process.kill()
    return process.wait(HANG_GUARD_S) == -signal.SIGKILL


def test_killed_at_random_moments_it_is_the_run_that_never_was(tmp_path: Path, template: Template) -> None:
    whole = Run(tmp_path / "whole", template)
    whole.folder.mkdir()
    with serving(whole.folder):
        assert whole.attempt().train(template) == 0, whole.attempts[-1].log.read_text()

    chance = random.Random(0)
    kills = 0
    runs: list[Run] = []
    # A few kills may all fall where the last save was at an epoch's end: then there are some more, at most.
    while kills < KILLS or (kills < 5 * KILLS and not any(run.inside for run in runs)):
        run = Run(tmp_path / str(len(runs)), template)
        runs.append(run)
        run.folder.mkdir()
        wanted = max(KILLS, kills + 1)
        while kills < wanted and train_until_killed(run, chance):
            kills += 1
        if run.attempts[-1].spooled()[-1].get("state") != "succeeded":
            with serving(run.folder):
                assert run.attempt().train(template) == 0, run.attempts[-1].log.read_text()

        for name in ("train/loss", "train/lr", "validation/loss", "validation/accuracy", "train/accuracy"):
            assert run.series(name) == whole.series(name)
        assert different(run.end(), whole.end()) == []
    repeated = [steps for run in runs for steps in run.repeated]
    print(f"{kills} kills in {len(runs)} runs, {sum(run.inside for run in runs)} resumed inside an epoch,")
    print(f"steps repeated: at most {max(repeated)}, {sum(repeated) / len(repeated):.1f} on average")
    assert sum(run.inside for run in runs) > 0, "none of them went on in the middle of an epoch"
