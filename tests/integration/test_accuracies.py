"""What networks reach with the plan that is complete when it names a data set: ``{"dataset": …, "seed": …}``.

``python tests/integration/test_accuracies.py 5`` prints the spread over five seeds; bounds leave room for it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from torch import Tensor

import layerloom
from layerloom.data import load, main_inputs, prepare
from layerloom.graph import build
from layerloom.graph.examples import examples
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.training import Control, train

TRANSFORMER = """
import torch
from torch import nn
from torch.nn import functional as F


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(64)
        self.qkv = nn.Linear(64, 192)
        self.out = nn.Linear(64, 64)
        self.norm2 = nn.LayerNorm(64)
        self.mlp = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 64))

    def forward(self, x):
        q, k, v = self.qkv(self.norm1(x)).chunk(3, -1)
        q = q.unflatten(-1, (4, 16)).transpose(1, 2)
        k = k.unflatten(-1, (4, 16)).transpose(1, 2)
        v = v.unflatten(-1, (4, 16)).transpose(1, 2)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(32, 64)
        self.place = nn.Parameter(torch.zeros(48, 64))
        self.layers = nn.Sequential(Layer(), Layer())
        self.norm = nn.LayerNorm(64)
        self.head = nn.Linear(64, 32)

    def forward(self, x):
        return self.head(self.norm(self.layers(self.embed(x) + self.place)))
"""
UNET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU())
        self.down2 = nn.Sequential(nn.Conv2d(16, 16, 3, stride=2, padding=1), nn.ReLU())
        self.down3 = nn.Sequential(nn.Conv2d(16, 4, 3, stride=2, padding=1), nn.Tanh())
        self.up2 = nn.Sequential(nn.ConvTranspose2d(4, 16, 2, stride=2), nn.ReLU())
        self.up1 = nn.Sequential(nn.ConvTranspose2d(16, 16, 2, stride=2), nn.ReLU())
        self.skip = nn.Conv2d(4, 16, 1)
        self.head = nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, x):
        code = self.down3(self.down2(self.down1(x)))
        up = self.up2(code)
        up = up + nn.functional.interpolate(self.skip(code), scale_factor=2.0)
        return self.head(self.up1(up))
"""
"""Two levels down and up; everything goes through the code of 16 numbers, or copying would be all there is to learn."""
HEADS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, padding=1)
        self.body = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(1024, 64), nn.ReLU())
        self.digit = nn.Linear(64, 10)
        self.image = nn.Linear(64, 64)

    def forward(self, x):
        hidden = self.body(self.conv(x))
        return {"digit": self.digit(hidden), "image": self.image(hidden).view(-1, 1, 8, 8)}
"""


def drawn(source: str, shape: list[int], dtype: str = "float32", high: int | None = None) -> Document:
    """The network of a source, with its input."""
    document = layerloom.from_python(source)
    example = {"shape": shape, "dtype": dtype, **({} if high is None else {"high": high})}
    return Document.model_validate({**document.model_dump(mode="json"), "inputs": {"x": example}})


@dataclass(frozen=True)
class Case:
    """A network, its data, and for some series of the validation part what they have to surpass."""

    document: Document
    dataset: str
    bounds: dict[str, float]
    settings: dict[str, Any] = field(default_factory=dict)

    def run(self, seed: int, *, whole: bool) -> dict[str, float]:
        """The last values of the series; at the end of the run, or as soon as all are beyond their bounds."""
        named = {"dataset": self.dataset, "seed": seed, "device": "cpu", "threads": 1}
        plan = Plan.model_validate({**named, **self.settings})
        control, last = Control(), dict[str, float]()

        def emit(event: Any) -> None:
            for name, values in getattr(event, "series", {}).items():
                if name in self.bounds:
                    last[name] = values[-1]
            if not whole and self.surpassed(last):
                control.desired = "stop"

        with TemporaryDirectory() as folder:
            data = prepare(plan, main_inputs(self.document), Path(folder))
            train(
                build(self.document, seed=seed),
                plan,
                data.train,
                data.validation,
                task=data.entry.task,
                classes=len(data.entry.classes),
                emit=emit,
                control=control,
                folder=Path(folder),
            )
        return last

    def surpassed(self, last: dict[str, float]) -> bool:
        """Accuracies are above their bounds, losses below."""
        return bool(last) and all(
            last[name] >= bound if name.endswith("accuracy") else last[name] <= bound
            for name, bound in self.bounds.items()
        )


def example(name: str) -> Document:
    return next(item.document for item in examples() if item.id == name)


@cache
def digits() -> tuple[Tensor, Tensor]:
    """Images as the default plan divides them, for training and for validation, ``[N, 64]``."""
    plan = Plan(dataset="digits")
    data = prepare(plan, main_inputs(example("digits-cnn")), Path())
    return data.train.inputs["x"].flatten(1), data.validation.inputs["x"].flatten(1)


def of_components(count: int) -> float:
    """Mean squared error of the validation digits rebuilt from so many principal components of the training digits."""
    train, validation = digits()
    mean = train.mean(0)
    _, _, axes = torch.linalg.svd(train - mean, full_matrices=False)
    kept = axes[:count]
    return float(((validation - mean) - (validation - mean) @ kept.T @ kept).square().mean())


def bigram_entropy() -> float:
    """Of a character given the one before it, in nats: what a table of pairs can reach at best."""
    data = load("characters", Path())
    [before] = data.inputs.values()
    pairs = torch.zeros(32, 32, dtype=torch.float64)
    pairs.index_put_((before.flatten(), data.targets.flatten()), torch.ones((), dtype=torch.float64), accumulate=True)
    given = pairs / pairs.sum(1, keepdim=True).clamp(min=1)
    return float(-(pairs * given.clamp(min=1e-300).log()).sum() / pairs.sum())


def sine_of_last() -> float:
    """Mean squared error of saying that the next value is the last one."""
    data = load("sine", Path())
    [waves] = data.inputs.values()
    return float((waves[:, -1] - data.targets).square().mean())


def case(name: str) -> Case:
    """One of ``NETWORKS``; made when it is asked for, since bounds are computed from the data."""
    accuracy, loss = "validation/accuracy", "validation/loss"
    match name:
        case "cnn":
            return Case(example("digits-cnn"), "digits", {accuracy: 0.985})
        case "transformer":
            return Case(drawn(TRANSFORMER, [48], "int64", 32), "characters", {loss: bigram_entropy()})
        case "lstm":
            return Case(example("sine-lstm"), "sine", {loss: sine_of_last() / 20})
        case "unet":
            squared = {"loss": {"name": "torch.nn.MSELoss"}}
            return Case(drawn(UNET, [1, 8, 8]), "digits", {loss: of_components(8)}, squared)
        case "heads":
            bounds = {"validation/digit/accuracy": 0.96, "validation/image/loss": of_components(8)}
            return Case(drawn(HEADS, [1, 8, 8]), "digits", bounds)
    raise ValueError(name)


NETWORKS = ("cnn", "transformer", "lstm", "unet", "heads")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_default_plan_learns(name: str) -> None:
    one = case(name)
    last = one.run(0, whole=False)
    assert one.surpassed(last), f"{last}, bounds {one.bounds}"


if __name__ == "__main__":
    for network in NETWORKS:
        one = case(network)
        for seed in range(int(sys.argv[1])):
            print(network, seed, one.run(seed, whole=True), "bounds", one.bounds, flush=True)
