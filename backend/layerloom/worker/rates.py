"""A search for a learning rate: one short training, whose curve is kept as it grows."""

from __future__ import annotations

import time
import traceback
from pathlib import Path

from layerloom.files import write_json
from layerloom.graph import allow_python, build
from layerloom.schema.rates import HIGH, LOW, RateSearch
from layerloom.schema.trial import REPORT_FILE
from layerloom.schema.worker import Job
from layerloom.training import Carried, RateCurve, find_rate
from layerloom.training.carrying import carry_weights
from layerloom.training.checkpoints import CheckpointStore
from layerloom.worker import job as single

PERIOD = 0.2
"""Seconds between two reports."""


def run(path: Path, job: Job) -> int:
    """Search, and keep the report in the folder of ``path``; gives the exit code."""
    report = RateSearch(id=job.run, state="running")
    file = path.parent / REPORT_FILE
    write_json(file, report, synced=False)
    kept = time.monotonic()

    def watch(curve: RateCurve) -> None:
        nonlocal kept
        if time.monotonic() >= kept + PERIOD:
            write_json(file, report.model_copy(update=vars(curve)), synced=False)
            kept = time.monotonic()

    try:
        data = single.prepared(job)
        if job.python:
            allow_python()
        module = build(job.document, seed=job.plan.seed)
        if job.origin is not None:
            carried = Carried("origin", job.origin.carried, [])
            carry_weights(module, CheckpointStore(path.parent, job.attempt).load(carried.path), carried)
        curve = find_rate(
            module,
            job.plan,
            data.train,
            task=data.entry.task,
            classes=data.classes,
            low=LOW,
            high=HIGH,
            steps=report.steps,
            watch=watch,
        )
        report = report.model_copy(update={**vars(curve), "state": "done"})
    except BaseException as error:
        traceback.print_exc()
        report = report.model_copy(update={"state": "failed", "problems": single.problems_of(error)})
    write_json(file, report)
    return single.ENDED
