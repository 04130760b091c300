"""From a plan to the tensors that a trainer takes: load, fit to the network's inputs, divide, scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from layerloom.data import memory
from layerloom.data.dataset import DataError, Dataset, Prepared, Scaling, TensorSet
from layerloom.data.mapped import Column, Mapped, Moments, Pages, moments, present
from layerloom.data.pictures import floats
from layerloom.data.pipeline import PARTS, ImageTransform, TransformError, pipeline
from layerloom.data.sources import load
from layerloom.data.split import divide
from layerloom.data.told import told
from layerloom.data.vocabulary import vocabulary_of
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.datasets import Vocabulary
from layerloom.schema.document import Document, InputExample
from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode

TABLE, TEXTS = "tables", "texts"
"""Categories whose columns have units of their own, so that they are scaled; images already lie between 0 and 1."""


def prepare(plan: Plan, inputs: Mapping[str, InputExample], folder: Path, *, downloads: bool = True) -> Prepared:
    """The training and validation part of the plan's data set, fitted to the network's declared inputs.

    ``inputs`` are the main block's forward inputs in order, with the shape per sample that the network expects.

    Raises:
        DataError: unknown or unavailable data set, or data that do not fit the inputs.
    """
    dataset = load(plan.dataset, folder, downloads=downloads)
    chosen = assign(dataset.entry, list(dataset.inputs), inputs)
    notes: list[str] = []
    transforms = image_transforms(plan, {name: dataset.inputs[column] for name, column in chosen.items()}, inputs)
    samples: dict[str, list[int]] = {}
    for name, column in chosen.items():
        own = list(dataset.inputs[column].shape[1:])
        changed = transforms is not None and transforms[0].input == name
        samples[name] = own if changed else fit(own, dtype_of(dataset.inputs[column]), name, inputs[name], notes)
    parts = divide(dataset, plan.split)
    stays = dataset.tokens is None and _size(dataset, chosen) > memory.budget()
    if stays:
        notes.append("The data are larger than the memory that is free for them: they are read from disk as they come.")
    read = _mapped if stays else _resident
    train, validation = (read(dataset, chosen, samples, rows) for rows in parts)
    vocabulary = None
    if dataset.tokens is not None:
        for name in (name for name, column in chosen.items() if column == dataset.tokens.column):
            vocabulary, ids = vocabulary_of(dataset.tokens, train.inputs[name][:])
            train, validation = (_numbered(part, name, ids, dataset.entry.task) for part in (train, validation))
            notes.append(_counted(vocabulary, validation.inputs[name][:]))
    gaps = dataset.entry.uploaded and dataset.entry.category in (TABLE, TEXTS)
    filled = _missing(train.inputs, validation.inputs) if gaps else {}
    if filled:
        train, validation = (_filled(part, filled) for part in (train, validation))
        notes.append("Missing values are filled with the training part's mean.")
    others = {name: floats(dataset.inputs[name][:]) for name in _others(plan, dataset, chosen)}
    if others:
        train, validation = (
            replace(part, others={name: value[rows] for name, value in others.items()})
            for part, rows in zip((train, validation), parts, strict=True)
        )
    scaling = _scaling(dataset, plan, train.inputs, filled)
    if scaling is not None and scaling.mean:
        train, validation = (_scaled(part, scaling) for part in (train, validation))
        notes.append("Features are scaled by the training part's mean and deviation.")
    if transforms is not None:
        train, validation = (
            replace(part, transform=transform) for part, transform in zip((train, validation), transforms, strict=True)
        )
        notes.append(f"Images are transformed: {transforms[0]} for training, {transforms[1]} for validation.")
    return Prepared(
        entry=dataset.entry,
        train=train,
        validation=validation,
        scaling=scaling,
        vocabulary=vocabulary,
        preparation=told(dataset.entry, plan, transforms),
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
    ids = entry.vocabulary or (len(entry.classes) if entry.task == "tokens" else 0)
    if example.high is not None and example.high < ids:
        raise DataError(
            ProblemCode.DATASET_MISMATCH,
            f"Input {name} takes ids below {example.high:,}, and {entry.label} has up to {ids:,}. Give the Embedding "
            "as many rows and set the input's ids, or give the data a smaller vocabulary.",
            input=name,
            expected=example.high,
            got=ids,
        )
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


def fit(own: list[int], dtype: str, name: str, example: InputExample, notes: list[str]) -> list[int]:
    """The shape in which the network takes a sample of ``own`` shape: what it declares; a flat view is allowed.

    Raises:
        DataError: it is neither.
    """
    _accept(own, dtype, name, example)
    if own != example.shape:
        notes.append(f"Input {name}: samples of {_times(own)} are read as {_times(example.shape)}.")
    return example.shape


def dtype_of(value: Tensor) -> str:
    """Of what a network is given: pixels become floats."""
    return "float32" if value.dtype == torch.uint8 else str(value.dtype).removeprefix("torch.")


def image_transforms(
    plan: Plan, values: Mapping[str, Tensor], inputs: Mapping[str, InputExample]
) -> tuple[ImageTransform, ImageTransform] | None:
    """The plan's transforms for the training and the validation part, where it has any; ``values`` are the data by
    the input that they feed.

    Raises:
        DataError: the data have no images, or several, or the network does not take what comes out.
    """
    if not plan.transforms:
        return None
    images = [name for name, value in values.items() if value.dim() == 4 and dtype_of(value) == "float32"]
    if len(images) != 1:
        raise TransformError("Transforms take data with one input of images. Leave them out, or choose other data.")
    (name,) = images
    made = []
    for part in PARTS:
        made_of = pipeline(plan.transforms, part)
        shape = made_of.shape(values[name].shape[1:])
        try:
            _accept(shape, "float32", name, inputs[name])
        except DataError as error:
            raise TransformError(f"After the transforms for {part}: {error}") from error
        made.append(ImageTransform(name, made_of, tuple(inputs[name].shape)))
    return made[0], made[1]


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


def _numbered(part: TensorSet, column: str, ids: Tensor, task: str) -> TensorSet:
    """The same with ids of the vocabulary in place of the file's token numbers."""
    targets = ids[part.targets] if task == "tokens" else part.targets
    return TensorSet({**part.inputs, column: ids[part.inputs[column][:]]}, targets)


def _counted(vocabulary: Vocabulary, validation: Tensor) -> str:
    unknown = int(validation.eq(vocabulary.unknown).sum()) / max(1, int(validation.ne(vocabulary.padding or 0).sum()))
    return (
        f"The training part has {len(vocabulary.tokens):,} tokens with padding and unknown; "
        f"of the validation part {unknown:.2%} are unknown."
    )


def _missing(train: Mapping[str, Column], validation: Mapping[str, Column]) -> dict[str, Tensor]:
    """The training part's means of those inputs that lack values."""
    found = {}
    for name, value in train.items():
        if value.is_floating_point():
            missing, means = present(value)
            if missing or present(validation[name])[0]:
                found[name] = means
    return found


def _filled(part: TensorSet, filled: Mapping[str, Tensor]) -> TensorSet:
    inputs = dict(part.inputs)
    for name, means in filled.items():
        value = inputs[name]
        if isinstance(value, Mapped):
            inputs[name] = replace(value, filled=means)
        else:
            value.copy_(value.where(~value.isnan(), means))
    return replace(part, inputs=inputs)


def _scaling(dataset: Dataset, plan: Plan, train: Mapping[str, Column], filled: Mapping[str, Tensor]) -> Scaling | None:
    if not plan.normalize or dataset.entry.category not in (TABLE, TEXTS):
        return Scaling({}, {}, filled) if filled else None
    found = {name: moments(value) for name, value in train.items() if value.is_floating_point()}
    mean = {name: one.mean for name, one in found.items()}
    return Scaling(mean, {name: one.deviation for name, one in found.items()}, filled) if found else None


def _scaled(part: TensorSet, scaling: Scaling) -> TensorSet:
    """What lies in memory in place, since each part is a copy of its own and may be most of what fits there."""
    inputs = dict(part.inputs)
    for name, mean in scaling.mean.items():
        value, deviation = inputs[name], scaling.deviation[name]
        if isinstance(value, Mapped):
            inputs[name] = replace(value, scale=Moments(mean, deviation))
        else:
            value.sub_(mean).div_(deviation)
    return replace(part, inputs=inputs)


def _size(dataset: Dataset, chosen: Mapping[str, str]) -> int:
    """Bytes of the inputs as a network takes them."""
    values = [dataset.inputs[column] for column in chosen.values()]
    return sum(value.numel() * (4 if value.dtype == torch.uint8 else value.element_size()) for value in values)


def _resident(dataset: Dataset, chosen: Mapping[str, str], samples: Mapping[str, list[int]], rows: Tensor) -> TensorSet:
    inputs = {
        name: floats(dataset.inputs[column][rows]).reshape(len(rows), *samples[name]).contiguous()
        for name, column in chosen.items()
    }
    return TensorSet(inputs, dataset.targets[rows].contiguous())


def _mapped(dataset: Dataset, chosen: Mapping[str, str], samples: Mapping[str, list[int]], rows: Tensor) -> TensorSet:
    def pages(column: str) -> Pages:
        if dataset.file is not None:
            return Pages.of(dataset.file, f"inputs.{column}")
        return Pages(dataset.inputs[column].numpy())

    inputs = {name: Mapped(pages(column), rows, tuple(samples[name])) for name, column in chosen.items()}
    return TensorSet(inputs, dataset.targets[rows].contiguous())


def _others(plan: Plan, dataset: Dataset, chosen: Mapping[str, str]) -> set[str]:
    """The arrays of the data that feed no input, and that some head is compared with."""
    wanted = {head.target for head in plan.heads if head.target is not None}
    return wanted & set(dataset.inputs) - set(chosen)
