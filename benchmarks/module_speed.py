"""A forward and a backward of built modules, against those of the modules that were written by hand.

Both sides hold the same weights and are given the same batch; they take turns, and a ratio is the median of the rounds'
ratios. One thread, processor time: it tells more than wall time on a machine that is busy otherwise.

    python benchmarks/module_speed.py [--check]

``--check`` exits with 1 when a ratio is beyond 1.00 ± 0.02.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch
import torchvision
from torch import Tensor, nn

from layerloom.graph import build
from layerloom.graph.importing import from_module

ROUNDS = 60
TOLERANCE = 0.02


class Transformer(nn.Module):
    """A small encoder over tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1_000, 128)
        self.layers = nn.ModuleList([nn.TransformerEncoderLayer(128, 4, 256, batch_first=True) for _ in range(4)])
        self.norm = nn.LayerNorm(128)
        self.head = nn.Linear(128, 1_000)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))


class Mlp(nn.Module):
    """Ten hidden layers."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*(part for _ in range(10) for part in (nn.Linear(64, 64), nn.ReLU())))
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[], Tensor], int]] = {
    "mlp": (Mlp, lambda: torch.randn(16, 64), 40),
    "resnet18": (torchvision.models.resnet18, lambda: torch.randn(2, 3, 64, 64), 1),
    "transformer": (Transformer, lambda: torch.randint(0, 1_000, (2, 16)), 4),
}
"""The module, its batch, and how many steps make one measurement."""


def seconds(module: nn.Module, batch: Tensor, steps: int) -> float:
    """Processor time of some forwards and backwards."""
    began = time.process_time()
    for _ in range(steps):
        module.zero_grad(set_to_none=True)
        module(batch).sum().backward()
    return time.process_time() - began


def measure(name: str) -> float:
    """Median of the rounds' ratios, built / by hand."""
    make, draw, steps = CASES[name]
    hand, batch = make(), draw()
    built = build(from_module(hand, [batch]))
    built.load_state_dict(hand.state_dict(), strict=True)
    sides = {"hand": hand.train(), "built": built.train()}
    ratios = []
    for round_ in range(ROUNDS + 5):
        order = list(sides) if round_ % 2 else list(reversed(sides))
        taken = {side: seconds(sides[side], batch, steps) for side in order}
        if round_ >= 5:
            ratios.append(taken["built"] / taken["hand"])
    return statistics.median(ratios)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    ratios = {name: measure(name) for name in CASES}
    for name, ratio in ratios.items():
        print(f"{name}: built / by hand {ratio:.3f}")
    missed = any(abs(ratio - 1) > TOLERANCE for ratio in ratios.values())
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
