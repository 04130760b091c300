"""Columns of numbers as bytes: what follows a rule costs nothing, and a float is as short as it can be exactly.

A frame is a header, a kind for each column, and the columns one after the other:

| kind | bytes | column |
|---|---|---|
| ``LINEAR`` | 16 | integers with one distance, such as the steps of every batch |
| ``NEAR``, ``FAR`` | 8 + 4n, 8 + 8n | integers by their distances from the first; squeezed, from the one before |
| ``SINGLE``, ``DOUBLE`` | 4n, 8n | floats; single where that changes none of them |
| ``SMOOTH`` | 8 + 8n, squeezed | doubles by the distances of their bits as integers, each from the one before |
| ``QUOTIENT`` | 8 | floats that are the first column divided by an integer, as epochs are of steps |

A squeezed frame is deflated, with the bytes of like weight side by side.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Column = NDArray[Any]

_HEADER: Final = struct.Struct("<BBI")
_PAIR: Final = struct.Struct("<qq")
_ONE: Final = struct.Struct("<q")
LINEAR, NEAR, FAR, SINGLE, DOUBLE, QUOTIENT, SMOOTH = range(7)
_WIDE: Final = {NEAR: "<i4", FAR: "<i8", SINGLE: "<f4", DOUBLE: "<f8"}
_GENTLE: Final = 2**48
"""Distances below this leave two of eight bytes empty: a learning rate on its way, but no noise."""
_LARGEST_DIVISOR: Final = 2.0**53
_LEVEL: Final = 1
"""Of deflate: higher ones take several times as long for a hundredth."""


def pack(columns: Sequence[Column], *, squeeze: bool) -> bytes:
    """Columns of one length, at least 1: int64 or float64."""
    parts = [_packed(column, columns[0], squeeze) for column in columns]
    body = bytes(kind for kind, _ in parts) + b"".join(data for _, data in parts)
    header = _HEADER.pack(squeeze, len(columns), len(columns[0]))
    return header + (zlib.compress(body, _LEVEL) if squeeze else body)


def unpack(frame: bytes) -> list[Column]:
    """The same columns, bit for bit, but for the kind of a NaN."""
    squeezed, width, length = _HEADER.unpack_from(frame)
    body = zlib.decompress(memoryview(frame)[_HEADER.size :]) if squeezed else memoryview(frame)[_HEADER.size :]
    columns: list[Column] = []
    at = width
    for kind in body[:width]:
        if kind == LINEAR:
            base, stride = _PAIR.unpack_from(body, at)
            at += _PAIR.size
            columns.append(_line(base, stride, length))
        elif kind == QUOTIENT:
            columns.append(columns[0] / _ONE.unpack_from(body, at)[0])
            at += _ONE.size
        elif kind == SMOOTH:
            (base,) = _ONE.unpack_from(body, at)
            distances = _numbers(body, at + _ONE.size, length - 1, FAR, squeezed)
            at += _ONE.size + distances.nbytes
            bits = _line(base, 0, length)
            bits[1:] += np.cumsum(distances)
            columns.append(bits.view(np.float64))
        elif kind in (SINGLE, DOUBLE):
            values = _numbers(body, at, length, kind, squeezed)
            at += values.nbytes
            columns.append(values.astype(np.float64))
        else:
            (base,) = _ONE.unpack_from(body, at)
            distances = _numbers(body, at + _ONE.size, length - 1, kind, squeezed)
            at += _ONE.size + distances.nbytes
            column = _line(base, 0, length)
            column[1:] += np.cumsum(distances) if squeezed else distances
            columns.append(column)
    return columns


def single(values: Floats) -> NDArray[np.bool_]:
    """Which of them a float32 holds exactly."""
    with np.errstate(over="ignore"):
        exact: NDArray[np.bool_] = (values.astype(np.float32) == values) | np.isnan(values)
    return exact


def _line(base: int, stride: int, length: int) -> Ints:
    if stride:
        return base + stride * np.arange(length)
    column = np.empty(length, np.int64)
    column.fill(base)
    return column


def _packed(column: Column, first: Column, squeeze: bool) -> tuple[int, bytes]:
    if column.dtype == np.int64:
        return _packed_integers(column, squeeze)
    divisor = _divisor(column, first)
    if divisor:
        return QUOTIENT, _ONE.pack(divisor)
    if single(column).all():
        return SINGLE, _raw(column, SINGLE, squeeze)
    if squeeze:
        bits = column.view(np.int64)
        # Those of opposite signs wrap around, and back when they are added up.
        distances = np.diff(bits)
        if len(distances) and np.abs(distances).max() < _GENTLE:
            return SMOOTH, _ONE.pack(int(bits[0])) + _raw(distances, FAR, squeeze)
    return DOUBLE, _raw(column, DOUBLE, squeeze)


def _packed_integers(column: Ints, squeeze: bool) -> tuple[int, bytes]:
    distances = np.diff(column)
    base, stride = int(column[0]), int(distances[0]) if len(distances) else 0
    if (distances == stride).all():
        return LINEAR, _PAIR.pack(base, stride)
    distances = distances if squeeze else column[1:] - base
    kind = NEAR if np.abs(distances).max() < 2**31 else FAR
    return kind, _ONE.pack(base) + _raw(distances, kind, squeeze)


def _divisor(column: Floats, first: Column) -> int:
    """The integer by which the first column was divided to give this one; 0 when there is none."""
    if first.dtype != np.int64 or not 0 < column[-1] <= first[-1] < column[-1] * _LARGEST_DIVISOR:
        return 0
    divisor = round(int(first[-1]) / float(column[-1]))
    # As bytes: a zero that is negative is another zero.
    return divisor if (first / divisor).tobytes() == column.tobytes() else 0


def _raw(numbers: Column, kind: int, squeeze: bool) -> bytes:
    narrow = numbers.astype(_WIDE[kind])
    return narrow.view(np.uint8).reshape(-1, narrow.itemsize).T.tobytes() if squeeze else narrow.tobytes()


def _numbers(body: bytes | memoryview, at: int, length: int, kind: int, squeezed: bool) -> Column:
    if not squeezed:
        return np.frombuffer(body, _WIDE[kind], length, at)
    width = np.dtype(_WIDE[kind]).itemsize
    planes = np.frombuffer(body, np.uint8, length * width, at).reshape(width, length)
    return np.ascontiguousarray(planes.T).reshape(-1).view(_WIDE[kind])
