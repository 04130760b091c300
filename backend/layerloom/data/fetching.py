"""What all of torchvision's data sets have in common: where their files lie, and what is said when they do not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerloom.data.dataset import DataError
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.problems import Problem, ProblemCode

FOLDER = "torchvision"
"""Below the data folder; the layout inside is torchvision's own."""


@contextmanager
def fetching(entry: DatasetEntry, folder: Path, *, downloads: bool) -> Iterator[None]:
    """What torchvision raises where files are missing or damaged, as a problem with its remedy."""
    try:
        yield
    except (RuntimeError, OSError, ValueError, EOFError) as error:
        if not downloads:
            raise forbidden(entry, folder) from error
        raise DataError(
            ProblemCode.DATASET_UNAVAILABLE,
            f"{entry.label} is not in {folder / FOLDER} and could not be downloaded: {error}. "
            "Put its files there, as torchvision lays them out, and try again.",
            dataset=entry.name,
        ) from error


def forbidden(entry: DatasetEntry, folder: Path) -> DataError:
    """The files are not there, or not whole, and nothing may be downloaded."""
    return DataError(
        ProblemCode.DOWNLOADS_OFF,
        f"{entry.label} is not in {folder / FOLDER}, and downloads are switched off. Put its files there, as "
        "torchvision lays them out, or start without --no-downloads and LAYERLOOM_NO_DOWNLOADS.",
        dataset=entry.name,
    )


def missing(entry: DatasetEntry, folder: Path) -> Problem:
    """The same as a problem, for a list."""
    return forbidden(entry, folder).problem


def entry_of(
    cls: str, label: str, summary: str, shape: list[int], samples: int, classes: list[str], name: str
) -> DatasetEntry:
    """How one of torchvision's classes is offered."""
    return DatasetEntry(
        name=name,
        label=label,
        category="images",
        summary=summary,
        tasks=["classification"],
        task="classification",
        shape=shape,
        classes=classes,
        samples=samples,
        available=False,
        link=f"https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.{cls}.html",
    )
