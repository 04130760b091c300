"""A training plan. Everything that names a torch class is a name of the catalogue."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from layerloom.schema.base import Wire
from layerloom.schema.values import Arguments

Positive = Annotated[int, Field(gt=0, strict=True)]
Precision = Literal["fp32", "bf16", "fp16"]


class Choice(Wire):
    """A catalogue entry and the arguments that differ from its defaults."""

    name: Annotated[str, Field(max_length=256)]
    arguments: Arguments = {}


class Schedule(Choice):
    """A scheduler; one that is made of others (warm-up, then cosine) has them as its parts, in order."""

    parts: Annotated[list[Choice], Field(max_length=16)] = []


class Split(Wire):
    """How samples are divided; the same seed gives the same division."""

    validation: Annotated[float, Field(gt=0, lt=1)] = 0.2
    stratify: bool = True
    """Keep the classes' proportions in both parts (classification only)."""
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 0


class Clip(Wire):
    """Gradient clipping before each step."""

    norm: Annotated[float, Field(gt=0)] | None = None
    value: Annotated[float, Field(gt=0)] | None = None


class Statistics(Wire):
    """What is sampled while training, and at most how much of the wall time it may take."""

    norms: bool = True
    histograms: bool = True
    budget: Annotated[float, Field(ge=0, le=1)] = 0.02


class CheckpointPolicy(Wire):
    """``last`` and ``best`` are always kept."""

    every_epochs: Positive = 1
    monitor: Annotated[str, Field(max_length=128)] | None = None
    """Series that decides which is best; the first validation metric, or the validation loss, when None."""


class Plan(Wire):
    """``{"dataset": "digits", "epochs": 3, "seed": 0}`` is complete: all else has defaults."""

    dataset: Annotated[str, Field(max_length=128)]
    split: Split = Split()
    batch_size: Annotated[int, Field(gt=0, le=65_536, strict=True)] = 64
    epochs: Annotated[int, Field(gt=0, le=1_000_000, strict=True)] | None = None
    steps: Annotated[int, Field(gt=0, le=1_000_000_000, strict=True)] | None = None
    """Stop after this many optimizer steps; with ``epochs`` too, whichever comes first."""
    optimizer: Choice = Choice(name="torch.optim.AdamW", arguments={"lr": 0.003})
    scheduler: Schedule | None = None
    scheduler_interval: Literal["epoch", "step"] = "epoch"
    loss: Choice | None = None
    """The task's own when None: cross-entropy for classes and tokens, mean squared error for numbers."""
    metrics: list[Choice] | None = None
    """The task's own when None: accuracy, or mean absolute error and R²."""
    clip: Clip = Clip()
    precision: Precision = "fp32"
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d{1,3})?)$")] = "auto"
    threads: Annotated[int, Field(gt=0, le=256, strict=True)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 0
    normalize: bool = True
    """Scale numeric features by the training part's mean and deviation."""
    checkpoints: CheckpointPolicy = CheckpointPolicy()
    statistics: Statistics = Statistics()

    @model_validator(mode="before")
    @classmethod
    def _default_length(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("epochs") is None and data.get("steps") is None:
            return {**data, "epochs": 20}
        return data
