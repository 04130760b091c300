"""What a logged scalar costs the training loop, against TensorBoard, W&B offline and MLflow.

LayerLoom's side is what the loop itself calls: ``Recorder.step`` for each step, with a loss that lies on its device and
a learning rate, and ``Recorder.flush`` as often as it asks for it, into the trainer's spool. The others log the same
two numbers of each step by their own calls; W&B writes offline, MLflow into SQLite. Every side is closed within its
time.

    python benchmarks/logging_cost.py [--check] [--rounds N]

``--check`` exits with 1 when a median ratio (their processor time for a scalar / ours) is below its goal.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
import torch
import wandb
from torch.utils.tensorboard import SummaryWriter

from layerloom.training.recorder import FLUSH_SECONDS, Recorder
from layerloom.worker.spool import Spool

STEPS = 20_000
GOALS = {"TensorBoard": 100.0, "W&B offline": 200.0, "MLflow": 10_000.0}
FEWER = {"TensorBoard": 4, "W&B offline": 10, "MLflow": 200}
"""By how much fewer steps the dear ones are asked to log."""
STEP_SECONDS = 0.0003
"""Of a training step, as long as one of the digits perceptron: it decides how many steps are flushed at once."""


Log = Callable[[int], None]
Close = Callable[[], object]


def by_layerloom(folder: Path) -> tuple[Log, Close]:
    """The clock runs on by a step each time, as if there were training in between."""
    spool = Spool(folder / "spool.jsonl")
    recorder = Recorder(spool.append, steps=STEPS, steps_per_epoch=1_000, epochs=STEPS // 1_000, samples_per_step=64)
    loss = torch.tensor(0.5)
    every = round(FLUSH_SECONDS / STEP_SECONDS)

    def log(step: int) -> None:
        recorder.step(loss, 0.003, step * STEP_SECONDS)
        if step % every == 0:
            recorder.flush()

    def close() -> None:
        recorder.flush()
        spool.close()

    return log, close


def by_tensorboard(folder: Path) -> tuple[Log, Close]:
    writer = SummaryWriter(str(folder))

    def log(step: int) -> None:
        writer.add_scalar("train/loss", 0.5, step)
        writer.add_scalar("train/lr", 0.003, step)

    return log, writer.close


def by_wandb(folder: Path) -> tuple[Log, Close]:
    run = wandb.init(project="benchmark", mode="offline", dir=folder, settings=wandb.Settings(silent=True))
    return lambda step: run.log({"train/loss": 0.5, "train/lr": 0.003}, step=step), run.finish


def by_mlflow(folder: Path) -> tuple[Log, Close]:
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    mlflow.start_run()

    def log(step: int) -> None:
        mlflow.log_metric("train/loss", 0.5, step)
        mlflow.log_metric("train/lr", 0.003, step)

    return log, mlflow.end_run


SIDES: dict[str, Callable[[Path], tuple[Log, Close]]] = {
    "LayerLoom": by_layerloom,
    "TensorBoard": by_tensorboard,
    "W&B offline": by_wandb,
    "MLflow": by_mlflow,
}


def measure(name: str) -> tuple[float, float]:
    """Wall and processor microseconds for a scalar; what comes before the first is not counted."""
    steps = STEPS // FEWER.get(name, 1)
    with tempfile.TemporaryDirectory() as folder:
        log, close = SIDES[name](Path(folder))
        log(0)
        began = time.perf_counter(), time.process_time()
        for step in range(1, steps + 1):
            log(step)
        close()
        ended = time.perf_counter(), time.process_time()
    return tuple((end - begin) / (2 * steps) * 1e6 for begin, end in zip(began, ended, strict=True))


def main() -> int:
    """Print a table; with ``--check``, fail when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    os.environ.update(WANDB_SILENT="true", GIT_PYTHON_REFRESH="quiet")
    torch.set_num_threads(1)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in SIDES}
    for round_ in range(arguments.rounds):
        for name in SIDES if round_ % 2 == 0 else reversed(SIDES):
            found[name].append(measure(name))
    print("| logger | µs a scalar, wall | of processor time | ratio | goal |")
    print("|---|---|---|---|---|")
    missed = []
    for name, rows in found.items():
        wall, own = (statistics.median(row[clock] for row in rows) for clock in (0, 1))
        ratio = statistics.median(row[1] / ours[1] for row, ours in zip(rows, found["LayerLoom"], strict=True))
        goal = GOALS.get(name, 1.0)
        missed += [name] if ratio < goal else []
        print(f"| {name} | {wall:,.2f} | {own:,.2f} | {ratio:,.0f} | {goal:,.0f} |")
    if missed:
        print(f"\nbelow its goal: {', '.join(missed)}")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
