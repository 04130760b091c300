"""One register of everything that can be trained on: built-in, torchvision's and uploaded."""

from __future__ import annotations

import threading
from collections import Counter
from difflib import get_close_matches
from pathlib import Path

import torch
from torch import Tensor

from layerloom.data import uploads
from layerloom.data.builtin import sources
from layerloom.data.dataset import DataError, Dataset
from layerloom.data.vision import VISION
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.problems import ProblemCode
from layerloom.schema.run import DatasetPreview

MAX_SHOWN = 500_000
"""Numbers of a preview; each takes some ten bytes as JSON."""
_PIECE = 1 << 20


def entries(folder: Path) -> list[DatasetEntry]:
    """What can be chosen, uploads last. ``folder`` is the data folder of the home directory."""
    vision = [source.entry.model_copy(update={"available": source.present(folder)}) for source in VISION.values()]
    return [*(source.entry for source in sources().values()), *vision, *uploads.entries(folder)]


def find(name: str, folder: Path) -> DatasetEntry | None:
    """The entry of one data set."""
    known = sources().get(name) or VISION.get(name)
    return known.entry if known else uploads.find(name, folder)


def load(name: str, folder: Path) -> Dataset:
    """The whole data set as tensors.

    Raises:
        DataError: unknown (nearest names are given), or not to be had.
    """
    known = sources().get(name) or VISION.get(name)
    if known:
        return known.load(folder)
    uploaded = uploads.load(name, folder)
    if uploaded:
        return uploaded
    names = [entry.name for entry in entries(folder)]
    nearest = get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f" Did you mean {', '.join(nearest)}?" if nearest else ""
    raise DataError(ProblemCode.UNKNOWN_DATASET, f"There is no such data set.{hint}", nearest=nearest)


def accept(folder: Path, name: str, suffix: str, file: Path, stop: threading.Event | None = None) -> DatasetEntry:
    """Keep an uploaded file as a data set, in place of an earlier upload of that name.

    It is read in a process of its own, which ends when ``stop`` is set.

    Raises:
        DataError: the name belongs to a source that comes with LayerLoom, or the file is refused.
    """
    if name in sources() or name in VISION:
        raise DataError(ProblemCode.NAME_RESERVED, "A data set of that name is built in; choose another name.")
    return uploads.accept(folder, name, suffix, file, stop)


def preview(name: str, folder: Path, count: int = 16) -> DatasetPreview:
    """The first samples that show every class, as nested lists, and how many samples each class has.

    Fewer samples, or none, where they would make more than ``MAX_SHOWN`` numbers.
    """
    dataset = load(name, folder)
    value = next(iter(dataset.inputs.values()))
    count = min(count, len(value), MAX_SHOWN // max(1, value[0].numel() + dataset.targets[0].numel()))
    if dataset.entry.task != "classification":
        rows, counts = list(range(count)), {}
    else:
        found = torch.bincount(dataset.targets)
        rows, counts = _varied(dataset.targets, found, count), _counts(dataset.entry.classes, found)
    return DatasetPreview(
        inputs=[value[row].tolist() for row in rows],
        targets=[dataset.targets[row].tolist() for row in rows],
        counts=counts,
    )


def _varied(targets: Tensor, found: Tensor, count: int) -> list[int]:
    """Sample numbers in rounds over the classes, so that a sorted table shows more than its first class."""
    left = {label: min(samples, count) for label, samples in enumerate(found.tolist()) if samples}
    rounds = [label for turn in range(count) for label in left if left[label] > turn][:count]
    queues = {label: iter(_first(targets, label, taken)) for label, taken in Counter(rounds).items()}
    return [next(queues[label]) for label in rounds]


def _first(targets: Tensor, label: int, count: int) -> list[int]:
    """The first samples of one class, found a piece at a time: of a long column most is never looked at."""
    rows: list[int] = []
    for start in range(0, len(targets), _PIECE):
        rows += (start + (targets[start : start + _PIECE] == label).nonzero()[: count - len(rows), 0]).tolist()
        if len(rows) == count:
            break
    return rows


def _counts(classes: list[str], found: Tensor) -> dict[str, int]:
    names = dict(enumerate(classes))
    return {names.get(label, str(label)): samples for label, samples in enumerate(found.tolist()) if samples}
