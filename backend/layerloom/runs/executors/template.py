"""The other end of the pre-warmed process: it has imported everything, and forks a trainer per request."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from layerloom.runs.executors.environment import trainer_environment
from layerloom.runs.executors.processes import Process

COMMAND = (sys.executable, "-m", "layerloom.worker.template")
_WARM_S = 180
"""After so long without being ready it is given up; its imports take seconds on an idle machine."""
ANSWER_S = 30.0
"""After so long without an answer it is given up as well."""
_log = logging.getLogger(__name__)


class TemplateError(Exception):
    """The template could not start a trainer."""


class Template:
    """One template process. When it ends it is not used again; trainers forked from it live on."""

    def __init__(self, command: tuple[str, ...] = COMMAND, patience: float = ANSWER_S) -> None:
        self._patience = patience
        self._began = time.monotonic()
        self._ready = False
        self._over = threading.Event()
        self._answers: dict[str, dict[str, Any]] = {}
        self._codes: dict[int, int] = {}
        self._news = threading.Condition()
        self._process = subprocess.Popen(  # noqa: S603  (our own program)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=trainer_environment(None, 1),
            # Ctrl-C in the service's terminal is not meant for it.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name="template", daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        """It runs, and has reported everything it had to report otherwise."""
        return not self._over.is_set()

    @property
    def ready(self) -> bool:
        """It takes requests."""
        return self._ready and self.alive

    @property
    def warming(self) -> bool:
        """It will be ready soon."""
        if self.alive and not self._ready and time.monotonic() - self._began > _WARM_S:
            _log.warning("the template process is not ready after %d s and is given up", _WARM_S)
            self._process.kill()
            self._over.wait(self._patience)
        return self.alive and not self._ready

    def spawn(self, job: Path, log: Path, environment: dict[str, str]) -> Process:
        """Fork a trainer for ``job``.

        Raises:
            TemplateError: there is none, and there will be none: a template that stays silent is killed, so that it
                cannot fork one later, and a trainer that it had forked without saying so does not begin.
        """
        name = str(job)
        request = {"job": name, "log": str(log), "environment": environment}
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        except (OSError, ValueError) as error:  # a broken pipe, or one that is closed already
            raise TemplateError("the template process is gone") from error
        with self._news:
            if not self._news.wait_for(lambda: name in self._answers or self._over.is_set(), self._patience):
                self._process.kill()
                # What it had said before is still heard.
                self._news.wait_for(self._over.is_set, self._patience)
            answer = self._answers.pop(name, None)
        if answer is None:
            raise TemplateError("the template process did not answer")
        return Process(answer["pid"], answer["born"])

    def code(self, pid: int) -> int | None:
        """The exit code of a trainer forked here, once it has ended; negative for a signal."""
        return self._codes.get(pid)

    def close(self) -> None:
        """Let it go; trainers live on."""
        self._hang_up()
        if not self._ready:  # it has forked nothing, and would hear of it only when all is imported
            self._process.kill()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(10)

    def _hang_up(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with suppress(BrokenPipeError):
            stdin.close()

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        try:
            for line in stdout:
                self._hear(line)
        finally:
            stdout.close()
            self._hang_up()
            self._process.wait()
            with self._news:
                self._over.set()
                self._news.notify_all()

    def _hear(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            _log.warning("the template process printed %r", line[:200])
            return
        with self._news:
            if "started" in message:
                # The pid was another trainer's before: its code is history.
                self._codes.pop(message["pid"], None)
                self._answers[message["started"]] = message
            elif "exited" in message:
                self._codes[message["exited"]] = message["code"]
            elif "ready" in message:
                self._ready = True
            else:
                _log.warning("the template process says %s", message)
            self._news.notify_all()
