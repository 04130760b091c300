"""The numbers of a tensor as text in a document: a short list for a few, packed bytes for many."""

from __future__ import annotations

import base64
import math
import zlib

import torch

from layerloom.schema.values import NonFinite, Packed, Value

FEW = 64
"""Numbers that are written as a list."""
LIMIT = 64 * 2**20
"""Bytes of one packed tensor."""


def packed(tensor: torch.Tensor) -> Value | Packed:
    """The numbers of a tensor, row by row. ``unpacked`` gives them back bit for bit.

    Raises:
        ValueError: they take more than ``LIMIT`` bytes.
    """
    if tensor.numel() <= FEW and not tensor.is_complex():
        return [shortest(number, tensor.dtype) for number in tensor.flatten().tolist()]
    plain = tensor.contiguous().flatten()
    if plain.nbytes > LIMIT:
        raise ValueError(f"{plain.nbytes:,} bytes of numbers; the limit is {LIMIT:,}")
    raw = plain.view(torch.uint8).numpy().tobytes()
    return Packed(text=base64.b64encode(zlib.compress(raw, 9)).decode())


def unpacked(text: str, dtype: torch.dtype, elements: int) -> torch.Tensor:
    """A flat tensor from packed text.

    Raises:
        ValueError: it is no packed text, or holds another number of elements.
    """
    size = elements * dtype.itemsize
    if size > LIMIT:
        raise ValueError(f"{size:,} bytes of numbers; the limit is {LIMIT:,}")
    try:
        reader = zlib.decompressobj()
        raw = reader.decompress(base64.b64decode(text, validate=True), size + 1)
    except (ValueError, zlib.error) as error:
        raise ValueError("the packed numbers are damaged") from error
    if len(raw) != size or not reader.eof:
        raise ValueError(f"the packed numbers are not {elements:,} of {dtype}")
    return torch.frombuffer(bytearray(raw), dtype=dtype)


def shortest(number: float, dtype: torch.dtype) -> Value:
    """The shortest number that becomes this one in its dtype: ``0.1`` and not ``0.10000000149011612``."""
    if not isinstance(number, float) or isinstance(number, bool):
        return number
    if not math.isfinite(number):
        return NonFinite(text=str(number))
    for digits in range(1, 17):
        rounded = float(f"{number:.{digits}g}")
        if torch.tensor(rounded, dtype=dtype).item() == number:
            return rounded
    return number
