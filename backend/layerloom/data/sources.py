"""One register of everything that can be trained on: built-in, torchvision's and uploaded."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from pathlib import Path

from torch import Tensor

from layerloom.data import uploads
from layerloom.data.builtin import sources
from layerloom.data.dataset import DataError, Dataset
from layerloom.data.vision import VISION
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.problems import ProblemCode
from layerloom.schema.run import DatasetPreview


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
    if uploads.find(name, folder):
        return uploads.load(name, folder)
    names = [entry.name for entry in entries(folder)]
    nearest = get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f" Did you mean {', '.join(nearest)}?" if nearest else ""
    raise DataError(ProblemCode.UNKNOWN_DATASET, f"There is no such data set.{hint}", nearest=nearest)


def accept(folder: Path, name: str, suffix: str, file: Path) -> DatasetEntry:
    """Keep an uploaded file as a data set, in place of an earlier upload of that name.

    Raises:
        DataError: the name belongs to a source that comes with LayerLoom, or the file is refused.
    """
    if name in sources() or name in VISION:
        raise DataError(ProblemCode.NAME_RESERVED, "A data set of that name is built in; choose another name.")
    return uploads.accept(folder, name, suffix, file)


def preview(name: str, folder: Path, count: int = 16) -> DatasetPreview:
    """The first samples that show every class, as nested lists, and how many samples each class has."""
    dataset = load(name, folder)
    value = next(iter(dataset.inputs.values()))
    rows = _varied(dataset.targets, count) if dataset.entry.task == "classification" else range(min(count, len(value)))
    return DatasetPreview(
        inputs=[value[row].tolist() for row in rows],
        targets=[dataset.targets[row].tolist() for row in rows],
        counts=_counts(dataset),
    )


def _varied(targets: Tensor, count: int) -> list[int]:
    """Sample numbers in rounds over the classes, so that a sorted table shows more than its first class."""
    by_class: dict[int, list[int]] = {}
    for row, target in enumerate(targets.tolist()):
        by_class.setdefault(target, []).append(row)
    queues = [iter(by_class[key]) for key in sorted(by_class)]
    chosen: list[int] = []
    while queues and len(chosen) < count:
        queues = [queue for queue in queues if len(chosen) < count and _take(queue, chosen)]
    return chosen


def _take(queue: object, chosen: list[int]) -> bool:
    row = next(queue, None)  # type: ignore[call-overload]
    if row is not None:
        chosen.append(row)
    return row is not None


def _counts(dataset: Dataset) -> dict[str, int]:
    if dataset.entry.task != "classification":
        return {}
    names = dict(enumerate(dataset.entry.classes))
    found = Counter(dataset.targets.tolist())
    return {names.get(label, str(label)): found[label] for label in sorted(found)}
