"""Networks that are changed to fit data, and those that are begun from data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from layerloom import from_module, from_python
from layerloom.data import entries, fits, main_inputs, shapes
from layerloom.graph import check
from layerloom.graph.checking.trials import edited
from layerloom.graph.examples import examples
from layerloom.graph.fitting import fitting, template
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.document import Document
from layerloom.schema.fitting import Fitting
from layerloom.schema.report import TensorType

ENTRIES = {entry.name: entry for entry in entries(Path("/nonexistent"))}
EXAMPLES = {example.id: example for example in examples()}


def entry(name: str, **changes: Any) -> DatasetEntry:
    return ENTRIES[name].model_copy(update=changes)


def fitted(document: Document, data: DatasetEntry) -> tuple[Fitting, list[int]]:
    """The fitting, and the output's shape per sample once it is applied."""
    found = fitting(document, data)
    assert found.problems == []
    changed = edited(document, found.edits)
    fits(data, main_inputs(changed))
    report = check(changed)
    assert report.ok
    assert isinstance(report.outputs, TensorType)
    return found, report.outputs.shape[1:]


@pytest.mark.parametrize("name", list(ENTRIES))
def test_a_template_fits_its_data(name: str) -> None:
    data = ENTRIES[name]
    document = template(data)
    fits(data, main_inputs(document))
    report = check(document)
    assert report.problems == []
    assert isinstance(report.outputs, TensorType)
    sizes = {"classification": len(data.classes), "tokens": len(data.classes)}
    assert report.outputs.shape[-1] == sizes.get(data.task, 1)
    assert fitting(document, data) == Fitting()


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (entry("characters", task="classification", classes=["a", "b"], vocabulary=500, target_shape=[]), [2]),
        (entry("iris", task="regression", classes=[], target_shape=[4]), [4]),
        (entry("sine", shape=[7, 3, 2, 2], target_shape=[2]), [2]),
    ],
)
def test_a_template_fits_what_is_uploaded(data: DatasetEntry, shape: list[int]) -> None:
    document = template(data)
    report = check(document)
    assert report.problems == []
    assert isinstance(report.outputs, TensorType)
    assert report.outputs.shape[1:] == shape
    assert document.inputs["x"].high == (data.vocabulary or None)


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if example.plan.dataset in ENTRIES])
def test_an_example_fits_the_data_that_it_comes_with(name: str) -> None:
    plan = EXAMPLES[name].plan
    data = ENTRIES[plan.dataset]
    if plan.transforms:
        data = data.model_copy(update={"shape": shapes(data, plan.transforms)["training"]})
    assert fitting(EXAMPLES[name].document, data).edits == []


def test_images_of_another_size_change_what_depends_on_it() -> None:
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 10))
    document = from_module(module, [torch.randn(2, 1, 8, 8)])
    found, shape = fitted(document, ENTRIES["cifar100"])
    assert shape == [100]
    assert [(change.kind, change.name.rpartition(".")[2], change.before, change.after) for change in found.changes] == [
        ("input", document.blocks[document.main].forward.inputs[0].name, "1×8×8 float32", "3×32×32 float32"),
        ("size", "in_channels", "1", "3"),
        ("size", "in_features", "144", "3600"),
        ("output", "out_features", "10", "100"),
    ]


def test_a_flat_network_stays_flat() -> None:
    document = from_module(nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3)), [torch.randn(2, 4)])
    found, shape = fitted(document, ENTRIES["digits"])
    assert shape == [10]
    assert found.changes[0].after == "64 float32"


def test_the_number_of_classes_may_be_an_argument_of_the_class() -> None:
    source = """
from torch import nn


class Net(nn.Module):
    def __init__(self, width: int = 6, classes: int = 5):
        super().__init__()
        self.fc = nn.Linear(4, width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.fc(x))
"""
    found, shape = fitted(from_python(source), ENTRIES["iris"])
    assert shape == [3]
    assert [(change.name, change.before, change.after) for change in found.changes] == [("classes", "5", "3")]


def test_a_vocabulary_grows_tables_and_scores() -> None:
    document = EXAMPLES["character-gru"].document
    data = entry("characters", classes=[chr(200 + number) for number in range(90)])
    found, shape = fitted(document, data)
    assert shape[-1] == 90
    assert {change.kind for change in found.changes} == {"input", "size"}


def test_what_sizes_cannot_mend_is_left_as_a_problem() -> None:
    found = fitting(EXAMPLES["digits-cnn"].document, ENTRIES["iris"])
    assert found.problems
    assert fitting(EXAMPLES["siamese"].document, ENTRIES["iris"]) == Fitting()
