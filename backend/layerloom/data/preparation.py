"""From a plan to the tensors that a trainer takes: load, fit to the network's inputs, divide, scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from layerloom.data.dataset import DataError, Dataset, Prepared, Scaling, TensorSet
from layerloom.data.sources import load
from layerloom.data.split import divide
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.document import Document, InputExample
from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode

TABLE = "tables"
"""Category whose columns have units of their own, so that they are scaled; images already lie between 0 and 1."""


def prepare(plan: Plan, inputs: Mapping[str, InputExample], folder: Path) -> Prepared:
    """The training and validation part of the plan's data set, fitted to the network's declared inputs.

    ``inputs`` are the main block's forward inputs in order, with the shape per sample that the network expects.

    Raises:
        DataError: unknown or unavailable data set, or data that do not fit the inputs.
    """
    dataset = load(plan.dataset, folder)
    chosen = assign(dataset.entry, list(dataset.inputs), inputs)
    notes: list[str] = []
    tensors: dict[str, Tensor] = {}
    for name, column in chosen.items():
        tensors[name] = fit(dataset.inputs[column], name, inputs[name], notes)
    train, validation = (_rows(tensors, dataset.targets, rows) for rows in divide(dataset, plan.split))
    scaling = _scaling(dataset, plan, train.inputs)
    if scaling is not None:
        for part in (train, validation):
            _scale(part.inputs, scaling)
        notes.append("Features are scaled by the training part's mean and deviation.")
    return Prepared(
        entry=dataset.entry,
        train=train,
        validation=validation,
        scaling=scaling,
        notes=tuple(notes),
    )


def main_inputs(document: Document) -> dict[str, InputExample]:
    """The example of each required forward input of the main block, in order."""
    block = document.blocks[document.main]
    required = [entry.name for entry in block.forward.inputs if not entry.optional]
    return {name: document.inputs[name] for name in required if name in document.inputs}


def fits(entry: DatasetEntry, inputs: Mapping[str, InputExample]) -> None:
    """Tell from the entry alone whether a data set can feed a network with one input.

    Raises:
        DataError: with what the data give and what the network expects.
    """
    if len(inputs) != 1:
        return
    ((name, example),) = inputs.items()
    _accept(entry.shape, entry.dtype, name, example)


def assign(entry: DatasetEntry, columns: list[str], inputs: Mapping[str, InputExample]) -> dict[str, str]:
    """Which tensor of the data feeds which input: by name, or the only one to the only one.

    Raises:
        DataError: an input that nothing feeds.
    """
    if len(columns) == 1 and len(inputs) == 1:
        return {next(iter(inputs)): columns[0]}
    missing = [name for name in inputs if name not in columns]
    if missing or not inputs:
        raise DataError(
            ProblemCode.DATASET_MISMATCH,
            f"The network's inputs are {', '.join(inputs) or '(none)'}; {entry.label} gives {', '.join(columns)}. "
            "Name the inputs after the data's arrays, or choose another data set.",
            expected=list(inputs),
            got=columns,
        )
    return {name: name for name in inputs}


def fit(value: Tensor, name: str, example: InputExample, notes: list[str]) -> Tensor:
    """``value`` (samples first) in the shape that the network declares for a sample; a flat view is allowed."""
    got = list(value.shape[1:])
    _accept(got, str(value.dtype).removeprefix("torch."), name, example)
    if got != example.shape:
        notes.append(f"Input {name}: samples of {_times(got)} are read as {_times(example.shape)}.")
        return value.reshape(len(value), *example.shape)
    return value


def _accept(got: list[int], dtype: str, name: str, example: InputExample) -> None:
    integers = example.dtype.startswith(("int", "uint"))
    if integers != dtype.startswith(("int", "uint")):
        raise DataError(
            ProblemCode.DATASET_MISMATCH,
            f"Input {name} expects {example.dtype}, and the data are {dtype}. "
            "Change the input's type, or choose another data set.",
            input=name,
            expected=example.dtype,
            got=dtype,
        )
    flat = min(len(got), len(example.shape)) <= 1
    if got != example.shape and not (flat and math.prod(got) == math.prod(example.shape)):
        raise DataError(
            ProblemCode.DATASET_MISMATCH,
            f"Input {name} expects samples of {_times(example.shape)}, and the data give {_times(got)}. "
            f"Set the input's shape to {_times(got)}, or choose another data set.",
            input=name,
            expected=example.shape,
            got=got,
        )


def _times(shape: list[int]) -> str:
    return "×".join(map(str, shape)) or "one number"


def _scaling(dataset: Dataset, plan: Plan, train: Mapping[str, Tensor]) -> Scaling | None:
    if not plan.normalize or dataset.entry.category != TABLE:
        return None
    floats = {name: value for name, value in train.items() if value.is_floating_point()}
    mean = {name: value.mean(0) for name, value in floats.items()}
    deviation = {name: value.std(0, unbiased=False) for name, value in floats.items()}
    # A constant column stays as it is.
    deviation = {name: value.where(value > 0, 1) for name, value in deviation.items()}
    return Scaling(mean, deviation) if floats else None


def _scale(inputs: Mapping[str, Tensor], scaling: Scaling) -> None:
    """In place, since each part is a copy of its own and may be most of what fits into memory."""
    for name, mean in scaling.mean.items():
        inputs[name].sub_(mean).div_(scaling.deviation[name])


def _rows(inputs: Mapping[str, Tensor], targets: Tensor, rows: Tensor) -> TensorSet:
    return TensorSet({name: value[rows].contiguous() for name, value in inputs.items()}, targets[rows].contiguous())
