"""Safetensors, written block by block: a tensor is never in memory as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from layerloom.data.parse import Values

_NAMES = {"float32": "F32", "int64": "I64", "uint8": "U8"}


def write_tensors(path: Path, tensors: Mapping[str, Values]) -> None:
    """Write and sync ``path``. https://huggingface.co/docs/safetensors#format

    Raises:
        DataError: a block shows values that cannot be kept.
    """
    # Wide elements first, so that each tensor begins at a multiple of its element's size.
    ordered = dict(sorted(tensors.items(), key=lambda item: -np.dtype(item[1].dtype).itemsize))
    with path.open("wb") as file:
        file.write(_header(ordered))
        for name, values in ordered.items():
            kept = np.dtype(values.dtype).newbyteorder("<")
            written = sum(file.write(np.ascontiguousarray(block, kept).data) for block in values.blocks())
            if written != values.bytes:
                raise RuntimeError(f"tensor {name} has {written} bytes where its shape needs {values.bytes}")
        file.flush()
        os.fsync(file.fileno())


def _header(tensors: Mapping[str, Values]) -> bytes:
    places, end = {}, 0
    for name, values in tensors.items():
        begin, end = end, end + values.bytes
        places[name] = {"dtype": _NAMES[values.dtype], "shape": values.shape, "data_offsets": [begin, end]}
    text = json.dumps(places).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
