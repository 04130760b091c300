"""Trainers as processes of this machine, with slots per device."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from layerloom.files import write_atomic
from layerloom.runs.executors.devices import Place, choose, cores, find_places
from layerloom.runs.executors.environment import trainer_environment
from layerloom.runs.executors.port import Need, Status, Task
from layerloom.runs.executors.processes import Process
from layerloom.runs.executors.template import ANSWER_S, COMMAND, Template, TemplateError
from layerloom.schema.run import Device

_RECORD = "process.json"
_LOG_BYTES = 1_000_000
_ATTEMPTS = 3
"""Templates that may die one after the other before trainers are started without."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Trainer:
    process: Process
    devices: list[str]
    template: Template | None = None
    """Set when this executor's template is its parent, and hears its exit code."""
    child: subprocess.Popen[bytes] | None = None
    """Set when this process itself is its parent."""
    ended: Status | None = None


class LocalExecutor:
    """Implements the port. A handle is the attempt's folder, where ``process.json`` says which process it is.

    Trainers are forked from a pre-warmed process where the system allows it; ``prewarm=False`` starts each afresh.
    Call from one thread, but for ``devices``.
    """

    def __init__(
        self,
        *,
        prewarm: bool = True,
        cpu_slots: int | None = None,
        template: tuple[str, ...] = COMMAND,
        patience: float = ANSWER_S,
    ) -> None:
        """``patience`` is how many seconds the ``template`` may take to fork a trainer."""
        # Apple's frameworks do not survive a fork.
        self._prewarm = prewarm and sys.platform == "linux"
        self._command = template
        self._patience = patience
        self._places = find_places(cpu_slots)
        self._trainers: dict[str, _Trainer] = {}
        self._kills: dict[str, threading.Timer] = {}
        self._template: Template | None = None
        self._templates = 0

    def devices(self) -> list[Device]:
        """What there is to train on, with slots and how many were busy at the last look; from any thread."""
        busy = _counted(list(self._trainers.values()))
        return [
            Device(id=place.id, name=place.name, memory=place.memory, busy=busy[place.id], slots=place.slots)
            for place in self._places
        ]

    def room(self, waiting: Sequence[Need]) -> int:
        """None while the template warms up: started in a moment is sooner than started cold."""
        template = self._warm()
        if template is not None and template.warming:
            return 0
        busy = self._busy()
        for count, need in enumerate(waiting):
            places = choose(self._places, busy, need)
            if not places:
                return count
            busy.update(place.id for place in places)
        return len(waiting)

    def start(self, task: Task) -> str:
        """See the port. A device that is full takes one more: the dispatcher has asked ``room`` before."""
        handle = str(task.folder)
        if self._known(handle) is not None:
            return handle
        places = choose(self._places, self._busy(), task.need) or self._places[-1:]
        threads = task.need.threads or self._threads(places, task.need)
        environment = trainer_environment(_visible(places, task.need), threads)
        trainer = self._spawn(task.folder, [place.id for place in places], environment)
        record = {**asdict(trainer.process), "device": ",".join(trainer.devices), "key": task.key}
        try:
            write_atomic(task.folder / _RECORD, json.dumps(record).encode())
        except OSError:
            trainer.process.kill_group()
            raise
        self._trainers[handle] = trainer
        return handle

    def poll(self, handles: Iterable[str]) -> dict[str, Status]:
        """See the port."""
        return {handle: self._status(handle) for handle in handles}

    def stop(self, handle: str, grace: float, dump: bool = False) -> None:
        """See the port."""
        trainer = self._known(handle)
        if trainer is None or trainer.ended is not None:
            return
        if dump:
            trainer.process.send(signal.SIGUSR1)
        trainer.process.send(signal.SIGTERM)
        if handle not in self._kills:
            timer = threading.Timer(grace, trainer.process.kill_group)
            timer.daemon = True
            self._kills[handle] = timer
            timer.start()

    def logs(self, handle: str, offset: int = 0) -> bytes:
        """See the port."""
        try:
            with (Path(handle) / "log").open("rb") as file:
                size = file.seek(0, 2)
                file.seek(offset if offset >= 0 else max(0, size + offset))
                return file.read(_LOG_BYTES)
        except FileNotFoundError:
            return b""

    def close(self) -> None:
        """See the port."""
        if self._template is not None:
            self._template.close()

    def _status(self, handle: str) -> Status:
        trainer = self._known(handle)
        if trainer is None:
            return Status("gone", None, "was never started")
        if trainer.ended is None:
            trainer.ended = self._end(trainer)
            if trainer.ended is None:
                return Status("running")
            # Whatever it has started ends with it.
            trainer.process.kill_group()
            if timer := self._kills.pop(handle, None):
                timer.cancel()
        return trainer.ended

    def _end(self, trainer: _Trainer) -> Status | None:
        if trainer.child is not None:
            code = trainer.child.poll()
            return None if code is None else Status("exited", code, explain(code))
        if trainer.template is not None:
            code = trainer.template.code(trainer.process.pid)
            if code is not None:
                return Status("exited", code, explain(code))
            if trainer.template.alive:
                return None  # it may be dead already: then its parent is about to say how it ended
        return None if trainer.process.alive() else Status("exited", None, "is gone")

    def _busy(self) -> Counter[str]:
        for handle in list(self._trainers):
            self._status(handle)
        return _counted(self._trainers.values())

    def _known(self, handle: str) -> _Trainer | None:
        """A trainer of this executor, or one that a former executor started, adopted from its record."""
        if handle not in self._trainers:
            try:
                record = json.loads((Path(handle) / _RECORD).read_bytes())
                process = Process(record["pid"], record["born"])
                self._trainers[handle] = _Trainer(process, record["device"].split(","))
            except (OSError, ValueError, KeyError, TypeError):
                return None
        return self._trainers[handle]

    def _warm(self) -> Template | None:
        """The template, started when there is none; None when trainers are started without."""
        if self._template is not None and self._template.alive:
            return self._template
        if not self._prewarm or self._templates >= _ATTEMPTS:
            return None
        self._templates += 1
        try:
            self._template = Template(self._command, self._patience)
        except OSError:
            _log.exception("the template process cannot be started")
            return None
        return self._template

    def _spawn(self, folder: Path, devices: list[str], environment: dict[str, str]) -> _Trainer:
        job, log = folder / "job.json", folder / "log"
        template = self._warm()
        if template is not None and template.ready:
            try:
                process = template.spawn(job, log, environment)
            except TemplateError:
                _log.exception("starting a trainer without the template")
            else:
                self._templates = 0
                return _Trainer(process, devices, template=template)
        with log.open("ab") as output:
            child = subprocess.Popen(  # noqa: S603  (our own program)
                [sys.executable, "-m", "layerloom.worker", str(job)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        return _Trainer(Process.of(child.pid), devices, child=child)

    def _threads(self, places: list[Place], need: Need) -> int:
        """Of each of a trainer's processes."""
        if places[0].id == "cpu":
            return max(1, cores() // self._places[-1].slots // need.devices)
        return max(1, cores() // sum(other.slots for other in self._places[:-1]))


def _visible(places: list[Place], need: Need) -> str | None:
    # A plan that names `cuda:1` counts among all GPUs, so it has to see them all.
    return None if ":" in need.device else ",".join(place.visible for place in places)


def _counted(trainers: Iterable[_Trainer]) -> Counter[str]:
    """How many of them there are by device, those that have ended left out."""
    return Counter(device for trainer in trainers if trainer.ended is None for device in trainer.devices)


def explain(code: int) -> str:
    """An exit code as the end of a sentence about the trainer."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
