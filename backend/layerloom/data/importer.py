"""Reads one uploaded file, as a task of ``layerloom.graph.sandbox``.

Whatever a hostile file makes a parser do, it does it there: with bounded memory and time, without torch, without a
network, without a secret in the environment. It writes the data set into a folder that it is given.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from layerloom.data.dataset import DataError
from layerloom.data.parse import Parsed, Parser
from layerloom.data.parse_csv import parse_csv
from layerloom.data.parse_npz import parse_npz
from layerloom.data.tensor_file import write_tensors
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.problems import ProblemCode

PARSERS: dict[str, Parser] = {".csv": parse_csv, ".tsv": parse_csv, ".npz": parse_npz}
"""By file suffix; to add a format, write a parser that gives ``Parsed`` and name it here."""
TENSORS, META = "data.safetensors", "meta.json"
TOO_MUCH = "Reading the file takes more memory or time than one upload may. Split it, or send .npz in place of .csv."


def read_into(folder: Path, name: str, suffix: str, file: Path) -> None:
    """Parse a file and write it as the data set ``name`` into a folder of its own, synced.

    Raises:
        DataError: the content is bad; the folder may hold a part of it.
    """
    scratch = folder.with_name(f"{folder.name}-scratch")
    folder.mkdir()
    parsed = PARSERS[suffix](file, scratch)
    tensors = {f"inputs.{key}": values for key, values in parsed.inputs.items()}
    write_tensors(folder / TENSORS, {**tensors, "targets": parsed.targets})
    with (folder / META).open("w", encoding="utf-8") as out:
        out.write(_entry(name, parsed).model_dump_json())
        out.flush()
        os.fsync(out.fileno())
    scratch.unlink(missing_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(payload: dict[str, str], file: Path) -> dict[str, Any]:
    """The task: ``{"folder", "name", "suffix"}``; gives ``{}``, or ``{"problem": …}`` when the file is refused."""
    try:
        read_into(Path(payload["folder"]).absolute(), payload["name"], payload["suffix"], file)
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
        category="tables" if len(first.shape) == 2 and first.dtype == "float32" else "arrays",
        summary=parsed.summary,
        tasks=[parsed.task],
        task=parsed.task,
        shape=list(first.shape[1:]),
        dtype=first.dtype,
        target_shape=list(parsed.targets.shape[1:]),
        target_dtype=parsed.targets.dtype,
        classes=parsed.classes,
        samples=parsed.targets.shape[0],
        uploaded=True,
    )
