"""The service's side of one sandboxed process: starts it, asks it, and ends it when it takes too much."""

from __future__ import annotations

import json
import logging
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from layerloom.graph.errors import GraphError
from layerloom.graph.sandbox import child, keeper
from layerloom.schema.problems import Problem

Reason = Literal["memory", "time", "processes", "answer", "died", "stopped"]
_ALLOWED = re.compile(r"PATH|LANG|LC_\w+|TZ|VIRTUAL_ENV|PYTHONPATH|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|SYSTEMROOT")
_PRIVATE = ("/home", "/root", "/run", "/tmp", "/var/tmp")  # noqa: S108  what is hidden
_POLL_S = 0.2
_DUMP_S = 0.3
_END_S = 5
_LOG_BYTES = 4_000
_CODES: dict[int, Reason] = {
    keeper.OVER_MEMORY: "memory",
    keeper.OVER_PROCESSES: "processes",
    keeper.OVER_TIME: "time",
    128 + signal.SIGKILL: "memory",
}
_SENTENCES: dict[Reason, str] = {
    "memory": "it takes more memory than it may",
    "time": "it takes more time than it may",
    "processes": "it starts more processes than it may",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What a sandboxed process may take."""

    memory: int = 3 * 2**30
    """Bytes of private memory, of each process and of all together. Torch and its libraries take 0.9 GiB of it."""
    mapped: int = 8 * 2**30
    """Bytes of address space beyond that: files of libraries. Torch takes 3 GiB."""
    cpu_s: int = 0
    """Seconds of CPU in the process's whole life; 0 is no limit."""
    wall_s: float = 60
    """Seconds that one task may take; with the first, the start of the process."""
    processes: int = 32
    """Processes and threads."""
    file: int = 256 * 2**20
    """Bytes of one file that it writes."""
    scratch: int = 256 * 2**20
    """Bytes in its temporary folder, where the kernel lets us hold it."""
    answer: int = 64 * 2**20
    """Bytes of an answer."""


class SandboxError(Exception):
    """The process gave no answer: it took too much, or died. ``log`` is the end of what it printed."""

    def __init__(self, reason: Reason, message: str, log: str = "") -> None:
        self.reason, self.log = reason, log
        super().__init__(message)


class TaskError(Exception):
    """The task raised an exception that it did not foresee: its class's name, message and traceback."""

    def __init__(self, kind: str, message: str, trace: str) -> None:
        self.kind, self.trace = kind, trace
        super().__init__(message)


class Process:
    """A process that answers one task after the other. Not thread-safe.

    ``file`` is what it may read beside the libraries, given to each task as ``file=``; ``folder`` is where it may write
    and runs, a temporary one that is deleted with it when None; ``hide`` are folders that it must not see.
    """

    def __init__(
        self,
        tasks: str,
        limits: Limits,
        *,
        file: Path | None = None,
        folder: Path | None = None,
        hide: Sequence[Path] = (),
    ) -> None:
        self.limits = limits
        self.held: frozenset[str] | None = None
        """What the kernel holds here, of ``network``, ``files`` and ``processes``; None before the first answer."""
        self._scratch = Path(tempfile.mkdtemp(prefix="layerloom-")).resolve()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  closed in end()
        self._rest = bytearray()
        # Opened without waiting, because a pipe may have no writer.
        self._file = None if file is None else os.open(file, os.O_RDONLY | os.O_NONBLOCK)
        ours: list[int] = []
        theirs: list[int] = []
        for reader, writer, we_write in ((*os.pipe(), True), (*os.pipe(), False), (*os.pipe(), True)):
            ours.append(writer if we_write else reader)
            theirs.append(reader if we_write else writer)
        self._requests, self._answers, _ = ours
        self._descriptors = [*ours, *([] if self._file is None else [self._file])]
        """That are still ours to close: each once, because its number may be another thread's file right afterwards."""
        try:
            self._keeper = subprocess.Popen(  # noqa: S603  (our own program)
                self._command(tasks, theirs, (folder or self._scratch).resolve(), folder is None, hide),
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                env=_environment(self._scratch),
                start_new_session=True,
                pass_fds=[*theirs, *([] if self._file is None else [self._file])],
            )
        except BaseException:
            self._release()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        os.set_blocking(self._requests, False)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._keeper.poll() is None

    def call(self, task: str, payload: Any, stop: threading.Event | None = None) -> Any:
        """The result of a task, which is as trustworthy as the code that the task runs.

        Raises:
            GraphError: the task refused with problems.
            TaskError: it raised another exception.
            SandboxError: it took too much, died, or ``stop`` was set. The process is at its end then.
        """
        end = time.monotonic() + self.limits.wall_s
        request = json.dumps({"task": task, "payload": payload, "file": self._file}).encode()
        try:
            if self.held is None:
                self.held = frozenset(self._exchange(b"", end, stop)["held"])
            return self._result(self._exchange(len(request).to_bytes(8, "big") + request, end, stop))
        except SandboxError as error:
            if error.log:
                _log.warning("a sandboxed task ended early (%s): %r", error.reason, error.log)
            raise
        except (ValueError, LookupError, TypeError, RecursionError):
            raise self._failure("answer", "its answer is none") from None

    def end(self) -> None:
        """Let it go, with all that it started; returns when all is gone. Where that is so already, nothing happens."""
        self._let_go()
        try:
            self._keeper.wait(_END_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._keeper.pid, signal.SIGKILL)
            self._keeper.wait()
        self._release()

    def _let_go(self) -> None:
        """Close our ends of the pipes, at which the keeper ends."""
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _release(self) -> None:
        self._let_go()
        self._output.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _result(self, answer: Any) -> Any:
        match answer:
            case {"result": result}:
                return result
            case {"over": "memory"}:
                raise self._failure("memory", _SENTENCES["memory"])
            case {"problems": list(problems)}:
                raise GraphError([Problem.model_validate(problem) for problem in problems])
            case {"error": {"kind": str(kind), "message": str(message), "trace": str(trace)}}:
                raise TaskError(kind, message, trace)
        raise self._failure("answer", "its answer is none")

    def _command(self, tasks: str, theirs: list[int], folder: Path, in_memory: bool, hide: Sequence[Path]) -> list[str]:
        requests, answers, lifeline = theirs
        hidden = [path for path in sorted({*map(Path, _PRIVATE), Path.home(), *hide}) if _is_plain(path)]
        kept = [path for path in _needed() if path.exists() and not any(place.is_relative_to(path) for place in hidden)]
        given = {
            "command": [sys.executable, "-P", child.__file__, tasks, str(requests), str(answers)],
            "lifeline": lifeline,
            "folder": str(folder),
            "in_memory": in_memory,
            "hide": [str(path) for path in hidden],
            "keep": sorted({str(path) for path in kept}),
            "limits": asdict(self.limits),
        }
        return [sys.executable, "-I", "-S", keeper.__file__, json.dumps(given)]

    def _exchange(self, request: bytes, end: float, stop: threading.Event | None) -> Any:
        """Send, and wait for the next message."""
        rest = memoryview(request)
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            if rest:
                selector.register(self._requests, selectors.EVENT_WRITE)
            while (message := self._message()) is None:
                self._hold(end, stop)
                for key, _ in selector.select(_POLL_S):
                    if key.fd == self._answers:
                        self._receive()
                    else:
                        rest = rest[self._send(rest) :]
                        if not rest:
                            selector.unregister(self._requests)
        return json.loads(message)

    def _message(self) -> bytes | None:
        if len(self._rest) < 8:
            return None
        size = int.from_bytes(self._rest[:8], "big")
        if size > self.limits.answer:
            raise self._failure("answer", "its answer is too large")
        if len(self._rest) < 8 + size:
            return None
        message = bytes(self._rest[8 : 8 + size])
        del self._rest[: 8 + size]
        return message

    def _hold(self, end: float, stop: threading.Event | None) -> None:
        if stop is not None and stop.is_set():
            raise self._failure("stopped", "it was stopped")
        if time.monotonic() > end:
            self._keeper.send_signal(signal.SIGUSR1)
            time.sleep(_DUMP_S)
            raise self._failure("time", f"it takes more than {self.limits.wall_s:g} s")

    def _receive(self) -> None:
        block = os.read(self._answers, 2**20)
        if not block:
            try:
                code = self._keeper.wait(_END_S)
            except subprocess.TimeoutExpired:
                code = 0  # it closed its end, and goes on
            reason = _CODES.get(code, "died")
            raise self._failure(reason, _SENTENCES.get(reason, f"it ended with code {code}"))
        self._rest += block

    def _send(self, rest: memoryview) -> int:
        try:
            return os.write(self._requests, rest)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(rest)  # why, says the other pipe

    def _failure(self, reason: Reason, message: str) -> SandboxError:
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - _LOG_BYTES))
        log = self._output.read().decode(errors="replace")
        self.end()
        return SandboxError(reason, message, log)


def _environment(home: Path) -> dict[str, str]:
    """An allow-list, so that no secret of the service gets in."""
    allowed = {name: value for name, value in os.environ.items() if _ALLOWED.fullmatch(name)}
    return {
        **allowed,
        "HOME": str(home),
        "TMPDIR": str(home),
        # A thread of BLAS takes tens of megabytes of address space, and there is nothing here for it to do.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _needed() -> Iterator[Path]:
    """Where the interpreter and its packages lie."""
    paths = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *sys.path]
    for variable in ("PYTHONPATH", "LD_LIBRARY_PATH"):
        paths += os.environ.get(variable, "").split(os.pathsep)
    for path in filter(None, paths):
        yield Path(path).absolute()
        yield Path(path).resolve()
    yield Path(__file__).resolve().parents[3]


def _is_plain(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and path != Path("/")
