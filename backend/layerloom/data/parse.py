"""What every parser of an uploaded file gives, and what is refused in any of them.

Parsers run in a process of their own (``importer``) that has little memory and no torch. They hold no more of a file
than a block of it: sizes are known from what the file declares, and values come when they are written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from layerloom.data.dataset import DataError
from layerloom.schema.datasets import DatasetDetails, Reading
from layerloom.schema.problems import ProblemCode

TARGET_NAMES = ("target", "targets", "label", "labels", "class", "classes", "y")
INPUT_NAMES = ("x", "data", "inputs", "input", "features", "images")
MAX_CLASSES = 1_000
MAX_BYTES = 4 * 2**30
"""Of one upload's tensors as they are kept: numbers as float32, whole numbers and classes as int64."""
MAX_GROWTH = 50
"""How many times larger than the file its tensors may be, beyond ``FREE_BYTES``: more is a decompression bomb."""
FREE_BYTES = 256 * 2**20
BLOCK_BYTES = 2**20
"""About what is held of a tensor at a time."""
MAX_FLOAT = float(np.finfo(np.float32).max)
SAME_LABEL = " All samples have the same label: there is nothing to tell apart."
"""Ends the summary of such data. They are kept, and their owner is warned."""

Part = Literal["training", "validation", "test"]
Block = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Values:
    """One tensor: its shape, samples first, and its elements in C order as often as ``blocks`` is called."""

    dtype: Literal["float32", "int64", "uint8"]
    """``uint8``: pixels, which a network sees between 0 and 1."""
    shape: tuple[int, ...]
    blocks: Callable[[], Iterator[Block]]

    @property
    def bytes(self) -> int:
        """Size of all elements."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Parsed:
    """Inputs by name, and what is to be predicted of them."""

    inputs: Mapping[str, Values]
    targets: Values
    task: Literal["classification", "regression", "tokens"]
    classes: list[str]
    summary: str
    category: str = "arrays"
    details: DatasetDetails | None = None
    lexicon: Sequence[str] = ()
    """Tokens whose numbers are in the inputs, from 2 on."""
    vocabulary: int = 0
    split: Mapping[Part, int] = field(default_factory=dict)
    """How many samples, in this order, the file itself sets apart for each part."""
    fitting: Sequence[str] = ()
    """How images were brought to one size, as calls of ``torchvision.transforms.v2``."""


Parser = Callable[[Path, Path, Reading | None], Parsed]
"""Takes the file, a path that names of scratch files may begin with, which outlive the parsed values' use, and how the
file is to be read, where that has been said."""


def refuse(message: str, **data: Any) -> DataError:
    """The error for content that cannot be used; raise it."""
    return DataError(ProblemCode.UPLOAD_INVALID, message, **data)


def too_large(message: str, **data: Any) -> DataError:
    """The error for content that is more than is read; raise it."""
    return DataError(ProblemCode.PAYLOAD_TOO_LARGE, message, **data)


def require_room(tensors: Iterable[Values], file: Path) -> None:
    """Hold what a file's tensors will take against what one upload may.

    Raises:
        DataError: with the size.
    """
    size, own = sum(values.bytes for values in tensors), file.stat().st_size
    if size > MAX_BYTES:
        raise too_large(
            f"Its tensors take {size:,} bytes; at most {MAX_BYTES:,} are kept.", bytes=size, allowed=MAX_BYTES
        )
    allowed = max(FREE_BYTES, MAX_GROWTH * own)
    if size > allowed:
        raise too_large(
            f"Its tensors take {size:,} bytes, {size // max(1, own):,} times the file; at most {allowed:,} are kept "
            "of a file of this size. Save arrays with numpy.savez, uncompressed, and turn text into numbers.",
            bytes=size,
            allowed=allowed,
        )
