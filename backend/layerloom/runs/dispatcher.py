"""The dispatcher: a thread between queue and executor. It starts what waits and watches what runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerloom.files import write_json
from layerloom.runs.executors.port import Executor, Need, Task
from layerloom.runs.jobs import Means
from layerloom.runs.parity import Parities
from layerloom.runs.rates import RateSearches
from layerloom.runs.watch import Limits, Watch, attempt_folder
from layerloom.schema.worker import Job
from layerloom.storage import Claim, Live, Store, StoreBusy

_log = logging.getLogger(__name__)


class Dispatcher:
    """Stateless but for its clocks: all that must survive is in the store, so it may die and come back at any time."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        *,
        data_folder: Path,
        address_file: Path | None,
        limits: Limits | None = None,
        python: bool = False,
        downloads: bool = True,
        only: str | None = None,
    ) -> None:
        """``address_file`` is None where no service listens; ``only`` is the one run that may be started, if not all
        that wait."""
        self._store = store
        self._executor = executor
        self._address_file = "" if address_file is None else str(address_file.resolve())
        self._only = only
        self._limits = limits or Limits()
        self._means = Means(data_folder, python, downloads)
        self._watch = Watch(store, executor, self._limits)
        self.parities = Parities(store, executor, self._means)
        """Reports that are made beside the runs."""
        self.rates = RateSearches(executor, self._means, folder=store.artifacts.with_name("rates"))
        self._wakes = threading.Event()
        self._closing = False
        self._healthy = True
        self._thread = threading.Thread(target=self._loop, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Adopt what still runs from before, then look every ``period`` in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """Look now: a run was added, or a wish changed. Cheap, from any thread."""
        self._wakes.set()

    def close(self) -> None:
        """End the thread and let go of the executor; trainers go on."""
        self._closing = True
        self._wakes.set()
        if self._thread.is_alive():
            self._thread.join()
        self._executor.close()

    @property
    def healthy(self) -> bool:
        """The thread is alive and its last look succeeded."""
        return self._thread.is_alive() and self._healthy

    def tick(self) -> None:
        """One look, for tests: start what fits, notice what ended, enforce what is wanted."""
        live = [run for run in self._store.queue.live() if self._only in (None, run.run)]
        for run in live:
            if run.handle is None:
                with self._starting(run.run, run.attempt):
                    self._start_again(run)
        self._watch.look([run for run in live if run.handle is not None])
        self._fill()
        if self._only is None:
            self.parities.look()
            self.rates.look()

    def _loop(self) -> None:
        while not self._closing:
            self._wakes.clear()
            try:
                self.tick()
                self._healthy = True
            except StoreBusy as busy:
                if self._healthy:
                    _log.warning("the dispatcher waits for the database: %s", busy)
                self._healthy = False
            except Exception:  # whatever it is, the next look may succeed, and runs must not be left alone
                _log.exception("the dispatcher failed and goes on")
                self._healthy = False
            self._wakes.wait(self._limits.period if self._healthy else 1.0)

    def _fill(self) -> None:
        waiting = [run for run in self._store.queue.waiting() if self._only in (None, run.run)]
        room = self._executor.room([Need(run.device, run.threads, run.devices) for run in waiting])
        for claim in self._store.queue.claim(room, self._only):
            with self._starting(claim.run, claim.attempt):
                self._begin(claim)

    @contextmanager
    def _starting(self, run: str, attempt: int) -> Iterator[None]:
        """An attempt that cannot be started is lost, and harms no other."""
        try:
            yield
        except StoreBusy:
            raise
        except Exception as error:
            _log.exception("run %s could not be started", run)
            self._store.queue.lost(run, attempt, f"could not be started: {error}")

    def _begin(self, claim: Claim) -> None:
        folder = attempt_folder(self._store, claim.run, claim.attempt)
        folder.mkdir(parents=True, exist_ok=True)
        job = self._means.job(
            claim.run,
            self._store.folder(claim.run),
            claim.document,
            claim.plan,
            attempt=claim.attempt,
            address_file=self._address_file,
            token=claim.token,
            resume=claim.resume,
            origin=claim.origin,
            adjusted=claim.adjusted,
            orders=claim.orders,
        )
        write_json(folder / "job.json", job)
        self._start(job, folder)

    def _start(self, job: Job, folder: Path) -> None:
        need = Need(job.plan.device, job.plan.threads, job.plan.devices)
        task = Task(f"{job.run}.a{job.attempt}", folder, need)
        self._store.queue.set_handle(job.run, job.attempt, self._executor.start(task))

    def _start_again(self, run: Live) -> None:
        """A start was cut short by a crash of the service between claim and handle: the same key never starts twice."""
        folder = attempt_folder(self._store, run.run, run.attempt)
        try:
            job = Job.model_validate_json((folder / "job.json").read_bytes())
        except FileNotFoundError:
            self._store.queue.lost(run.run, run.attempt, "was not started before the service ended", crash=False)
        else:
            # This service may have been started otherwise than the one that wrote it.
            allowed = self._means.allowed(job)
            if allowed != job:
                write_json(folder / "job.json", allowed)
            self._start(allowed, folder)
