"""A process that writes into a store until it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def killed_writer(program: str, database_url: str, artifacts: Path, seconds: float) -> tuple[str, list[int]]:
    """Run a program on a store, and kill it so long after its first acknowledgement.

    It is given the database's URL and the folder, and prints the run's id and then a number for each delivery that the
    store has taken. Returns the id, and the numbers behind the first.
    """
    with subprocess.Popen(
        [sys.executable, "-c", program, database_url, str(artifacts)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    ) as writer:
        assert writer.stdout is not None
        run = writer.stdout.readline().strip()
        writer.stdout.readline()
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        return run, [int(line) for line in writer.stdout.read().split("\n") if line.strip()]
