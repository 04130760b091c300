"""Uploads that cannot be read any more: listed beside the others, told as what they are, and deletable."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from layerloom.data.dataset import DataError
from layerloom.data.importer import META
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.problems import ProblemCode

NAME = re.compile(r"[^\W_][\w-]{0,62}")
"""In any script; text without a composed form is refused, so that equal names look equal."""
_SAID = re.compile(rb'"name"\s*:\s*"([^"\\]{1,300})"')
_READ = 65_536
"""Bytes in which a name is looked for; it comes first."""
Kept = TypeVar("Kept")


def damaged_entry(path: Path, source: Path | None) -> DatasetEntry:
    """What is listed in place of a description that cannot be read.

    It has the name that can still be made out, so that the same file, uploaded again, takes its place; else that of
    its folder, which no other has.
    """
    name = _told_name(path / META) or path.name
    return DatasetEntry(
        name=name,
        label=name,
        category="tables",
        task="regression",
        shape=[],
        available=False,
        uploaded=True,
        missing=damage(name, path / META, source).problem,
    )


def damage(name: str, file: Path, source: Path | None) -> DataError:
    """One file of an upload cannot be read; ``source`` is what was sent, where it was kept."""
    kept = f" What was sent is still there: {source}." if source is not None else ""
    return DataError(
        ProblemCode.DATASET_DAMAGED,
        f"A file of this data set is damaged or cannot be read: {file}. Upload the data set again under the same name, "
        f"or delete it.{kept}",
        dataset=name,
        file=str(file),
    )


def undamaged(name: str, file: Path, source: Path | None, read: Callable[[Path], Kept]) -> Kept:
    """What ``read`` makes of a file of an upload.

    Raises:
        FileNotFoundError: it is not there.
        DataError: there is no sense in it.
    """
    from safetensors import SafetensorError

    try:
        return read(file)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, SafetensorError) as error:
        raise damage(name, file, source) from error


def _told_name(file: Path) -> str | None:
    try:
        with file.open("rb") as opened:
            found = _SAID.search(opened.read(_READ))
        name = found[1].decode() if found else ""
    except (OSError, UnicodeDecodeError):
        return None
    return name if NAME.fullmatch(name) else None
