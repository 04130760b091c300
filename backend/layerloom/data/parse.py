"""What every parser of an uploaded file gives, and what is refused in any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from layerloom.data.dataset import DataError
from layerloom.schema.problems import ProblemCode

TARGET_NAMES = ("target", "targets", "label", "labels", "class", "classes", "y")
INPUT_NAMES = ("x", "data", "inputs", "input", "features", "images")
MAX_CLASSES = 1_000


@dataclass(frozen=True)
class Parsed:
    """Tensors with samples on the first axis."""

    inputs: Mapping[str, Tensor]
    targets: Tensor
    task: Literal["classification", "regression"]
    classes: list[str]
    summary: str


def refuse(message: str, **data: Any) -> DataError:
    """The error for content that cannot be used; raise it."""
    return DataError(ProblemCode.UPLOAD_INVALID, message, **data)


def at_least_two_classes(classes: list[str]) -> None:
    """A label that never varies cannot be learned.

    Raises:
        DataError: with the only class.
    """
    if len(classes) < 2:
        raise DataError(
            ProblemCode.ONE_CLASS, "All samples have the same label; add samples of at least one other class."
        )
