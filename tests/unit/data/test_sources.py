"""Every source gives what its entry declares; the split is scikit-learn's own and follows the seed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from layerloom.data import DataError, details, entries, fits, load, prepare, preview
from layerloom.data.builtin import sources
from layerloom.schema.document import InputExample
from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode


@pytest.mark.parametrize("name", sources())
def test_entry_tells_the_truth(name: str, tmp_path: Path) -> None:
    dataset = load(name, tmp_path)
    (value,) = dataset.inputs.values()
    entry = dataset.entry
    assert list(value.shape) == [entry.samples, *entry.shape]
    assert str(value.dtype) == f"torch.{entry.dtype}"
    assert list(dataset.targets.shape) == [entry.samples, *entry.target_shape]
    assert str(dataset.targets.dtype) == f"torch.{entry.target_dtype}"
    if entry.task != "regression":
        assert int(dataset.targets.max()) == len(entry.classes) - 1
        assert int(dataset.targets.min()) == 0
    if value.is_floating_point():
        assert value.isfinite().all()


@pytest.mark.parametrize("name", sources())
def test_sources_are_the_same_each_time(name: str, tmp_path: Path) -> None:
    first, second = load(name, tmp_path), load(name, tmp_path)
    assert torch.equal(first.inputs["x"], second.inputs["x"])
    assert torch.equal(first.targets, second.targets)


def test_split_can_be_repeated_with_scikit_learn_alone(tmp_path: Path) -> None:
    data = prepare(Plan(dataset="digits"), {"x": InputExample(shape=[1, 8, 8])}, tmp_path)
    bundle = load_digits()
    _, rows = train_test_split(range(1797), test_size=0.2, random_state=0, stratify=bundle.target)
    rows = sorted(rows)
    images = torch.tensor(bundle.images[rows], dtype=torch.float32).unsqueeze(1) / 16
    assert torch.equal(data.validation.inputs["x"], images)
    assert torch.equal(data.validation.targets, torch.tensor(bundle.target[rows]))
    assert len(data.train) + len(data.validation) == 1797


def test_split_follows_its_seed_and_keeps_proportions(tmp_path: Path) -> None:
    inputs = {"x": InputExample(shape=[4])}
    first = prepare(Plan(dataset="iris"), inputs, tmp_path)
    other = prepare(Plan.model_validate({"dataset": "iris", "split": {"seed": 1}}), inputs, tmp_path)
    assert not torch.equal(first.validation.inputs["x"], other.validation.inputs["x"])
    assert torch.bincount(first.validation.targets).tolist() == [10, 10, 10]


def test_tables_are_scaled_by_the_training_part_only(tmp_path: Path) -> None:
    data = prepare(Plan(dataset="wine"), {"x": InputExample(shape=[13])}, tmp_path)
    train = data.train.inputs["x"]
    assert torch.allclose(train.mean(0), torch.zeros(13), atol=1e-5)
    assert torch.allclose(train.std(0, unbiased=False), torch.ones(13), atol=1e-5)
    assert data.scaling is not None
    raw = prepare(Plan(dataset="wine", normalize=False), {"x": InputExample(shape=[13])}, tmp_path)
    again = (raw.validation.inputs["x"] - data.scaling.mean["x"]) / data.scaling.deviation["x"]
    assert torch.equal(again, data.validation.inputs["x"])


def test_flat_and_image_views_are_interchangeable(tmp_path: Path) -> None:
    flat = prepare(Plan(dataset="digits"), {"pixels": InputExample(shape=[64])}, tmp_path)
    image = prepare(Plan(dataset="digits-flat"), {"pixels": InputExample(shape=[1, 8, 8])}, tmp_path)
    assert torch.equal(flat.train.inputs["pixels"], image.train.inputs["pixels"].flatten(1))
    assert flat.notes == ("Input pixels: samples of 1×8×8 are read as 64.",)


@pytest.mark.parametrize(
    ("name", "example", "words"),
    [
        ("digits", InputExample(shape=[3, 8, 8]), "3×8×8"),
        ("digits", InputExample(shape=[1, 8, 8], dtype="int64"), "int64"),
        ("characters", InputExample(shape=[48]), "float32"),
        ("iris", InputExample(shape=[5]), "5"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_sides(
    name: str, example: InputExample, words: str, tmp_path: Path
) -> None:
    entry = next(entry for entry in entries(tmp_path) if entry.name == name)
    with pytest.raises(DataError, match=words) as early:
        fits(entry, {"x": example})
    with pytest.raises(DataError, match=words) as late:
        prepare(Plan(dataset=name), {"x": example}, tmp_path)
    assert early.value.problem.code == late.value.problem.code == ProblemCode.DATASET_MISMATCH


def test_two_inputs_need_two_arrays(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="left, right"):
        prepare(Plan(dataset="iris"), {"left": InputExample(shape=[4]), "right": InputExample(shape=[4])}, tmp_path)


def test_unknown_names_get_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="digits") as caught:
        load("digit", tmp_path)
    assert "digits" in caught.value.problem.data["nearest"]


def test_preview_shows_every_class(tmp_path: Path) -> None:
    shown = preview("iris", tmp_path, count=6)
    assert shown.targets == [0, 1, 2, 0, 1, 2]
    assert shown.counts == {"setosa": 50, "versicolor": 50, "virginica": 50}
    assert preview("sine", tmp_path, count=4).counts == {}


def test_preview_tells_the_parts_that_a_run_would_have(tmp_path: Path) -> None:
    parts = preview("wine", tmp_path).division.parts
    data = prepare(Plan(dataset="wine"), {"x": InputExample(shape=[13])}, tmp_path)
    for name, part in (("training", data.train), ("validation", data.validation)):
        assert parts[name].samples == len(part)
        assert [*parts[name].counts.values()] == torch.bincount(part.targets).tolist()
    assert [*parts] == ["training", "validation"]
    assert parts["training"].counts == {"class_0": 47, "class_1": 57, "class_2": 38}
    sine = preview("sine", tmp_path).division
    assert {name: (part.samples, part.counts) for name, part in sine.parts.items()} == {
        "training": (1600, {}),
        "validation": (400, {}),
    }
    assert not sine.own


@pytest.mark.parametrize("name", [name for name, source in sources().items() if source.entry.category == "tables"])
def test_tables_have_a_line_of_figures_for_each_column(name: str, tmp_path: Path) -> None:
    dataset, told = load(name, tmp_path), details(name, tmp_path)
    assert told is not None
    *features, target = told.columns
    values = dataset.inputs["x"].double()
    assert len(features) == values.shape[1]
    for column, facts in zip(values.T, features, strict=True):
        assert (facts.minimum, facts.maximum) == (column.min().item(), column.max().item())
        assert facts.mean == pytest.approx(column.mean().item())
        assert facts.deviation == pytest.approx(column.std(correction=0).item())
        assert facts.histogram == torch.histogram(column, 20)[0].int().tolist()
    assert (target.role, told.rows, told.editable) == ("target", len(dataset), False)
    if dataset.entry.classes:
        counts = torch.bincount(dataset.targets).tolist()
        assert target.common == dict(zip(dataset.entry.classes, counts, strict=True))
    assert told.inputs["x"].features == [column.name for column in features]


def test_what_is_no_table_has_no_columns(tmp_path: Path) -> None:
    for name in ("digits", "sine", "mnist"):
        told = details(name, tmp_path)
        assert told is not None
        assert told.columns == []
    assert details("nothing", tmp_path) is None
