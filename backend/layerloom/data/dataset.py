"""Data in memory: what a source gives, and what a trainer takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.problems import Problem, ProblemCode

if TYPE_CHECKING:
    from torch import Tensor


class DataError(Exception):
    """Data that cannot be had or does not fit; ``problem`` says which and what would mend it."""

    def __init__(self, code: ProblemCode, message: str, **data: Any) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, data=data)


@dataclass(frozen=True)
class TensorSet:
    """Samples on the first axis of every tensor; inputs by the name of the forward parameter they feed."""

    inputs: Mapping[str, Tensor]
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Dataset:
    """A whole data set as its source gives it, before it is divided.

    ``training`` is the number of leading samples that the source itself sets apart for training, where it does
    (MNIST's 60,000 of 70,000).
    """

    entry: DatasetEntry
    inputs: Mapping[str, Tensor]
    targets: Tensor
    training: int | None = None

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Scaling:
    """Mean and deviation of the training part, by input name; shapes broadcast over a batch of samples."""

    mean: Mapping[str, Tensor]
    deviation: Mapping[str, Tensor]


@dataclass(frozen=True)
class Prepared:
    """Everything a training run takes from its data."""

    entry: DatasetEntry
    train: TensorSet
    validation: TensorSet
    scaling: Scaling | None = None
    notes: tuple[str, ...] = ()
    """What was done to make the data fit, in sentences for the run's log."""
