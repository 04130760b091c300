"""A parity report: the same short training in several ways, one after the other, each as a job of its own.

Bounds are shares of the mean loss. bf16 has 8 bits of mantissa and may wander, and is held to the level that the loss
comes down to. Several devices only add up in another order, and are held to it step by step, unless random numbers are
drawn, of which each device has its own.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import torch
from pydantic import ValidationError

from layerloom.files import write_json
from layerloom.schema.parity import Parity, ParityWay, WayName
from layerloom.schema.plan import Plan, Statistics
from layerloom.schema.trial import REPORT_FILE
from layerloom.schema.worker import Job
from layerloom.worker import job as single
from layerloom.worker.forked import end_with
from layerloom.worker.several import die_with_parent, warmed

BOUNDS: dict[WayName, float] = {"bf16": 0.05, "devices": 0.01}
"""Of what is trained without random numbers."""
LOOSE = 0.2
"""Where each device draws its own."""


def run(path: Path, job: Job) -> int:
    """Train in each way and keep the report in the folder of ``path``; gives the exit code."""
    assert job.parity is not None
    warmed()
    ways = [ParityWay(name=name, devices=job.parity.devices if name == "devices" else 1) for name in get_args(WayName)]
    report = Parity(state="running", steps=job.parity.steps, ways=ways)
    write_json(path.parent / REPORT_FILE, report)
    for place, way in enumerate(ways):
        folder = path.parent / way.name
        try:
            plan = planned(job.plan, way, report.steps)
        except ValidationError as error:
            told = "; ".join(str(item["msg"]).removeprefix("Value error, ") for item in error.errors())
            ways[place] = way.model_copy(update={"message": told})
        else:
            _trained(job, plan, folder)
            random = report.random or (place == 0 and drawn(folder, plan.seed))
            report = report.model_copy(update={"random": random})
            ways[place] = judged(read(way, folder), ways[0], random=random)
        shutil.rmtree(folder, ignore_errors=True)
        state = "done" if place == len(ways) - 1 else "running"
        report = report.model_copy(update={"ways": [*ways], "state": state})
        write_json(path.parent / REPORT_FILE, report)
    return single.ENDED


def planned(plan: Plan, way: ParityWay, steps: int) -> Plan:
    """A run's plan for so many steps in one way, and nothing that only a whole run has.

    Raises:
        ValidationError: it cannot be shared so.
    """
    changes: dict[str, Any] = {
        "epochs": None,
        "steps": steps,
        "precision": "bf16" if way.name == "bf16" else "fp32",
        "compile": False,
        "device": plan.device.partition(":")[0] if way.devices > 1 else plan.device,
        "devices": way.devices,
        "sync_batch_norm": way.devices > 1,
        "averaging": None,
        "early_stopping": None,
        "statistics": Statistics(budget=0).model_dump(),
    }
    return Plan.model_validate({**plan.model_dump(), **changes})


def judged(way: ParityWay, against: ParityWay, *, random: bool) -> ParityWay:
    """A way with how far its losses lie from those of another, and whether that is within its bound."""
    if way.name == against.name or way.message:
        return way
    pairs = zip(way.losses, against.losses, strict=False)
    known = [(own, other) for own, other in pairs if own is not None and other is not None]
    if not known or len(known) < len(against.losses):
        return way.model_copy(update={"holds": False})
    scale = sum(abs(other) for _, other in known) / len(known) or 1.0
    last = known[-max(1, len(known) // 10) :]
    largest = max(abs(own - other) for own, other in known) / scale
    final = abs(sum(own - other for own, other in last)) / len(last) / scale
    by_step = way.name == "devices" and not random
    bound = LOOSE if way.name == "devices" and random else BOUNDS[way.name]
    return way.model_copy(
        update={
            "largest": largest,
            "final": final,
            "judged": "largest" if by_step else "final",
            "bound": bound,
            "holds": (largest if by_step else final) <= bound,
        }
    )


def read(way: ParityWay, folder: Path) -> ParityWay:
    """A way with what its training has left in its spool."""
    losses: list[float | None] = []
    moments: list[float] = []
    message = ""
    for line in (folder / "spool.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)["event"]
        if event["kind"] == "metrics" and "train/loss" in event["series"]:
            losses += event["series"]["train/loss"]
            moments += event["times"]
        if event["kind"] == "problem":
            message = event["problem"]["message"]
    gaps = sorted(later - earlier for earlier, later in pairwise(moments))
    if not losses and not message:
        message = "The trainer ended before its first step. The log of the report tells more."
    seconds = gaps[len(gaps) // 2] if gaps else None
    return way.model_copy(update={"losses": losses, "seconds": seconds, "message": message})


def drawn(folder: Path, seed: int) -> bool:
    """Whether a training has drawn from torch's generators, which its checkpoint keeps."""
    saved = sorted(folder.glob("checkpoints/*/training.pt"))
    if not saved:
        return False
    states = torch.load(saved[-1], map_location="cpu", weights_only=True)["generators"]
    fresh = torch.Generator().manual_seed(seed).get_state()
    # CUDA's is a seed and how far it is, of eight bytes each.
    return not torch.equal(states["torch"], fresh) or bool("cuda" in states and states["cuda"][8:].any())


def _trained(job: Job, plan: Plan, folder: Path) -> None:
    """Train in a process forked from this one, which has computed nothing; all it says lies in ``folder``."""
    folder.mkdir()
    changes = {"plan": plan, "folder": str(folder), "address_file": "", "parity": None, "resume": None}
    file = folder / "job.json"
    file.write_text(job.model_copy(update=changes).model_dump_json(), encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:

        def train() -> int:
            die_with_parent()
            return single.run(file)

        end_with(train)
    os.waitpid(child, 0)
