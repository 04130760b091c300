"""Data: from sources and uploads to the tensors that a network trains on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Looked up on first use: the process that reads an upload imports its parsers from here, and must not wait for torch.
_WHERE = {
    "DataError": "dataset",
    "Dataset": "dataset",
    "Prepared": "dataset",
    "Scaling": "dataset",
    "TensorSet": "dataset",
    "fits": "preparation",
    "main_inputs": "preparation",
    "prepare": "preparation",
    "accept": "sources",
    "details": "sources",
    "entries": "sources",
    "find": "sources",
    "load": "sources",
    "preview": "sources",
    "shapes": "trying",
    "transformed": "trying",
}
__all__ = [
    "DataError",
    "Dataset",
    "Prepared",
    "Scaling",
    "TensorSet",
    "accept",
    "details",
    "entries",
    "find",
    "fits",
    "load",
    "main_inputs",
    "prepare",
    "preview",
    "shapes",
    "transformed",
]

if TYPE_CHECKING:
    from layerloom.data.dataset import DataError, Dataset, Prepared, Scaling, TensorSet
    from layerloom.data.preparation import fits, main_inputs, prepare
    from layerloom.data.sources import accept, details, entries, find, load, preview
    from layerloom.data.trying import shapes, transformed


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'layerloom.data' has no attribute {name!r}")
    return getattr(import_module(f"layerloom.data.{_WHERE[name]}"), name)
