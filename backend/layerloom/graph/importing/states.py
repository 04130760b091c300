"""A bare state_dict: read in the sandbox, as names, shapes and dtypes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from layerloom.graph.errors import GraphError, refuse
from layerloom.schema.problems import ProblemCode

TENSORS_LIMIT = 20_000
_WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params", "ema")
"""Keys under which checkpoints keep the state of a network."""


def read_state(payload: dict[str, Any], file: Path) -> dict[str, Any]:
    """``{"tensors": [[name, shape, dtype], …], "notes": […]}`` of a ``.safetensors`` or ``.pt`` file.

    Only tensors are read, by the loaders that make nothing else: no code of the file runs.
    """
    notes: list[str] = []
    if payload["suffix"] == ".safetensors":
        tensors = _safetensors(file)
        notes.append("This format keeps tensors by name: the order of the layers is that of their names.")
    else:
        tensors = _torch(file, notes)
    if len(tensors) > TENSORS_LIMIT:
        raise _refused(f"It holds {len(tensors):,} tensors; at most {TENSORS_LIMIT:,} are read.")
    if not tensors:
        raise _refused("It holds no tensors by name.")
    return {"tensors": [[name, *item] for name, item in tensors.items()], "notes": notes}


def _safetensors(file: Path) -> dict[str, tuple[list[int], str]]:
    from safetensors import SafetensorError, safe_open

    kinds = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32"}
    kinds |= {"I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool"}
    try:
        with safe_open(str(file), framework="pt") as opened:
            slices = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118  no mapping
            return {name: (part.get_shape(), kinds.get(part.get_dtype(), "float32")) for name, part in slices.items()}
    except (SafetensorError, OSError) as error:
        raise _refused(f"It is no safetensors file: {str(error)[:200]}.") from None


def _torch(file: Path, notes: list[str]) -> dict[str, tuple[list[int], str]]:
    if not zipfile.is_zipfile(file):
        raise _refused("It is no file that torch.save has written since version 1.6.")
    with zipfile.ZipFile(file) as archive:
        records = archive.infolist()
        if any(record.compress_type != zipfile.ZIP_STORED for record in records):
            raise _refused("Its records are compressed, which torch.save does not do.")
        if sum(record.file_size for record in records) > file.stat().st_size:
            raise _refused("Its records overlap.")
    try:
        with torch.device("meta"):
            found = torch.load(file, map_location="meta", weights_only=True)
    except Exception as error:
        first = str(error).strip().splitlines()
        raise _refused(
            f"Only tensors are read, and it holds something else: {first[0][:200] if first else ''}"
        ) from None
    return _tensors(found, notes)


def _tensors(found: Any, notes: list[str]) -> dict[str, tuple[list[int], str]]:
    for key in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            notes.append(f"The tensors of {key!r} were read; what else the file holds was left out.")
            found = found[key]
            break
    if not isinstance(found, Mapping):
        raise _refused("It holds no tensors by name.")
    tensors = {name: value for name, value in found.items() if isinstance(value, torch.Tensor)}
    if len(tensors) < len(found):
        notes.append(f"{len(found) - len(tensors)} entries that are no tensors were left out.")
    return {str(name): (list(value.shape), str(value.dtype).removeprefix("torch.")) for name, value in tensors.items()}


def _refused(message: str) -> GraphError:
    return refuse(ProblemCode.UPLOAD_INVALID, message)
