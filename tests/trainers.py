"""Trainer processes as the executor starts them: by command line and forked from the template."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from layerloom.graph.examples import examples
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.schema.worker import Job
from unit.worker.service import HANG_GUARD_S

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
COMMAND = (sys.executable, "-m", "layerloom.worker.template")
LONG = {"epochs": 100_000, "seed": 0, "threads": 1}


def example(name: str) -> tuple[Document, str]:
    """A network that comes with LayerLoom, and its data set."""
    found = {item.id: item for item in examples()}[name]
    return found.document, found.plan.dataset


class Forked:
    """A trainer that the template forked, with the methods of ``Popen`` that the tests use."""

    def __init__(self, template: Template, pid: int) -> None:
        self.template = template
        self.pid = pid

    def poll(self) -> int | None:
        """Its exit code, once it has one."""
        return self.template.codes.get(self.pid)

    def wait(self, timeout: float) -> int:
        """Its exit code."""
        with self.template.news:
            assert self.template.news.wait_for(lambda: self.poll() is not None, timeout), "the trainer does not end"
        return self.template.codes[self.pid]

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


class Template:
    """The template process, spoken to as the executor does."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=ENVIRONMENT,
        )
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.codes: dict[int, int] = {}
        self.answers: list[dict[str, Any]] = []
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.stdout:
            message = json.loads(line)
            with self.news:
                if "exited" in message:
                    self.codes[message["exited"]] = message["code"]
                else:
                    self.answers.append(message)
                self.news.notify_all()

    def say(self, **message: Any) -> None:
        """One request."""
        print(json.dumps(message), file=self.stdin)

    def hear(self) -> dict[str, Any]:
        """The next answer; ends of trainers are gathered apart."""
        with self.news:
            assert self.news.wait_for(lambda: self.answers, HANG_GUARD_S), "the template does not answer"
            return self.answers.pop(0)

    def fork(self, attempt: Attempt) -> Forked:
        """Start a trainer."""
        self.say(job=str(attempt.file), log=str(attempt.log), environment=ENVIRONMENT)
        answer = self.hear()
        assert answer["started"] == str(attempt.file)
        return Forked(self, answer["pid"])

    def close(self) -> None:
        """End it."""
        if not self.stdin.closed:
            self.stdin.close()
        self.process.wait(HANG_GUARD_S)
        self.reader.join(HANG_GUARD_S)
        self.stdout.close()


class Attempt:
    """One attempt at a run, with its files."""

    def __init__(
        self,
        folder: Path,
        name: str | tuple[Document, str],
        plan: dict[str, Any],
        *,
        number: int = 1,
        resume: str | None = None,
    ) -> None:
        self.document, dataset = example(name) if isinstance(name, str) else name
        self.plan = Plan.model_validate({"dataset": dataset, "device": "cpu", **plan})
        self.folder = folder / "run"
        self.place = self.folder / "attempts" / str(number)
        self.place.mkdir(parents=True)
        self.job = Job(
            run="r1",
            attempt=number,
            document=self.document,
            plan=self.plan,
            folder=str(self.folder),
            data_folder=str(folder / "data"),
            address_file=str(folder / "address"),
            token=f"token-{number}",
            resume=resume,
        )
        self.file = self.place / "job.json"
        self.file.write_text(self.job.model_dump_json())
        self.log = self.place / "log"

    def by_command(self) -> int:
        """Train to the end in a process of the command line, and return the exit code."""
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "layerloom.worker", str(self.file)]
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
                timeout=HANG_GUARD_S,
                check=False,
            ).returncode

    @contextmanager
    def running(self, template: Template) -> Iterator[Forked]:
        """The trainer's process; killed at the end if it is there still."""
        process = template.fork(self)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(HANG_GUARD_S)

    def train(self, template: Template) -> int:
        """Train to the end and return the exit code."""
        with self.running(template) as process:
            return process.wait(HANG_GUARD_S)

    def spooled(self) -> list[dict[str, Any]]:
        """Every event of the spool."""
        lines = (self.place / "spool.jsonl").read_text().splitlines()
        return [json.loads(line)["event"] for line in lines]


def losses(events: list[dict[str, Any]], name: str = "train/loss") -> dict[int, float]:
    """A series by step."""
    points: dict[int, float] = {}
    for event in events:
        if event["kind"] == "metrics" and name in event["series"]:
            points.update(zip(event["steps"], event["series"][name], strict=True))
    return points


@contextmanager
def warm(command: Sequence[str] = COMMAND) -> Iterator[Template]:
    """A template that is ready."""
    running = Template(command)
    try:
        assert running.hear() == {"ready": True}
        yield running
    finally:
        running.close()
