"""Training with every live statistic on, against the loop that one writes by hand with a DataLoader.

Both sides train the same module with the same optimizer on the same tensors and threads, and validate after each epoch.
They take turns; after a warm-up, the time between two training steps is read from the module itself, so that both are
measured by one clock. A column is against the hand-written loop without validation, which does less (in brackets: of
processor time, which tells more than wall time on a machine that is busy otherwise). *At most* is the ratio that a loop
would reach which does nothing but to call torch for each batch's loss and gradients, on tensors that lie ready, without
an optimizer, validation, statistics or events: what both sides have to wait for anyway.

    python benchmarks/training_speed.py [--check] [--rounds N] [--threads N] [mlp cnn lstm]

``--check`` exits with 1 when a median ratio (hand-written time / LayerLoom's time) is below its goal.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from layerloom.data import TensorSet
from layerloom.schema.events import Event
from layerloom.schema.plan import Plan
from layerloom.training import Control, train
from layerloom.worker.spool import Spool

SHARE = 0.8
"""Of the samples, for training."""


def mlp() -> nn.Module:
    """Two hidden layers for 64 numbers."""
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def cnn() -> nn.Module:
    """Two convolution stages for 3×32×32 images."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2_048, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


class Lstm(nn.Module):
    """One LSTM layer over 32 positions of 16 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(16, 64, batch_first=True)
        self.out = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.lstm(x)[0][:, -1])


def digits() -> tuple[Tensor, Tensor]:
    """scikit-learn's digits, flat."""
    bundle = load_digits()
    return torch.tensor(bundle.data, dtype=torch.float32) / 16, torch.tensor(bundle.target)


def noise(*shape: int) -> tuple[Tensor, Tensor]:
    """Random samples of ten classes."""
    random = torch.Generator().manual_seed(0)
    return torch.randn(2_048, *shape, generator=random), torch.randint(0, 10, (2_048,), generator=random)


@dataclass(frozen=True)
class Case:
    """A model, its data, and how much faster LayerLoom has to be."""

    make: Callable[[], nn.Module]
    data: Callable[[], tuple[Tensor, Tensor]]
    batch: int
    steps: int
    """Measured, after a fifth as many for warming up."""
    goal: float


CASES = {
    "mlp": Case(mlp, digits, 64, 4_000, 2.5),
    "cnn": Case(cnn, lambda: noise(3, 32, 32), 128, 60, 0.98),
    "lstm": Case(Lstm, lambda: noise(32, 16), 64, 300, 1.3),
}


class Timed(nn.Module):
    """Takes the wall and the processor time between two training steps of the module inside."""

    def __init__(self, inner: nn.Module, steps: int) -> None:
        super().__init__()
        self.inner = inner
        self.first = steps // 5
        self.last = self.first + steps
        self.count = 0
        self.began = self.ended = (0.0, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            if self.count == self.first:
                self.began = (time.perf_counter(), time.process_time())
            elif self.count == self.last:
                self.ended = (time.perf_counter(), time.process_time())
            self.count += 1
        return self.inner(x)

    @property
    def step_seconds(self) -> tuple[float, float]:
        """Mean wall and processor time of a step."""
        count = self.last - self.first
        return (self.ended[0] - self.began[0]) / count, (self.ended[1] - self.began[1]) / count


def by_hand(module: Timed, case: Case, inputs: Tensor, targets: Tensor, validate: bool) -> None:
    """What one writes without any library."""
    cut = int(SHARE * len(targets))
    training = DataLoader(TensorDataset(inputs[:cut], targets[:cut]), case.batch, shuffle=True)
    validation = DataLoader(TensorDataset(inputs[cut:], targets[cut:]), case.batch)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.003)
    while True:
        module.train()
        for x, y in training:
            optimizer.zero_grad()
            loss = functional.cross_entropy(module(x), y)
            loss.backward()
            optimizer.step()
            if module.ended[0]:
                return
        if validate:
            module.eval()
            total, right = 0.0, 0
            with torch.no_grad():
                for x, y in validation:
                    output = module(x)
                    total += functional.cross_entropy(output, y, reduction="sum").item()
                    right += (output.argmax(1) == y).sum().item()


def engine(
    module: nn.Module,
    plan: Plan,
    inputs: Tensor,
    targets: Tensor,
    *,
    watch: Callable[[Event], None] = lambda _event: None,
    control: Control | None = None,
    spooled: bool = True,
) -> None:
    """Train as a trainer process does: statistics, metrics, checkpoints, and every event into its spool unless told
    otherwise. ``watch`` sees each event."""
    cut = int(SHARE * len(targets))
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "spool.jsonl")

        def emit(event: Event) -> None:
            watch(event)
            if spooled:
                spool.append(event)

        train(
            module,
            plan,
            TensorSet({"x": inputs[:cut]}, targets[:cut]),
            TensorSet({"x": inputs[cut:]}, targets[cut:]),
            task="classification",
            classes=10,
            emit=emit,
            control=control or Control(),
            folder=Path(folder),
        )
        spool.close()


def passes_alone(module: Timed, case: Case, inputs: Tensor, targets: Tensor) -> None:
    """Forward and backward of one batch again and again."""
    weights = list(module.parameters())
    x, y = inputs[: case.batch], targets[: case.batch]
    while not module.ended[0]:
        torch.autograd.grad(functional.cross_entropy(module(x), y), weights)


def by_layerloom(module: Timed, case: Case, inputs: Tensor, targets: Tensor, threads: int) -> None:
    """Everything that a trainer process does."""
    plan = Plan(dataset="benchmark", batch_size=case.batch, steps=module.last + 2, device="cpu", threads=threads)
    engine(module, plan, inputs, targets)


def measure(case: Case, rounds: int, threads: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and processor seconds per step of each side, by round."""
    inputs, targets = case.data()
    sides: dict[str, Callable[[Timed], None]] = {
        "layerloom": lambda module: by_layerloom(module, case, inputs, targets, threads),
        "by hand": lambda module: by_hand(module, case, inputs, targets, validate=True),
        "by hand, no validation": lambda module: by_hand(module, case, inputs, targets, validate=False),
        "passes alone": lambda module: passes_alone(module, case, inputs, targets),
    }
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for round_ in range(rounds):
        for name in sides if round_ % 2 == 0 else reversed(sides):
            torch.manual_seed(round_)
            module = Timed(case.make(), case.steps)
            sides[name](module)
            seconds[name].append(module.step_seconds)
    return seconds


def median_ratio(theirs: list[tuple[float, float]], ours: list[tuple[float, float]], clock: int) -> float:
    """Median over the rounds of how many times longer the other side took, by one of the two clocks."""
    return statistics.median(b[clock] / a[clock] for a, b in zip(ours, theirs, strict=True))


def main() -> int:
    """Print a table; with ``--check``, fail when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], default=[])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {arguments.threads} thread(s), {arguments.rounds} rounds, medians\n")
    print(
        "| model | LayerLoom µs/step | by hand µs/step | ratio | goal | of processor time | to no validation "
        "| at most |"
    )
    print("|---|---|---|---|---|---|---|---|")
    missed = []
    for name in arguments.cases or CASES:
        case = CASES[name]
        seconds = measure(case, arguments.rounds, arguments.threads)
        ours, hand, bare, alone = seconds.values()
        ratio = median_ratio(hand, ours, clock=0)
        columns = [
            *(f"{statistics.median(wall for wall, _ in side) * 1e6:,.0f}" for side in (ours, hand)),
            f"{ratio:.2f}",
            f"{case.goal}",
            f"{median_ratio(hand, ours, clock=1):.2f}",
            f"{median_ratio(bare, ours, clock=0):.2f} ({median_ratio(bare, ours, clock=1):.2f})",
            f"{median_ratio(hand, alone, clock=0):.2f}",
        ]
        print(f"| {name} | {' | '.join(columns)} |", flush=True)
        if ratio < case.goal:
            missed.append(name)
    if missed:
        print(f"\nbelow its goal: {', '.join(missed)}")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
