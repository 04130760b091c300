"""Files as users send them, good and bad, and what becomes of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import pytest
from safetensors.torch import load_file
from torch import Tensor

from layerloom.data import DataError
from layerloom.data.importer import DETAILS, META, TENSORS, read_into
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.datasets import DatasetDetails, Reading, TextReading
from layerloom.schema.problems import Problem

MIB = 2**20
PLAIN = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"


def read(content: str | bytes, suffix: str, reading: Reading | None = None) -> tuple[DatasetEntry, dict[str, Tensor]]:
    """Read a file as the importer does, in this process; entry and tensors as they would be kept."""
    entry, tensors, _ = examine(content, suffix, reading)
    return entry, tensors


def examine(
    content: str | bytes, suffix: str, reading: Reading | None = None
) -> tuple[DatasetEntry, dict[str, Tensor], DatasetDetails]:
    """The same, with what was found in the file."""
    with TemporaryDirectory() as folder:
        file, made = Path(folder) / "incoming", Path(folder) / "set"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        read_into(made, "mine", suffix, file, reading)
        assert sorted(path.name for path in Path(folder).iterdir()) == ["incoming", "set"]
        entry = DatasetEntry.model_validate(json.loads((made / META).read_text(encoding="utf-8")))
        details = DatasetDetails.model_validate_json((made / DETAILS).read_bytes())
        return entry, {name: value.clone() for name, value in load_file(made / TENSORS).items()}, details


def reading(missing: Literal["drop", "mean"] = "drop", text: TextReading | None = None, **columns: str) -> Reading:
    """Columns as ``name="kind role"``."""
    pairs = {name: how.split() for name, how in columns.items()}
    made = [{"name": name, "kind": kind, "role": role} for name, (kind, role) in pairs.items()]
    return Reading.model_validate({"columns": made, "missing": missing, "text": text})


def refusal(content: str | bytes, suffix: str, reading: Reading | None = None) -> Problem:
    """Why the file is refused. Any other exception than the typed one is a failure."""
    with pytest.raises(DataError) as caught:
        read(content, suffix, reading)
    return caught.value.problem


def array(value: object, pickle: bool = False) -> bytes:
    """As ``numpy.save`` writes it."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value, dtype=object if pickle else None), allow_pickle=pickle)
    return buffer.getvalue()


def head(text: str | bytes, version: int = 1) -> bytes:
    """An ``.npy`` head of that text."""
    raw = text.encode() if isinstance(text, str) else text
    return b"\x93NUMPY" + bytes([version, 0]) + len(raw).to_bytes(2 if version == 1 else 4, "little") + raw


def npz(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as out:
        for name, content in members.items():
            out.writestr(name, content)
    return buffer.getvalue()


def savez(**arrays: object) -> bytes:
    """As ``numpy.savez_compressed`` writes it."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: np.asarray(value) for name, value in arrays.items()})
    return buffer.getvalue()


def bomb() -> bytes:
    """An ``.npz`` of 49 KB that unpacks to 50 MB and would be kept as 400 MB."""
    return savez(x=np.zeros((50, 1_000_000), bool), y=np.arange(50) % 2, z=np.zeros((50, 500_000), np.uint8))


def peak_growth(work: Callable[[], object]) -> int:
    """By how many bytes this process's memory grows at most while ``work`` runs; Linux only."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    try:
        reset.write_text("5")
    except OSError:
        pytest.skip("this system does not tell peaks of memory")

    def peak() -> int:
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    before = peak()
    work()
    return peak() - before
