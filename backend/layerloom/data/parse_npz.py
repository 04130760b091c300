"""NumPy archives: arrays with samples first, one of them the target."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from layerloom.data.parse import INPUT_NAMES, MAX_CLASSES, TARGET_NAMES, Parsed, at_least_two_classes, refuse

MAX_ARRAYS = 64
MAX_BYTES = 4 * 2**30
"""Of all arrays together, unpacked."""


def parse_npz(file: Path) -> Parsed:
    """Read an ``.npz``. The target is the array named ``y``, ``target`` or ``label``; all others are inputs.

    Every array's header is held against its size before a byte of it is unpacked, and objects are never loaded.
    8-bit pixels are scaled to 0…1, other whole numbers stay (token ids), and numbers become float32.

    Raises:
        DataError: with the array at fault.
    """
    arrays = _arrays(file)
    target = _target_name(list(arrays))
    targets = arrays.pop(target)
    samples = {name: len(value) if value.ndim else 0 for name, value in {**arrays, target: targets}.items()}
    if len(set(samples.values())) != 1 or 0 in samples.values():
        listed = ", ".join(f"{name}: {count:,}" for name, count in samples.items())
        raise refuse(f"All arrays need the same number of samples on their first axis; they have {listed}.")
    inputs = {_input_name(name, len(arrays)): _input(name, value) for name, value in arrays.items()}
    values, classes = _targets(target, targets)
    return Parsed(
        inputs=inputs,
        targets=values,
        task="classification" if classes else "regression",
        classes=classes,
        summary=f"{len(targets):,} samples; inputs {', '.join(inputs)}; predicts {target!r}.",
    )


def _arrays(file: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if not 2 <= len(members) <= MAX_ARRAYS:
                raise refuse(f"The archive holds {len(members):,} files; 2 to {MAX_ARRAYS} arrays are read.")
            if len({member.filename for member in members}) != len(members):
                raise refuse("The archive holds two arrays of one name.")
            if sum(member.file_size for member in members) > MAX_BYTES:
                raise refuse(f"The arrays take more than {MAX_BYTES // 2**30} GiB unpacked.")
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError, NotImplementedError) as error:
        raise refuse(f"The file is no readable .npz archive: {error}.") from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray[Any, Any]:
    name = member.filename.removesuffix(".npy")
    try:
        with archive.open(member) as stream:
            shape, dtype = _header(stream)
            if dtype.hasobject or dtype.kind not in "biuf":
                raise refuse(f"Array {name!r} holds {dtype}; only whole numbers, floats and booleans are read.")
            promised = math.prod(shape) * dtype.itemsize
            if promised > member.file_size:
                raise refuse(f"Array {name!r} claims {promised:,} bytes and has {member.file_size:,}.")
        with archive.open(member) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)
    except ValueError as error:
        raise refuse(f"Array {name!r} cannot be read: {error}.") from error


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"unknown .npy version {version}")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    return shape, dtype


def _target_name(names: list[str]) -> str:
    found = [name for name in names if name.lower() in TARGET_NAMES]
    if len(found) != 1:
        raise refuse(f"Exactly one array must be the target, named one of {', '.join(TARGET_NAMES)}; found {names}.")
    return found[0]


def _input_name(name: str, count: int) -> str:
    return "x" if count == 1 and name.lower() in INPUT_NAMES else name


def _input(name: str, value: np.ndarray[Any, Any]) -> Tensor:
    if value.dtype == np.uint8:
        return torch.from_numpy(value).float().div_(255)
    if value.dtype.kind in "iu":
        return torch.from_numpy(value.astype(np.int64))
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise refuse(f"Array {name!r} holds NaN or infinite values.")
    return torch.from_numpy(value.astype(np.float32))


def _targets(name: str, value: np.ndarray[Any, Any]) -> tuple[Tensor, list[str]]:
    if value.dtype.kind == "f":
        if not np.isfinite(value).all():
            raise refuse(f"Array {name!r} holds NaN or infinite values.")
        numbers = torch.from_numpy(value.astype(np.float32))
        return (numbers.unsqueeze(1) if numbers.dim() == 1 else numbers), []
    if value.ndim != 1:
        raise refuse(f"Class numbers come one per sample; array {name!r} has the shape {value.shape}.")
    low, high = int(value.min()), int(value.max())
    if low < 0 or high >= MAX_CLASSES:
        raise refuse(f"Class numbers go from 0 to {MAX_CLASSES - 1}; array {name!r} has {low} to {high}.")
    classes = [str(label) for label in range(high + 1)]
    at_least_two_classes([str(label) for label in np.unique(value)])
    return torch.from_numpy(value.astype(np.int64)), classes
