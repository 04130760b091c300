"""What statistics cost: the share of the wall time that all kinds together take, and how much they slow training down.

Two sides train the same model with the same engine on the same data, one with every kind of statistics on (norms,
histograms, activations, feature maps, attention maps) and one with none, in turns; the time between two training steps
is read from the module itself, after a warm-up. *Share* is what the trainer's own clock counts, by its ``sampling``
events; *on / off* the ratio of the steps' processor times, median of pairs, and *off / off* the same for two silent
runs: the noise of the machine. *Telemetry* is on against off as well, with the events written to a spool on one side
and dropped on the other.

    python benchmarks/statistics_budget.py [--check] [--rounds N] [--seconds N] [cases]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.schema.events import Event, Sampling
from layerloom.schema.plan import Plan
from layerloom.training import Control
from training_speed import Lstm, cnn, digits, engine, mlp, noise

SHARE = 0.03
"""Of the wall time, at most: the budget of 2% and a point of noise."""
TELEMETRY = 1.02


class Deep(nn.Module):
    """Residual blocks of two convolutions and their normalizations, then attention: six parameters a block."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, stride=4, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(16, 16, 3, padding=1, bias=False),
                nn.BatchNorm2d(16),
                nn.ReLU(),
                nn.Conv2d(16, 16, 3, padding=1, bias=False),
                nn.BatchNorm2d(16),
            )
            for _ in range(blocks)
        )
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = torch.relu(x + block(x))
        x = x.flatten(2).transpose(1, 2)
        return self.head(self.attention(x, x, x, need_weights=False)[0].mean(1))


@dataclass(frozen=True)
class Case:
    """A model and its data."""

    make: Callable[[], nn.Module]
    data: Callable[[], tuple[Tensor, Tensor]]
    batch: int


CASES = {
    "mlp": Case(mlp, digits, 64),
    "cnn": Case(cnn, lambda: noise(3, 32, 32), 128),
    "lstm": Case(Lstm, lambda: noise(32, 16), 64),
    "60 tensors": Case(lambda: Deep(9), lambda: noise(3, 32, 32), 64),
    "500 tensors": Case(lambda: Deep(82), lambda: noise(3, 32, 32), 64),
}


class Clock(nn.Module):
    """Counts training steps for so many seconds after a warm-up, then asks the trainer to stop."""

    def __init__(self, inner: nn.Module, control: Control, seconds: float) -> None:
        super().__init__()
        self.inner = inner
        self._control = control
        self._seconds = seconds
        self._began: tuple[float, float] | None = None
        self._start = time.perf_counter()
        self.steps = 0
        self.step_seconds = (0.0, 0.0)
        """Wall and processor time of a step."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            now = (time.perf_counter(), time.process_time())
            if self._began is None and now[0] - self._start > self._seconds / 4:
                self._began = now
            elif self._began is not None:
                self.steps += 1
                self.step_seconds = ((now[0] - self._began[0]) / self.steps, (now[1] - self._began[1]) / self.steps)
                if now[0] - self._began[0] > self._seconds:
                    self._control.desired = "stop"
        return self.inner(x)


@dataclass(frozen=True)
class Measured:
    """One run."""

    wall: float
    processor: float
    share: float
    rates: dict[str, float]
    shed: list[str]


def run(case: Case, seconds: float, seed: int, *, budget: float, spooled: bool) -> Measured:
    """Train for some seconds."""
    inputs, targets = case.data()
    torch.manual_seed(seed)
    control = Control()
    module = Clock(case.make(), control, seconds)
    # One epoch after the other would validate and save, which is not what is measured here.
    settings: dict[str, Any] = {"checkpoints": {"every_epochs": 1_000_000}, "statistics": {"budget": budget}}
    plan = Plan(dataset="benchmark", batch_size=case.batch, epochs=1_000_000, device="cpu", threads=1, **settings)
    reports: list[Sampling] = []

    def watch(event: Event) -> None:
        if isinstance(event, Sampling):
            reports.append(event)

    engine(module, plan, inputs, targets, watch=watch, control=control, spooled=spooled)
    later = reports[1:] or reports  # the first holds what is spent once
    share = statistics.fmean(report.share for report in later) if later else 0.0
    rates = {
        name: statistics.fmean(report.rates[name] for report in later) for name in (later[-1].rates if later else ())
    }
    return Measured(*module.step_seconds, share, rates, later[-1].shed if later else [])


def main() -> int:
    """Print a table; with ``--check``, fail when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], default=[])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread, {arguments.rounds} rounds of {arguments.seconds:g} s, medians\n")
    print("| model | tensors | share (goal ≤ 3%) | on / off (goal ≤ 1.02) | off / off | samples per second | shed |")
    print("|---|---|---|---|---|---|---|")
    missed = []
    for name in arguments.cases or CASES:
        case = CASES[name]
        on, off, again = [], [], []
        run(case, 1.0, 0, budget=0.0, spooled=True)  # the first run of a model meets cold caches
        for round_ in range(arguments.rounds):
            for side in ("on", "off", "again") if round_ % 2 == 0 else ("again", "off", "on"):
                budget = 0.02 if side == "on" else 0.0
                found = run(case, arguments.seconds, round_, budget=budget, spooled=side == "on")
                {"on": on, "off": off, "again": again}[side].append(found)
        share = statistics.median(one.share for one in on)
        ratio = statistics.median(a.processor / b.processor for a, b in zip(on, off, strict=True))
        idle = statistics.median(a.processor / b.processor for a, b in zip(again, off, strict=True))
        tensors = sum(1 for _ in case.make().parameters())
        rates = ", ".join(f"{kind} {rate:.2g}" for kind, rate in on[-1].rates.items())
        shed = ", ".join(on[-1].shed) or "–"
        print(f"| {name} | {tensors} | {share:.2%} | {ratio:.3f} | {idle:.3f} | {rates} | {shed} |", flush=True)
        if share > SHARE or ratio > TELEMETRY:
            missed.append(name)
    if missed:
        print(f"\nmissed: {', '.join(missed)}")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
