"""``layerloom train|runs``: the same engine, queue and store as the server's, without one."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerloom.cli.ending import Told, listening
from layerloom.cli.terminal import AllowPython, Home, client_of, document_of, fail, is_served, read

if TYPE_CHECKING:
    from layerloom.app import Settings
    from layerloom.schema.document import Document
    from layerloom.schema.fork import Origin
    from layerloom.schema.plan import Plan
    from layerloom.schema.run import RunSummary
    from layerloom.storage import Store


def train(
    network: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="A network as JSON; the origin's with --from.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help='A plan: {"dataset": "digits", "epochs": 3}.')
    ] = None,
    name: Annotated[str, typer.Option(help="What the run is called.")] = "",
    resume: Annotated[str, typer.Option(help="Go on with a run, by its id.")] = "",
    begin: Annotated[
        str, typer.Option("--from", metavar="RUN[:CHECKPOINT]", help="Begin with its weights: last, best or a step.")
    ] = "",
    epochs: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="With --resume: how many in all; a finished run goes on.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="With --resume: for the steps to come.")] = None,
    home: Home = None,
    allow_python: AllowPython = False,
) -> None:
    """Train a network by a plan, without a server. Ctrl-C pauses, and so does a closed terminal. `layerloom serve`
    shows the run afterwards."""
    if bool(resume) + bool(begin) + bool(network and plan and not begin) != 1:
        fail("Give a network and a plan, or --from and a run's id, or --resume and one.")
    if not resume and (epochs, learning_rate) != (None, None):
        fail("--epochs and --learning-rate change a run that is gone on with; a new one has them in its plan.")
    with _store(home) as (store, settings), _refusals():
        if resume:
            run = _again(store, resume, {"epochs": epochs, "learning_rate": learning_rate})
        elif begin:
            run = _forked(store, settings, begin, network, plan, name)
        else:
            assert network is not None
            assert plan is not None
            run = _added(store, settings, document_of(network), _plan(plan), name)
        ended, told = _followed(store, settings, run, allow_python)
        with suppress(OSError) if told.number else nullcontext():  # its terminal may be gone
            _tell(store, ended)
    told.leave()
    if ended.state not in ("succeeded", "stopped", "paused"):
        sys.exit(1)


def runs(home: Home = None, limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50) -> None:
    """List the runs of a home folder, newest first, whether a server serves it or not."""
    if is_served(home):
        from layerloom.schema.run import RunPage

        with client_of(home) as client:
            page = RunPage.model_validate(client.get("/api/runs", params={"limit": limit}).raise_for_status().json())
    else:
        with _store(home, make=False) as (store, _):
            page = store.runs.page(limit=limit)
    print(f"{'id':<24}{'state':<13}{'epoch':>11}  {'created':<17}{'data':<18}name")
    for run in page.items:
        print(_row(run))


def _row(run: RunSummary) -> str:
    created = datetime.fromtimestamp(run.created_at).astimezone().strftime("%Y-%m-%d %H:%M")
    epochs = f"{run.epoch}/{run.epochs}"
    return f"{run.id:<24}{run.state:<13}{epochs:>11}  {created:<17}{run.dataset:<18}{run.name}"


@contextmanager
def _store(home: Path | None, *, make: bool = True) -> Iterator[tuple[Store, Settings]]:
    """The store of a home folder that no server serves. Ends here where that cannot be."""
    from layerloom import app

    folder = (home or app.default_home()).expanduser().resolve()
    settings = app.Settings(
        home=folder, database=app.database_from_environment(), downloads=app.downloads_from_environment()
    )
    if not make and not folder.is_dir():
        fail(f"There is no folder {folder}, and so no run.")
    try:
        with app.opened(settings) as store:
            yield store, settings
    except app.CannotStartError as error:
        fail(str(error))


def _plan(file: Path) -> Plan:
    from layerloom.schema.plan import Plan

    return read(file, Plan, "training plan")


@contextmanager
def _refusals() -> Iterator[None]:
    """Ends here with what stands in the way, and what would help."""
    from layerloom.api.refusals import Refusal
    from layerloom.storage import Missing, StateConflict

    try:
        yield
    except Refusal as refusal:
        for item in refusal.errors:
            print(f"error: {item.message}", file=sys.stderr)
        fail(str(refusal.detail))
    except Missing as missing:
        fail(f"{str(missing).capitalize()}; `layerloom runs` lists them.")
    except StateConflict as conflict:
        fail(str(conflict))


def _trainable(settings: Settings, document: Document, plan: Plan) -> int:
    """How many parameters there are to train."""
    from layerloom.api.plans import require_trainable
    from layerloom.runs.executors.local import LocalExecutor

    settings.data.mkdir(exist_ok=True)
    devices = LocalExecutor(prewarm=False).devices
    return require_trainable(document, plan, settings.data, devices, downloads=settings.downloads)


def _added(store: Store, settings: Settings, document: Document, plan: Plan, name: str) -> str:
    """A new run of the queue."""
    parameters = _trainable(settings, document, plan)
    title = name or document.name or document.main
    return store.runs.add(document, plan, name=title, parameters=parameters).run


def _forked(store: Store, settings: Settings, begin: str, network: Path | None, plan: Path | None, name: str) -> str:
    """A new run that begins with the weights of another one, and what is said of them."""
    from pydantic import ValidationError

    from layerloom.api.forking import forked
    from layerloom.graph.carrying import keys_of
    from layerloom.schema.fork import NewFork

    origin, _, which = begin.partition(":")
    run = store.runs.get(origin)
    document = document_of(network) if network is not None else run.document
    settled = _plan(plan) if plan is not None else run.plan
    try:
        fork = NewFork(checkpoint=which or "last", document=document, plan=settled, name=name)
    except ValidationError:
        fail(f"There is no checkpoint {which}: a run has `last`, `best`, and those of its steps.")
    parameters = _trainable(settings, document, settled)
    new = forked(run, fork, store, lambda drawn: keys_of(drawn).keys, parameters=parameters).run
    _tell_carried(store.runs.get(new).origin)
    return new


def _tell_carried(origin: Origin | None) -> None:
    assert origin is not None
    report = origin.report
    all_of_it = len(report.carried) + sum(1 for one in report.left if one.why != "gone")
    print(f"Begins with step {report.step} of run {origin.run}: {len(report.carried)} of {all_of_it} tensors,")
    print(f"and the optimizer's state of {len(report.optimizer)} parameters.")
    why = {"new": "only here", "gone": "only there", "shape": "another shape", "dtype": "another type"}
    for one in report.left:
        shapes = f" ({one.was} there, {one.shape} here)" if one.why == "shape" else ""
        print(f"  not carried over: {one.key}, {why[one.why]}{shapes}")


def _again(store: Store, run: str, changes: dict[str, float | None]) -> str:
    """A run that goes on, with what is changed of its plan."""
    from pydantic import ValidationError

    from layerloom.api.plans import require_adjustable
    from layerloom.schema.run import RunPatch

    wanted = {name: value for name, value in changes.items() if value is not None}
    if wanted:
        try:
            patch = RunPatch.model_validate(wanted)
        except ValidationError:
            fail("A learning rate is a finite number above zero.")
        require_adjustable(store.runs.get(run), patch)
        store.runs.patch(run, patch)
    store.runs.want(run, "run")
    return run


def _followed(store: Store, settings: Settings, run: str, python: bool) -> tuple[RunSummary, Told]:
    """The run at its end, or paused because the command was told to end or nobody reads what it prints."""
    from layerloom.cli.progress import Display
    from layerloom.runs.alone import Alone
    from layerloom.runs.executors.local import LocalExecutor
    from layerloom.schema.events import Event

    alone = Alone(
        store,
        LocalExecutor(prewarm=False),
        run,
        data_folder=settings.data,
        python=python,
        downloads=settings.downloads,
    )

    def show(event: Event) -> None:
        try:
            if told.number != signal.SIGPIPE:
                display.show(event)
        except (OSError, SystemExit):  # the terminal is closed, or the pipe, which rich would have end the process
            told.number = told.number or signal.SIGPIPE
            alone.pause()

    with listening(alone.pause) as told, Display() as display:
        return alone.follow(show), told


def _tell(store: Store, run: RunSummary) -> None:
    """How it ended, and where its weights are."""
    best = ", ".join(f"best {name} {value:.4g}" for name, value in run.best.items() if value is not None)
    print(f"Run {run.id} {run.state} after {run.step} steps{f': {best}' if best else ''}.")
    for saved in store.runs.checkpoints(run.id):
        if saved.best or saved.last:
            what = " and ".join(word for word, holds in (("best", saved.best), ("last", saved.last)) if holds)
            folder = store.runs.checkpoint(run.id, str(saved.step)).folder
            print(f"Weights, {what} (step {saved.step}): {folder / 'state.pt'}")
    if run.state == "paused":
        print(f"Go on with it: layerloom train --resume {run.id}")
