"""``python -m layerloom.worker.template``: a process that has imported everything and forks a trainer per request.

A fresh process spends seconds on imports before its first step; a fork of this one spends milliseconds. That is safe
because this process has one thread, has never touched an accelerator, and has run no backward pass and no parallel
region: nothing that a fork would break is there yet.

JSON lines on stdin and stdout. It writes ``{"ready": true}``; a request
``{"job": path, "log": path, "environment": {…}}`` is answered ``{"started": path, "pid": n, "born": seconds}``,
and later ``{"exited": n, "code": n}``, where a negative code is a signal. When stdin ends it exits; trainers live on.
"""

from __future__ import annotations

import gc
import json
import os
import random
import select
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, NoReturn

import psutil

from layerloom.worker.forked import end_with


def main() -> int:
    """Warm up, then serve requests until stdin ends."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # BLAS starts its threads when it is imported; a fork would lose them.
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
    # A Ctrl-C in the terminal is the server's to handle; it closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with _ending_with_its_server(), _without_threads():
        warm_up()
    if threading.active_count() > 1:
        raise RuntimeError(f"a process with threads cannot be forked: {threading.enumerate()}")
    gc.collect()
    # What is there now is never collected, so that the collector does not touch (and copy) its pages in a child.
    gc.freeze()
    return Template().serve()


@contextmanager
def _ending_with_its_server() -> Iterator[None]:
    """End at once when the other end of stdin is gone: a server that is killed while this process warms up is started
    again soon, and its new template needs the processor."""
    pipe = select.poll()
    pipe.register(0, select.POLLHUP)

    def look(_number: int, _frame: object) -> None:
        if any(what & select.POLLHUP for _, what in pipe.poll(0)):
            os._exit(0)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_S, _LOOK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


class _Missing:
    """Finder and loader for ``sys.meta_path``: some modules are there, but cannot be imported, and who can do without
    them does."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in _THREADED else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> NoReturn:
        raise ModuleNotFoundError(f"No module named {spec.name!r}", name=spec.name)

    def exec_module(self, module: object) -> None:
        """Never called: there is no module."""


@contextmanager
def _without_threads() -> Iterator[None]:
    missing = _Missing()
    sys.meta_path.insert(0, missing)
    try:
        yield
    finally:
        sys.meta_path.remove(missing)


def warm_up() -> None:
    """Import and construct what a trainer needs before its first step."""
    for name in _MODULES:
        import_module(name)
    import torch
    from torchmetrics.classification import MulticlassAccuracy
    from torchmetrics.regression import MeanAbsoluteError

    from layerloom.catalogue import catalogue
    from layerloom.data import load, main_inputs, prepare
    from layerloom.graph import build
    from layerloom.graph.examples import examples
    from layerloom.schema.plan import Plan

    catalogue()
    module = build(examples()[0].document, seed=0)
    # What is called first looks for plugins. Few samples, because the arithmetic of many is divided among threads.
    flowers = next(example.document for example in examples() if example.id == "iris-mlp")
    prepare(Plan(dataset="iris"), main_inputs(flowers), Path())
    # Read here, its file is not read by each trainer: a sixth of the time to the first step. The threads that its
    # numbers might be divided among are one: see the environment of this process.
    load("digits", Path())
    # The first optimizer imports its kernels' registrations; nothing is computed.
    torch.optim.AdamW(module.parameters(), fused=True)
    MulticlassAccuracy(num_classes=2)
    MeanAbsoluteError()


_LOOK_S = 0.5
UNKNOWN = 70
"""Exit code of a trainer that nobody has heard of."""
_THREADED = ("pandas", "pyarrow")
"""scikit-learn imports pandas where it is installed, which imports Arrow, which starts a thread of its own."""
# torch._dynamo is imported by the first optimizer, and takes as long as all the rest.
_TRAINERS = ("layerloom.worker.job", "layerloom.worker.several", "layerloom.worker.parity", "layerloom.worker.rates")
_MODULES = ("torch._dynamo", "sklearn.datasets", "sklearn.model_selection", *_TRAINERS)


class Template:
    """Reads requests, forks trainers, reports their ends."""

    def __init__(self) -> None:
        self._rest = b""
        # A signal writes a byte to this pair, so that the end of a child wakes the selector.
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)

    def serve(self) -> int:
        """Until stdin ends, or nobody reads stdout any more."""
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        try:
            _say({"ready": True})
            with selectors.DefaultSelector() as selector:
                selector.register(0, selectors.EVENT_READ, self._requests)
                selector.register(self._woken, selectors.EVENT_READ, self._ends)
                while all(key.data() for key, _ in selector.select()):
                    pass
        except BrokenPipeError:
            pass
        finally:
            # A trainer that ends while this process does must not wake a socket that is closed already.
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        return 0

    def _requests(self) -> bool:
        """Handle what stdin has; False at its end."""
        data = os.read(0, 65_536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                request = json.loads(line)
                job, log, environment = request["job"], request["log"], request["environment"]
            except (ValueError, KeyError, TypeError) as error:
                _say({"error": f"{type(error).__name__}: {error}"})
                continue
            told, tell = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(tell)
                self._become_trainer(Path(job), log, environment, told)
            os.close(told)
            try:
                _say({"started": job, "pid": pid, "born": psutil.Process(pid).create_time()})
                with suppress(BrokenPipeError):  # it has ended already
                    os.write(tell, b"\n")
            finally:
                os.close(tell)
        return bool(data)

    def _ends(self) -> bool:
        """Report every child that has ended."""
        while True:
            try:
                if not self._woken.recv(4_096):
                    break
            except BlockingIOError:
                break
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return True
            _say({"exited": pid, "code": os.waitstatus_to_exitcode(status)})

    def _become_trainer(self, job: Path, log: str, environment: dict[str, str], told: int) -> NoReturn:
        """In the child: leave everything of the template behind, train, and exit without its exit handlers.

        It begins when ``told`` says that the service knows of it: one that the service does not know of would train
        what is started once more.
        """

        def train() -> int:
            os.setsid()
            if not os.read(told, 1):
                return UNKNOWN
            self._detach(log)
            os.environ.clear()
            os.environ.update(environment)
            random.seed()
            from layerloom.worker.job import run

            return run(job)

        end_with(train)

    def _detach(self, log: str) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        self._woken.close()
        self._waker.close()
        nothing = os.open(os.devnull, os.O_RDONLY)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        # The rest that is open is the selector's.
        os.closerange(3, 256)


def _say(message: dict[str, Any]) -> None:
    """One line on stdout, unbuffered: a buffer would be inherited, and written twice."""
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
