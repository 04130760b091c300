"""Data in memory: what a source gives, and what a trainer takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.datasets import TextReading, Vocabulary
from layerloom.schema.problems import Problem, ProblemCode

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from layerloom.data.mapped import Mapped
    from layerloom.data.pipeline import ImageTransform
    from layerloom.schema.run import Preparation


class DataError(Exception):
    """Data that cannot be had or does not fit; ``problem`` says which and what would mend it."""

    def __init__(self, code: ProblemCode, message: str, **data: Any) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, data=data)


@dataclass(frozen=True)
class TensorSet:
    """Samples on the first axis of every tensor; inputs by the name of the forward parameter they feed."""

    inputs: Mapping[str, Tensor | Mapped]
    targets: Tensor
    transform: ImageTransform | None = None
    """What becomes of a batch's images before the network sees them."""
    others: Mapping[str, Tensor] = field(default_factory=dict)
    """Arrays that some head of the plan is compared with, beside the target."""

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Tokens:
    """Tokens of a data set's text by their number, from 2 on; the input ``column`` holds the numbers."""

    known: Sequence[str]
    reading: TextReading
    column: str


@dataclass(frozen=True)
class Dataset:
    """A whole data set as its source gives it, before it is divided.

    ``training`` is the number of leading samples that the source itself sets apart for training, where it does
    (MNIST's 60,000 of 70,000), and ``validation`` that of those after them which it sets apart for validation: all
    that follow when None. Inputs of ``uint8`` are pixels, and 255 stands for 1.
    """

    entry: DatasetEntry
    inputs: Mapping[str, Tensor]
    targets: Tensor
    training: int | None = None
    tokens: Tokens | None = None
    validation: int | None = None
    file: Path | None = None
    """A safetensors file that holds the inputs as ``inputs.<name>``, so that they can be read a piece at a time."""

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Scaling:
    """Mean and deviation of the training part, by input name; shapes broadcast over a batch of samples.

    ``filled`` is what takes the place of a missing value, before it is scaled.
    """

    mean: Mapping[str, Tensor]
    deviation: Mapping[str, Tensor]
    filled: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """Everything a training run takes from its data."""

    entry: DatasetEntry
    train: TensorSet
    validation: TensorSet
    scaling: Scaling | None = None
    vocabulary: Vocabulary | None = None
    preparation: Preparation | None = None
    notes: tuple[str, ...] = ()
    """What was done to make the data fit, in sentences for the run's log."""

    @property
    def classes(self) -> int:
        """How many classes, or ids of tokens, the targets may have."""
        return self.entry.vocabulary if self.entry.task == "tokens" and self.vocabulary else len(self.entry.classes)
