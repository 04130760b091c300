"""Batches that stand for data: standard normal numbers, and whole numbers below an input's ``high``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from layerloom.catalogue import dtype
from layerloom.schema.document import Document, InputExample

VOCABULARY = 2
"""Whole numbers are below it where an input says nothing: 0 and 1 are valid for every embedding but that of one row."""


def batch_of(document: Document, size: int, generator: torch.Generator | None) -> dict[str, Tensor]:
    """One batch by the names of the forward inputs, each drawn in turn from ``generator`` on the CPU.

    Without a generator the numbers are left as allocated, for tensors that have none (meta, fake).
    """
    inputs = document.blocks[document.main].forward.inputs
    examples = {item.name: document.inputs[item.name] for item in inputs if item.name in document.inputs}
    return {name: _sample(example, size, generator) for name, example in examples.items()}


def _sample(example: InputExample, size: int, generator: torch.Generator | None) -> Tensor:
    shape = (size, *example.shape) if example.batch else tuple(example.shape)
    kind = dtype(example.dtype)
    if generator is None:
        return torch.empty(shape, dtype=kind)
    if kind.is_floating_point or kind.is_complex:
        return torch.randn(shape, generator=generator).to(kind)
    high = 2 if kind is torch.bool else example.high or VOCABULARY
    return torch.randint(high, shape, generator=generator).to(kind)


def tensors(value: Any) -> list[Tensor]:
    """Every tensor that a module returned, in order."""
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else ()
    return [tensor for part in parts for tensor in tensors(part)]
