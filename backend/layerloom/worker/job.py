"""One job: its document becomes a module, its plan becomes tensors, and the training's end becomes an exit code."""

from __future__ import annotations

import faulthandler
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from layerloom.data import Scaling, main_inputs, prepare
from layerloom.graph import allow_python, build
from layerloom.schema.events import Event, Log, ProblemFound, StateChanged
from layerloom.schema.problems import Problem
from layerloom.schema.run import SCALING_FILE, InputScaling
from layerloom.schema.worker import Job
from layerloom.training import Control, Outcome, problem_of, train
from layerloom.worker.courier import Courier
from layerloom.worker.spool import Spool

ENDED = 0
"""The run's end state, whichever it is, lies in the spool."""
FENCED = 75
"""Another attempt has taken over."""
LEFT = 76
"""A signal asked to leave; the run can be resumed from its checkpoint."""

TRACEBACK_LIMIT = 50_000


def run(path: Path) -> int:
    """Train the job described in ``path`` (``job.json`` in the attempt's folder) and return the exit code.

    Changes signal handlers and warning hooks of the process: it is the process's only task.
    """
    job = Job.model_validate_json(path.read_bytes())
    try:
        spool = Spool(path.parent / "spool.jsonl")
    except FileExistsError:
        print(f"attempt {job.attempt} of run {job.run} is already being trained", file=sys.stderr)
        return FENCED
    control = Control()
    _listen(control)
    _report_warnings(spool.append)
    courier = Courier(job, spool, control)
    courier.start()
    spool.append(StateChanged(state="running", attempt=job.attempt))
    outcome = _attempt(job, spool.append, control)
    left = outcome is not None and outcome.state == "left"
    if control.fenced:
        return FENCED
    if outcome is not None and outcome.state in ("succeeded", "paused", "stopped"):
        spool.append(StateChanged.model_validate({"state": outcome.state, "attempt": job.attempt}))
    # Whoever sent a signal waits; the service reads the rest from the spool.
    courier.finish(answering=5, away=5) if left else courier.finish(answering=30, away=300)
    return FENCED if control.fenced else LEFT if left else ENDED


def _attempt(job: Job, emit: Callable[[Event], None], control: Control) -> Outcome | None:
    """Train; None when that failed, which is reported."""
    try:
        return _train(job, emit, control)
    except BaseException as error:
        traceback.print_exc()
        problems = [item for item in getattr(error, "problems", []) if isinstance(item, Problem)]
        problems = [item for item in problems if item.severity == "error"] or [problem_of(error)]
        text = "".join(traceback.format_exception(error))[-TRACEBACK_LIMIT:]
        for problem in problems:
            emit(ProblemFound(problem=problem, traceback=text))
        emit(StateChanged(state="failed", reason=problems[0].code, attempt=job.attempt))
        return None


def _train(job: Job, emit: Callable[[Event], None], control: Control) -> Outcome:
    data = prepare(job.plan, main_inputs(job.document), Path(job.data_folder))
    for note in data.notes:
        emit(Log(message=note))
    if data.scaling is not None:
        _keep_scaling(data.scaling, Path(job.folder))
    if job.python:
        allow_python()
    module = build(job.document, seed=job.plan.seed)
    return train(
        module,
        job.plan,
        data.train,
        data.validation,
        task=data.entry.task,
        classes=len(data.entry.classes),
        emit=emit,
        control=control,
        folder=Path(job.folder),
        attempt=job.attempt,
        resume=job.resume,
    )


def _keep_scaling(scaling: Scaling, folder: Path) -> None:
    """For those who load the weights elsewhere. Every attempt writes the same, since the split has a seed."""
    plain = InputScaling(
        mean={name: value.tolist() for name, value in scaling.mean.items()},
        deviation={name: value.tolist() for name, value in scaling.deviation.items()},
    )
    draft = folder / f"{SCALING_FILE}.tmp"
    draft.write_text(plain.model_dump_json(), encoding="utf-8")
    draft.replace(folder / SCALING_FILE)


def _listen(control: Control) -> None:
    """Leave at the next step on TERM or INT; write all stacks to the log on USR1 and on a crash."""

    def leave(_number: int, _frame: object) -> None:
        control.leaving = True

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    faulthandler.enable(sys.__stderr__ or sys.stderr)
    faulthandler.register(signal.SIGUSR1, sys.__stderr__ or sys.stderr, all_threads=True)


def _report_warnings(emit: Callable[[Event], None]) -> None:
    """Show Python's warnings in the run's log panel, each place once."""

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_rest: Any) -> None:
        text = f"{category.__name__}: {message} ({Path(filename).name}:{lineno})"
        emit(Log(level="warning", message=text[:10_000]))

    warnings.showwarning = cast(Any, show)
