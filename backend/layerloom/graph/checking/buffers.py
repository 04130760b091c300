"""What buffers are filled with: a number, numbers, or a pattern of torch's, in a dtype that holds it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor

from layerloom.catalogue import dtype
from layerloom.graph.checking.findings import Findings, Place, shown
from layerloom.graph.checking.wording import check_value
from layerloom.graph.numbers import unpacked
from layerloom.schema.document import Buffer
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Expr, NonFinite, Packed, Value

_PATTERNS: dict[str, tuple[int, int, Callable[[torch.dtype], Tensor]]] = {
    "arange": (1, 16, lambda kind: torch.arange(1, dtype=kind)),
    "eye": (2, 2, lambda kind: torch.eye(1, dtype=kind)),
    "tril": (2, 16, lambda kind: torch.tril(torch.ones(1, 1, dtype=kind))),
    "triu": (2, 16, lambda kind: torch.triu(torch.ones(1, 1, dtype=kind))),
}
"""Fewest and most axes of a buffer with such a fill, and the smallest one: not every dtype has a kernel for it."""


def check_fill(findings: Findings, buffer: Buffer, place: Place, scope: Collection[str]) -> bool:
    """A fill as written; what an expression gives is looked at where the buffer is built."""
    at = place.at("fill", "fill")
    fill = buffer.fill
    if isinstance(fill, Expr):
        return check_value(findings, fill, at, scope)
    if isinstance(fill, str) and fill in _PATTERNS:
        message = _pattern(buffer, fill)
    elif isinstance(fill, list | Packed):
        message = _numbers(buffer, fill)
    else:
        message = unfit(buffer, float(fill.text) if isinstance(fill, NonFinite) else fill)
    if message:
        findings.add(ProblemCode.ARGUMENT_TYPE, message, at)
    return not message


def unfit(buffer: Buffer, number: Any) -> str:
    """Why a buffer cannot be filled with a value; empty where it can."""
    if not isinstance(number, bool | int | float):
        return f"{shown(buffer.name)} can be filled with a number or numbers, arange, eye, tril or triu."
    if not _made(buffer, lambda kind: torch.full((), number, dtype=kind)):
        told = number if isinstance(number, float) or abs(number) < 2**63 else "a whole number of more than 64 bits"
        return f"{buffer.dtype} cannot hold {told}."
    return ""


def _pattern(buffer: Buffer, name: str) -> str:
    low, high, smallest = _PATTERNS[name]
    if not low <= len(buffer.shape) <= high:
        return f"a buffer of {len(buffer.shape)} axes cannot be filled with {shown(name)}."
    if not _made(buffer, smallest):
        return f"torch has no {name} of {buffer.dtype}. Choose another dtype."
    return ""


def _numbers(buffer: Buffer, fill: list[Value] | Packed) -> str:
    if not all(isinstance(size, int) and size >= 0 for size in buffer.shape):
        return f"{shown(buffer.name)} needs a shape of numbers to be filled with numbers."
    count = math.prod(size for size in buffer.shape if isinstance(size, int))
    try:
        if isinstance(fill, Packed):
            unpacked(fill.text, dtype(buffer.dtype), count)
        elif not all(isinstance(number, bool | int | float | NonFinite) for number in fill):
            return f"{shown(buffer.name)} can only be filled with numbers."
        elif len(fill) != count:
            return f"{shown(buffer.name)} holds {count:,} numbers, and {len(fill):,} are given."
        else:
            given = [float(number.text) if isinstance(number, NonFinite) else number for number in fill]
            torch.tensor(given, dtype=dtype(buffer.dtype))
    except (ValueError, KeyError, RuntimeError, TypeError, OverflowError) as error:
        return f"{shown(buffer.name)}: {error}."
    return ""


def _made(buffer: Buffer, make: Callable[[torch.dtype], Tensor]) -> bool:
    """Whether torch makes a tensor of the buffer's dtype. An unknown dtype is told of elsewhere, too."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of dtypes that torch is about to drop
            make(dtype(buffer.dtype))
    except (RuntimeError, KeyError, OverflowError, TypeError):
        return False
    return True
