"""Trials without a server: a job in a folder for the time being, a trainer of its own, and the report that it makes."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from layerloom.cli.ending import listening
from layerloom.cli.terminal import document_of, fail, read

if TYPE_CHECKING:
    from layerloom.schema.plan import Plan
    from layerloom.schema.trial import Trial

Report = TypeVar("Report", bound="Trial")
PERIOD = 0.2
"""Seconds between two looks at the trainer."""
_REMOVALS = 50


def made(
    kind: type[Report],
    network: Path,
    plan: Path,
    home: Path | None,
    *,
    python: bool,
    change: Callable[[Plan], Plan] = lambda plan: plan,
    **job: Any,
) -> Report:
    """The report of a trial of a network and a plan, after ``change`` of the plan, done or with its ``problems``.

    Ends here, with what the trainer printed, when there is none, and when it is told to end, as its trainer
    does, too. ``job`` is what of a job says which trial it is.
    """
    from layerloom.app import default_home, downloads_from_environment
    from layerloom.files import write_json
    from layerloom.runs.executors.local import LocalExecutor
    from layerloom.runs.executors.port import Task
    from layerloom.runs.jobs import Means
    from layerloom.runs.trials import needed, read_report
    from layerloom.schema.plan import Plan as PlanType

    data = (home or default_home()).expanduser().resolve() / "data"
    data.mkdir(parents=True, exist_ok=True)
    with listening() as told, _scratch() as folder:
        means = Means(data, python, downloads_from_environment())
        wanted = change(read(plan, PlanType, "training plan"))
        whole = means.job("trial", folder, document_of(network), wanted, **job)
        write_json(folder / "job.json", whole)
        executor = LocalExecutor(prewarm=False)
        handle = executor.start(Task("trial", folder, needed(whole)))
        while executor.poll([handle])[handle].phase == "running":
            if told.number is not None:
                executor.stop(handle, 0)
            time.sleep(PERIOD)
        told.leave()
        report = read_report(kind, folder)
        if report is None or report.open:
            print(executor.logs(handle).decode(errors="backslashreplace"), file=sys.stderr)
            fail(f"The trainer {executor.poll([handle])[handle].why} before the report was done.")
        return report


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for the time being."""
    folder = Path(tempfile.mkdtemp(prefix="layerloom-trial-"))
    try:
        yield folder
    finally:
        # A process that was killed may be about to end a write.
        for _ in range(_REMOVALS):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(PERIOD)
