"""From submit to the first step: a trainer forked from the warm template, against a fresh process.

Both sides go the whole way: a row in the store, the dispatcher, the executor, the trainer. They take turns. A run is
begun when it is added and has its first step when its loss lies in the trainer's spool.

    python benchmarks/start_speed.py [--check] [--rounds N] [--network ID]

``--check`` exits with 1 when the median of warm / fresh is above 1/50.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from layerloom.graph.examples import examples
from layerloom.runs import Dispatcher
from layerloom.runs.executors.local import LocalExecutor
from layerloom.schema.plan import Plan
from layerloom.storage import Store, open_store

GOAL = 1 / 50
PATIENCE_S = 120


class Side:
    """A service with one way to start trainers. Nobody answers them, as nobody has to before the first step."""

    def __init__(self, home: Path, *, warm: bool) -> None:
        home.mkdir()
        self.store: Store = open_store(f"sqlite:///{home / 'layerloom.db'}", home / "runs")
        self.executor = LocalExecutor(prewarm=warm, cpu_slots=1)
        paths = {"data_folder": home / "data", "address_file": home / "address"}
        self.dispatcher = Dispatcher(self.store, self.executor, **paths)
        self.dispatcher.start()

    def first_step(self, network: str) -> float:
        """Seconds from submit to the first step of a new run; its trainer is ended then."""
        example = next(item for item in examples() if item.id == network)
        plan = Plan(dataset=example.plan.dataset, device="cpu", epochs=100_000)
        began = time.perf_counter()
        run = self.store.runs.add(example.document, plan).run
        self.dispatcher.wake()
        folder = self.store.folder(run) / "attempts" / "1"
        wait(lambda: b'"kind":"metrics"' in read(folder / "spool.jsonl"))
        seconds = time.perf_counter() - began
        self._end(run, folder)
        return seconds

    def _end(self, run: str, folder: Path) -> None:
        self.store.runs.want(run, "stop")
        wait(lambda: read(folder / "process.json"))
        os.kill(json.loads(read(folder / "process.json"))["pid"], signal.SIGKILL)
        wait(lambda: self.store.runs.summary(run).state == "stopped")

    def close(self) -> None:
        """Let go of everything."""
        self.dispatcher.close()
        self.store.close()


def read(file: Path) -> bytes:
    """What is in a file by now."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def wait(condition: Callable[[], object]) -> None:
    """Until it holds; looks a thousand times a second."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the trainer does not get to its first step")
        time.sleep(0.001)


def main() -> int:
    """Measure both in turns."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--network", default="digits-mlp")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        warm, fresh = Side(Path(home) / "warm", warm=True), Side(Path(home) / "fresh", warm=False)
        for side in (warm, fresh):
            side.first_step(
                options.network
            )  # waits until the template is warm, and files until they come from the disk
        pairs = []
        for _ in range(options.rounds):
            pairs.append((warm.first_step(options.network), fresh.first_step(options.network)))
            print(f"  warm {1_000 * pairs[-1][0]:7.1f} ms   fresh {1_000 * pairs[-1][1]:8.1f} ms")
        warm.close()
        fresh.close()
    ratio = statistics.median(one / other for one, other in pairs)
    quick = statistics.median(one for one, _ in pairs)
    print(
        f"{options.network}: warm {1_000 * quick:.0f} ms to the first step, {ratio:.4f} (1/{1 / ratio:.0f}) of a fresh"
    )
    return int(options.check and ratio > GOAL)


if __name__ == "__main__":
    sys.exit(main())
