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
import selectors
import signal
import socket
import sys
import threading
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import psutil


def main() -> int:
    """Warm up, then serve requests until stdin ends."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # BLAS starts its threads when it is imported; a fork would lose them.
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
    # A Ctrl-C in the terminal is the server's to handle; it closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warm_up()
    if threading.active_count() > 1:
        raise RuntimeError(f"a process with threads cannot be forked: {threading.enumerate()}")
    gc.collect()
    # What is there now is never collected, so that the collector does not touch (and copy) its pages in a child.
    gc.freeze()
    return Template().serve()


def warm_up() -> None:
    """Import and construct what a trainer needs before its first step."""
    for name in _MODULES:
        import_module(name)
    import torch
    from torchmetrics.classification import MulticlassAccuracy
    from torchmetrics.regression import MeanAbsoluteError

    from layerloom.catalogue import catalogue
    from layerloom.graph import build
    from layerloom.graph.examples import examples

    catalogue()
    module = build(examples()[0].document, seed=0)
    # The first optimizer imports its kernels' registrations; nothing is computed.
    torch.optim.AdamW(module.parameters(), fused=True)
    MulticlassAccuracy(num_classes=2)
    MeanAbsoluteError()


# torch._dynamo is imported by the first optimizer, and takes as long as all the rest.
_MODULES = ("torch._dynamo", "sklearn.datasets", "sklearn.model_selection", "layerloom.worker.job")


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
            pid = os.fork()
            if pid == 0:
                self._become_trainer(Path(job), log, environment)
            _say({"started": job, "pid": pid, "born": psutil.Process(pid).create_time()})
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

    def _become_trainer(self, job: Path, log: str, environment: dict[str, str]) -> NoReturn:
        """In the child: leave everything of the template behind, train, and exit without its exit handlers."""
        code = 1
        try:
            os.setsid()
            self._detach(log)
            os.environ.clear()
            os.environ.update(environment)
            random.seed()
            from layerloom.worker.job import run

            code = run(job)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

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
