"""A template that speaks the real protocol and forks small stand-ins instead of trainers, so that nothing is warmed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from layerloom.runs.executors.local import LocalExecutor
from layerloom.runs.executors.port import Need, Task

TEMPLATE = """
import os, signal, subprocess, sys, time, types

def run(path):
    act, _, detail = path.read_text().partition(" ")
    print("began", act, os.environ.get("OMP_NUM_THREADS"), flush=True)
    if act == "exit":
        return int(detail)
    if act == "signal":
        os.kill(os.getpid(), int(detail))
    if act == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("child", child.pid, flush=True)
    if act == "parent":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("child", child.pid, flush=True)
        return 0
    print("ready", flush=True)
    time.sleep(600)

job = types.ModuleType("layerloom.worker.job")
job.run = run
sys.modules["layerloom.worker.job"] = job
from layerloom.worker.template import Template
sys.exit(Template().serve())
"""
COMMAND = (sys.executable, "-c", TEMPLATE)

CPU = Need("cpu")
MakeExecutor = Callable[..., LocalExecutor]


@pytest.fixture
def make_executor() -> Iterator[MakeExecutor]:
    """Executors that are closed at the end, and whose trainers are killed then."""
    made: list[LocalExecutor] = []

    def make(**how: Any) -> LocalExecutor:
        made.append(LocalExecutor(**{"cpu_slots": 2, "template": COMMAND, **how}))
        return made[-1]

    yield make
    for executor in made:
        for trainer in list(executor._trainers.values()):
            trainer.process.kill_group()
        executor.close()


@pytest.fixture
def task(tmp_path: Path) -> Callable[..., Task]:
    """An attempt's folder whose job says what the stand-in does."""

    def make(act: str, key: str = "run.a1", need: Need = CPU) -> Task:
        folder = tmp_path / key
        folder.mkdir()
        (folder / "job.json").write_text(act)
        return Task(key, folder, need)

    return make
