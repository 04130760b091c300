"""Training in LayerLoom, everything on, against Lightning with its TensorBoard logger and Keras 3 on torch.

Every side trains the same torch module with AdamW on the same tensors, on one thread, and validates after each epoch;
the module's own clock tells the time of a step (``training_speed.py``). Lightning logs the loss of every step, Keras
keeps the history that ``fit`` returns; neither samples gradients, weights and their distributions, as LayerLoom does.
The last two columns are LayerLoom with precision *Fastest*, against the loop written by hand in fp32, and how far its
loss over the last steps lies from that of fp32.

    python benchmarks/framework_speed.py [--check] [--rounds N] [mlp cnn lstm]

``--check`` exits with 1 when a median ratio (their processor time / LayerLoom's) is below its goal.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import lightning
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from layerloom.schema.events import Event
from layerloom.schema.plan import Plan
from training_speed import CASES, SHARE, Case, Timed, by_hand, engine

GOALS = {
    "mlp": {"lightning": 6.0, "keras": 4.0},
    "cnn": {"lightning": 1.0, "keras": 1.0, "fastest": 2.0},
    "lstm": {"lightning": 1.0, "keras": 1.0, "fastest": 2.0},
}
LAST = 50
"""Steps over which a loss is compared."""
CLOSE = 0.01
"""How far the loss of the fastest way may lie from that of fp32, as a share of it."""


class Done(Exception):
    """Raised out of a framework's own loop: the measured steps are over, nothing is wrong."""


class Ending(Timed):
    """Ends training once it has been measured."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.ended[0]:
            raise Done
        return super().forward(x)


class Lit(lightning.LightningModule):
    """As Lightning's own tutorial has it."""

    def __init__(self, inner: Timed) -> None:
        super().__init__()
        self.inner = inner

    def training_step(self, batch: Any, _index: int) -> Tensor:
        x, y = batch
        loss = functional.cross_entropy(self.inner(x), y)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: Any, _index: int) -> None:
        x, y = batch
        output = self.inner(x)
        self.log("validation/loss", functional.cross_entropy(output, y))
        self.log("validation/accuracy", (output.argmax(1) == y).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=0.003)


def by_lightning(module: Timed, case: Case, inputs: Tensor, targets: Tensor) -> None:
    """Loss of every step and validation into TensorBoard's files, a checkpoint after each epoch, as by default."""
    cut = int(SHARE * len(targets))
    training = DataLoader(TensorDataset(inputs[:cut], targets[:cut]), case.batch, shuffle=True)
    validation = DataLoader(TensorDataset(inputs[cut:], targets[cut:]), 2 * case.batch)
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            max_steps=module.last + 2,
            max_epochs=-1,
            accelerator="cpu",
            logger=TensorBoardLogger(folder),
            log_every_n_steps=1,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        trainer.fit(Lit(module), training, validation)


def by_keras(module: Timed, case: Case, inputs: Tensor, targets: Tensor) -> None:
    """``fit`` on arrays, with accuracy and validation."""
    cut = int(SHARE * len(targets))

    class Wrapped(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.wrapped = keras.layers.TorchModuleWrapper(module, name="wrapped")

        def call(self, x: Tensor, training: bool | None = None) -> Tensor:
            return self.wrapped(x, training=training)

    model = Wrapped()
    model.compile(
        optimizer=keras.optimizers.AdamW(0.003),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    arrays = [value.numpy() for value in (inputs[:cut], targets[:cut], inputs[cut:], targets[cut:])]
    model.fit(
        arrays[0],
        arrays[1],
        batch_size=case.batch,
        epochs=10**6,
        verbose=0,
        shuffle=True,
        validation_data=(arrays[2], arrays[3]),
    )


def by_layerloom(module: Timed, case: Case, inputs: Tensor, targets: Tensor, precision: str = "fp32") -> float:
    """Everything that a trainer process does. Returns the mean loss of the last steps."""
    plan = Plan(
        dataset="benchmark", batch_size=case.batch, steps=module.last + 1, device="cpu", threads=1, precision=precision
    )
    losses: list[float] = []

    def watch(event: Event) -> None:
        losses.extend(getattr(event, "series", {}).get("train/loss", ()))

    engine(module, plan, inputs, targets, watch=watch)
    return statistics.fmean(losses[-LAST:])


@contextmanager
def silence() -> Iterator[None]:
    """What the frameworks print is not what is measured."""
    with (
        Path(os.devnull).open("w") as nothing,
        redirect_stdout(nothing),
        redirect_stderr(nothing),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def measure(case: Case, rounds: int) -> tuple[dict[str, list[float]], list[float]]:
    """Processor seconds per step of each side, by round, and by how much the fastest way's loss differs."""
    inputs, targets = case.data()
    sides: dict[str, Callable[[Timed], Any]] = {
        "layerloom": lambda module: by_layerloom(module, case, inputs, targets),
        "fastest": lambda module: by_layerloom(module, case, inputs, targets, "auto"),
        "by hand": lambda module: by_hand(module, case, inputs, targets, validate=True),
        "lightning": lambda module: by_lightning(module, case, inputs, targets),
        "keras": lambda module: by_keras(module, case, inputs, targets),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    apart = []
    for round_ in range(rounds):
        losses = {}
        for name in sides if round_ % 2 == 0 else reversed(sides):
            torch.manual_seed(round_)
            module = (Ending if name in ("lightning", "keras") else Timed)(case.make(), case.steps)
            with silence(), suppress(Done):
                losses[name] = sides[name](module)
            seconds[name].append(module.step_seconds[1])
        apart.append(abs(losses["fastest"] / losses["layerloom"] - 1))
    return seconds, apart


def main() -> int:
    """Print a table; with ``--check``, fail when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], default=[])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    print(f"torch {torch.__version__}, 1 thread, {arguments.rounds} rounds, medians of processor time\n")
    print("| model | µs/step | Lightning + TensorBoard | Keras 3 | by hand | by hand / fastest | loss apart |")
    print("|---|---|---|---|---|---|---|")
    missed = []
    for name in arguments.cases or CASES:
        seconds, apart = measure(CASES[name], arguments.rounds)

        def ratio(theirs: str, ours: str, seconds: dict[str, list[float]] = seconds) -> float:
            return statistics.median(a / b for a, b in zip(seconds[theirs], seconds[ours], strict=True))

        ratios = {side: ratio(side, "layerloom") for side in ("lightning", "keras", "by hand")}
        fastest = ratio("by hand", "fastest")
        cells = [f"{1e6 * statistics.median(seconds['layerloom']):,.0f}"]
        cells += [f"{value:.2f}" for value in (*ratios.values(), fastest)]
        print(f"| {name} | {' | '.join(cells)} | {statistics.median(apart):.2%} |", flush=True)
        found = {**ratios, "fastest": fastest}
        missed += [f"{name} {side}" for side, goal in GOALS[name].items() if found[side] < goal]
        missed += [f"{name} loss"] if statistics.median(apart) > CLOSE else []
    if missed:
        print(f"\nbelow its goal: {', '.join(missed)}")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
