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
from layerloom.data.builtin_columns import told
from layerloom.data.dataset import DataError, Dataset
from layerloom.data.fetching import missing
from layerloom.data.flowers import FlowerSource
from layerloom.data.pictures import at_most, floats, is_image, pictures
from layerloom.data.split import counts, division
from layerloom.data.vision import VISION, VisionSource
from layerloom.data.vocabulary import texts_of
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.datasets import DatasetDetails, Reading
from layerloom.schema.plan import Split
from layerloom.schema.problems import ProblemCode
from layerloom.schema.run import DatasetPreview

MAX_SHOWN = 500_000
"""Numbers of a preview; each takes some ten bytes as JSON."""
_PIECE = 1 << 20


def entries(folder: Path, *, downloads: bool = True) -> list[DatasetEntry]:
    """What can be chosen, uploads last. ``folder`` is the data folder of the home directory; without ``downloads`` what
    is not there says so."""
    vision = [_offered(source, folder, downloads=downloads) for source in VISION.values()]
    return [*(source.entry for source in sources().values()), *vision, *uploads.entries(folder)]


def _offered(source: VisionSource | FlowerSource, folder: Path, *, downloads: bool) -> DatasetEntry:
    there = source.present(folder)
    problem = None if there or downloads else missing(source.entry, folder)
    return source.entry.model_copy(update={"available": there, "missing": problem})


def find(name: str, folder: Path) -> DatasetEntry | None:
    """The entry of one data set."""
    known = sources().get(name) or VISION.get(name)
    return known.entry if known else uploads.find(name, folder)


def load(name: str, folder: Path, *, downloads: bool = True) -> Dataset:
    """The whole data set as tensors; files that are not there are downloaded, unless that is forbidden.

    Raises:
        DataError: unknown (nearest names are given), or not to be had.
    """
    if name in sources():
        return sources()[name].load(folder)
    if name in VISION:
        return VISION[name].load(folder, downloads=downloads)
    uploaded = uploads.load(name, folder)
    if uploaded:
        return uploaded
    names = [entry.name for entry in entries(folder)]
    nearest = get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f" Did you mean {', '.join(nearest)}?" if nearest else ""
    raise DataError(ProblemCode.UNKNOWN_DATASET, f"There is no such data set.{hint}", nearest=nearest)


def details(name: str, folder: Path) -> DatasetDetails | None:
    """What the columns of a data set hold; None when there is none of that name."""
    source = sources().get(name)
    if source is not None:
        return told(source)
    return DatasetDetails(reading=Reading(), editable=False) if name in VISION else uploads.details(name, folder)


def accept(folder: Path, name: str, suffix: str, file: Path, stop: threading.Event | None = None) -> DatasetEntry:
    """Keep an uploaded file as a data set, in place of an earlier upload of that name.

    It is read in a process of its own, which ends when ``stop`` is set.

    Raises:
        DataError: the name belongs to a source that comes with LayerLoom, or the file is refused.
    """
    if name in sources() or name in VISION:
        raise DataError(ProblemCode.NAME_RESERVED, "A data set of that name is built in; choose another name.")
    return uploads.accept(folder, name, suffix, file, stop)


def preview(name: str, folder: Path, count: int = 16, *, downloads: bool = True) -> DatasetPreview:
    """The first samples that show every class, as nested lists and as pictures, and how many samples each class has.

    Fewer lists, or none, where they would make more than ``MAX_SHOWN`` numbers; targets are those of the pictures.
    """
    dataset = load(name, folder, downloads=downloads)
    entry, value = dataset.entry, next(iter(dataset.inputs.values()))
    images = is_image(entry.shape)
    shown = min(count, MAX_SHOWN // max(1, value[0].numel() + dataset.targets[0].numel()))
    rows = varied(dataset, at_most(count, entry.shape) if images else shown)
    return DatasetPreview(
        inputs=[floats(value[row]).tolist() for row in rows[:shown]],
        targets=[dataset.targets[row].tolist() for row in rows],
        pictures=pictures(floats(value[torch.tensor(rows)])) if images and value.dtype != torch.int64 else [],
        counts=counts(entry.classes, dataset.targets) if entry.task == "classification" else {},
        texts=texts_of(dataset, rows),
        division=division(dataset, Split()),
    )


def varied(dataset: Dataset, count: int) -> list[int]:
    """Numbers of samples that show every class, where there are classes; the first ones otherwise."""
    count = min(count, len(dataset))
    if dataset.entry.task != "classification":
        return list(range(count))
    return _varied(dataset.targets, torch.bincount(dataset.targets), count)


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
