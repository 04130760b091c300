"""Reads one uploaded file, as a task of ``layerloom.graph.sandbox``.

Whatever a hostile file makes a parser do, it does it there: with bounded memory and time, without torch, without a
network, without a secret in the environment. It writes the data set into a folder that it is given.
"""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

from layerloom.data.dataset import DataError
from layerloom.data.parse import Parsed, Parser
from layerloom.data.parse_csv import parse_csv
from layerloom.data.parse_npz import parse_npz
from layerloom.data.parse_text import parse_text
from layerloom.data.tensor_file import write_tensors
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.datasets import Reading
from layerloom.schema.problems import ProblemCode


def _parquet(file: Path, scratch: Path, reading: Reading | None) -> Parsed:
    # Arrow is imported here only, and so in no other process.
    from layerloom.data.parse_parquet import parse_parquet

    return parse_parquet(file, scratch, reading)


def _arrow(file: Path, scratch: Path, reading: Reading | None) -> Parsed:
    from layerloom.data.parse_parquet import parse_arrow

    return parse_arrow(file, scratch, reading)


def _images(file: Path, scratch: Path, reading: Reading | None) -> Parsed:
    # Pillow likewise.
    from layerloom.data.parse_images import parse_images

    return parse_images(file, scratch, reading)


PARSERS: dict[str, Parser] = {
    ".csv": parse_csv,
    ".tsv": parse_csv,
    ".npz": parse_npz,
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".txt": parse_text,
    ".zip": _images,
}
"""By file suffix; to add a format, write a parser that gives ``Parsed`` and name it here."""
TENSORS, META, DETAILS, LEXICON = "data.safetensors", "meta.json", "details.json", "lexicon.json"
TOO_MUCH = "Reading the file takes more memory or time than one upload may. Split it, or send .npz in place of .csv."


def read_into(folder: Path, name: str, suffix: str, file: Path, reading: Reading | None = None) -> None:
    """Parse a file and write it as the data set ``name`` into a folder of its own, synced.

    Raises:
        DataError: the content is bad; the folder may hold a part of it.
    """
    scratch = folder.with_name(f"{folder.name}-scratch")
    folder.mkdir()
    parsed = PARSERS[suffix](file, scratch, reading)
    tensors = {f"inputs.{key}": values for key, values in parsed.inputs.items()}
    write_tensors(folder / TENSORS, {**tensors, "targets": parsed.targets})
    if parsed.details is not None:
        _write(folder / DETAILS, parsed.details.model_dump_json())
    if parsed.lexicon:
        _write(folder / LEXICON, json.dumps(list(parsed.lexicon)))
    _write(folder / META, _entry(name, parsed).model_dump_json())
    for left in folder.parent.glob(f"{scratch.name}*"):
        left.unlink()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def read(payload: dict[str, str], file: Path) -> dict[str, Any]:
    """The task: ``{"folder", "name", "suffix", "reading"}``; gives ``{}``, or ``{"problem": …}`` when the file is
    refused. ``reading`` is JSON, or empty."""
    reading = Reading.model_validate_json(payload["reading"]) if payload["reading"] else None
    try:
        read_into(Path(payload["folder"]).absolute(), payload["name"], payload["suffix"], file, reading)
    except DataError as error:
        return {"problem": error.problem.model_dump(mode="json")}
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = DataError(ProblemCode.DISK_FULL, "The disk is full; nothing was saved.")
        return {"problem": full.problem.model_dump(mode="json")}
    return {}


TASKS = {"read": read}


def _entry(name: str, parsed: Parsed) -> DatasetEntry:
    first = next(iter(parsed.inputs.values()))
    return DatasetEntry(
        name=name,
        label=name,
        category=parsed.category,
        summary=parsed.summary,
        tasks=[parsed.task],
        task=parsed.task,
        shape=list(first.shape[1:]),
        dtype="float32" if first.dtype == "uint8" else first.dtype,
        target_shape=list(parsed.targets.shape[1:]),
        target_dtype=parsed.targets.dtype,
        classes=parsed.classes,
        vocabulary=parsed.vocabulary,
        samples=parsed.targets.shape[0],
        uploaded=True,
        split=dict(parsed.split),
        fitting=list(parsed.fitting),
    )
