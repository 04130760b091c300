"""Data sets that a user brings: CSV and NPZ files, parsed once and kept as tensors.

A file is parsed whole before anything is kept; what cannot be read leaves no trace. The name that the client gives is
kept inside ``meta.json`` and is never a path: folders have names of their own.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file

from layerloom.data.dataset import DataError, Dataset
from layerloom.data.parse import Parsed
from layerloom.data.parse_csv import parse_csv
from layerloom.data.parse_npz import parse_npz
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.problems import ProblemCode

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
PARSERS = {".csv": parse_csv, ".tsv": parse_csv, ".npz": parse_npz}
"""By file suffix; to add a format, write a parser that gives ``Parsed`` and name it here."""


def accept(folder: Path, name: str, suffix: str, file: Path) -> DatasetEntry:
    """Parse an uploaded file and keep it under ``name``, in place of an earlier upload of that name.

    Raises:
        DataError: the name is taken by a built-in set or malformed, the type is not accepted, or the content is bad.
    """
    if not NAME.fullmatch(name):
        raise DataError(
            ProblemCode.NAME_INVALID, "A data set's name is made of small letters, digits and hyphens, at most 63."
        )
    parser = PARSERS.get(suffix.lower())
    if parser is None:
        raise DataError(ProblemCode.UPLOAD_TYPE, f"Upload one of {', '.join(PARSERS)}.")
    parsed = parser(file)
    entry = _entry(name, parsed)
    target = _store(folder, entry, parsed)
    for other in _folders(folder):
        if other != target and _meta(other).name == name:
            shutil.rmtree(other, ignore_errors=True)
    return entry


def entries(folder: Path) -> list[DatasetEntry]:
    """Every upload, by name."""
    return sorted((_meta(path) for path in _folders(folder)), key=lambda entry: entry.name)


def find(name: str, folder: Path) -> DatasetEntry | None:
    """The upload of that name."""
    return next((entry for entry in entries(folder) if entry.name == name), None)


def load(name: str, folder: Path) -> Dataset:
    """The tensors of an upload that ``find`` knows."""
    path = next(path for path in _folders(folder) if _meta(path).name == name)
    tensors = load_file(path / "data.safetensors")
    targets = tensors.pop("targets")
    inputs = {key.removeprefix("inputs."): value for key, value in tensors.items()}
    return Dataset(_meta(path), inputs, targets)


def remove(name: str, folder: Path) -> bool:
    """Delete an upload; False when there is none of that name."""
    found = [path for path in _folders(folder) if _meta(path).name == name]
    for path in found:
        shutil.rmtree(path)
    return bool(found)


def _entry(name: str, parsed: Parsed) -> DatasetEntry:
    first = next(iter(parsed.inputs.values()))
    classes = parsed.task == "classification"
    return DatasetEntry(
        name=name,
        label=name,
        category="tables" if first.dim() == 2 and first.is_floating_point() else "arrays",
        summary=parsed.summary,
        tasks=[parsed.task],
        task=parsed.task,
        shape=list(first.shape[1:]),
        dtype=str(first.dtype).removeprefix("torch."),
        target_shape=list(parsed.targets.shape[1:]),
        target_dtype=str(parsed.targets.dtype).removeprefix("torch."),
        classes=parsed.classes if classes else [],
        samples=len(parsed.targets),
        uploaded=True,
    )


def _store(folder: Path, entry: DatasetEntry, parsed: Parsed) -> Path:
    """Written beside its place and renamed, so that a reader sees it whole or not at all."""
    root = folder / "uploads"
    root.mkdir(parents=True, exist_ok=True)
    target = root / secrets.token_hex(8)
    draft = root / f"tmp-{target.name}"
    draft.mkdir()
    tensors = {f"inputs.{key}": value.contiguous() for key, value in parsed.inputs.items()}
    save_file({**tensors, "targets": parsed.targets.contiguous()}, draft / "data.safetensors")
    (draft / "meta.json").write_text(entry.model_dump_json(), encoding="utf-8")
    for path in (draft / "data.safetensors", draft / "meta.json", draft):
        _sync(path)
    draft.rename(target)
    _sync(root)
    return target


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folders(folder: Path) -> list[Path]:
    root = folder / "uploads"
    return [path for path in root.iterdir() if not path.name.startswith("tmp-")] if root.is_dir() else []


def _meta(path: Path) -> DatasetEntry:
    return DatasetEntry.model_validate(json.loads((path / "meta.json").read_text(encoding="utf-8")))
