"""Data: from sources and uploads to the tensors that a network trains on."""

from layerloom.data.dataset import DataError, Dataset, Prepared, Scaling, TensorSet
from layerloom.data.prepare import fits, main_inputs, prepare
from layerloom.data.sources import accept, entries, find, load, preview

__all__ = [
    "DataError",
    "Dataset",
    "Prepared",
    "Scaling",
    "TensorSet",
    "accept",
    "entries",
    "find",
    "fits",
    "load",
    "main_inputs",
    "prepare",
    "preview",
]
