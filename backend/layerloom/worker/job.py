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

from layerloom.data import Prepared, Scaling, main_inputs, prepare
from layerloom.files import write_json
from layerloom.graph import allow_python, build
from layerloom.graph.spots import place_of
from layerloom.schema.datasets import VOCABULARY_FILE
from layerloom.schema.events import Event, Log, ProblemFound, StateChanged
from layerloom.schema.problems import Problem
from layerloom.schema.run import PREPARATION_FILE, SCALING_FILE, InputScaling
from layerloom.schema.worker import Job
from layerloom.training import ALONE, Carried, Control, Outcome, Ranks, TrainingError, problem_of, train
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
    if job.parity is not None:
        from layerloom.worker import parity

        return parity.run(path, job)
    if job.rates:
        from layerloom.worker import rates

        return rates.run(path, job)
    try:
        spool = Spool(path.parent / "spool.jsonl")
    except FileExistsError:
        print(f"attempt {job.attempt} of run {job.run} is already being trained", file=sys.stderr)
        return FENCED
    if job.plan.devices > 1:
        spool.close()
        from layerloom.worker.several import launch

        return launch(path, job)
    return conduct(job, spool, Control(orders=job.orders))


def conduct(job: Job, spool: Spool, control: Control, ranks: Ranks = ALONE) -> int:
    """Train in this process, the only one or the first of ``ranks``; gives the exit code.

    Raises:
        Exception: something went wrong that the other ranks have not seen.
    """
    listen(control)
    _report_warnings(spool.append)
    courier = Courier(job, spool, control) if job.address_file else None
    if courier is not None:
        courier.start()
    spool.append(StateChanged(state="running", attempt=job.attempt))
    outcome = attempt(job, spool.append, control, ranks)
    left = outcome is not None and outcome.state == "left"
    if control.fenced:
        return FENCED
    if outcome is not None and outcome.state in ("succeeded", "paused", "stopped"):
        spool.append(StateChanged.model_validate({"state": outcome.state, "attempt": job.attempt}))
    if courier is not None:
        # Whoever sent a signal waits; the service reads the rest from the spool.
        courier.finish(answering=5, away=5) if left else courier.finish(answering=30, away=300)
    return FENCED if control.fenced else LEFT if left else ENDED


def attempt(job: Job, emit: Callable[[Event], None], control: Control, ranks: Ranks = ALONE) -> Outcome | None:
    """Train; None when that failed, which is reported."""
    try:
        return _train(job, emit, control, ranks)
    except BaseException as error:
        traceback.print_exc()
        if ranks.several and not foreseen(error):
            raise
        for event in failure(error, job.attempt):
            emit(event)
        return None


def foreseen(error: BaseException) -> bool:
    """It names its problem, which whoever trains the same plan on the same data runs into, too."""
    return bool(getattr(error, "problems", None) or getattr(error, "problem", None))


def failure(error: BaseException, attempt: int) -> list[Event]:
    """What a run that ends by an exception says last."""
    problems = problems_of(error)
    text = "".join(traceback.format_exception(error))[-TRACEBACK_LIMIT:]
    found: list[Event] = [ProblemFound(problem=problem, traceback=text) for problem in problems]
    return [*found, StateChanged(state="failed", reason=problems[0].code, attempt=attempt)]


def problems_of(error: BaseException) -> list[Problem]:
    """The errors that an exception amounts to: its own, or the one that its type and text tell."""
    own = [item for item in getattr(error, "problems", []) if isinstance(item, Problem)]
    return [item for item in own if item.severity == "error"] or [problem_of(error)]


def _train(job: Job, emit: Callable[[Event], None], control: Control, ranks: Ranks) -> Outcome:
    # The first one downloads what is not there yet.
    data = ranks.in_turn(lambda: prepared(job))
    for note in data.notes:
        emit(Log(message=note))
    if ranks.first:
        # Every attempt writes the same, since the split has a seed.
        folder = Path(job.folder)
        if data.scaling is not None:
            write_json(folder / SCALING_FILE, _plain(data.scaling))
        if data.vocabulary is not None:
            write_json(folder / VOCABULARY_FILE, data.vocabulary)
        if data.preparation is not None:
            write_json(folder / PREPARATION_FILE, data.preparation)
    if job.python:
        allow_python()
    module = build(job.document, seed=job.plan.seed)
    try:
        return train(
            module,
            job.plan,
            data.train,
            data.validation,
            task=data.entry.task,
            classes=data.classes,
            emit=emit,
            control=control,
            folder=Path(job.folder),
            attempt=job.attempt,
            resume=job.resume,
            ranks=ranks,
            adjusted=job.adjusted,
            carried=None if job.origin is None else Carried("origin", job.origin.carried, job.origin.optimizer),
        )
    except TrainingError as error:
        if error.origin is not None and error.origin.layer is not None:
            place = place_of(job.document, module, error.origin.layer, error.origin.owner, error.origin.span)
            error.problem = error.problem.model_copy(update=place)
        raise


def prepared(job: Job) -> Prepared:
    """The data that a job trains on.

    Raises:
        DataError: they are not to be had, or do not fit the network's inputs.
    """
    return prepare(job.plan, main_inputs(job.document), Path(job.data_folder), downloads=job.downloads)


def _plain(scaling: Scaling) -> InputScaling:
    return InputScaling(
        mean={name: value.tolist() for name, value in scaling.mean.items()},
        deviation={name: value.tolist() for name, value in scaling.deviation.items()},
        filled={name: value.tolist() for name, value in scaling.filled.items()},
    )


def listen(control: Control) -> None:
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
