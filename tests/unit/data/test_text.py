"""Text: windows of tokens, and a vocabulary that only the training part decides."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from layerloom.data import DataError, fits, load, prepare, preview
from layerloom.data.importer import read_into
from layerloom.schema.datasets import Reading, TextReading
from layerloom.schema.document import InputExample
from layerloom.schema.plan import Plan
from unit.data.support import examine, reading, refusal

TEXT = "the cat sat. the dog sat.\n" * 20


def keep(folder: Path, content: str, suffix: str = ".txt", reading: Reading | None = None) -> None:
    """Have it read in this process, which is quicker than in one of its own."""
    file = folder / "incoming"
    file.write_text(content, encoding="utf-8")
    (folder / "uploads").mkdir()
    read_into(folder / "uploads" / "1", "mine", suffix, file, reading)


def words(length: int = 4, **how: int) -> Reading:
    return Reading(text=TextReading(unit="word", length=length, **how))  # type: ignore[arg-type]


def test_every_position_predicts_the_next_token() -> None:
    entry, tensors, details = examine(TEXT, ".txt")
    assert (entry.task, entry.category, entry.shape, entry.samples) == ("tokens", "texts", [64], (len(TEXT) - 1) // 64)
    flat, after = tensors["inputs.x"].flatten(), tensors["targets"].flatten()
    assert torch.equal(flat[1:], after[:-1])
    letters = sorted(set(TEXT))
    assert entry.vocabulary == len(letters) + 2
    assert details.columns[0].distinct == len(letters)
    assert details.columns[0].common[" "] == 100


def test_words_and_limits_of_the_vocabulary() -> None:
    entry, tensors, _ = examine("The cat, the dog; the end", ".txt", words(3))
    assert (entry.samples, entry.vocabulary) == (2, 8)
    entry, tensors, _ = examine(TEXT, ".txt", words())
    assert entry.shape == [4]
    assert tensors["inputs.x"][0].tolist() == [2, 3, 4, 5]
    assert tensors["targets"][0].tolist() == [3, 4, 5, 2]
    assert examine(TEXT, ".txt", words(most=2))[0].vocabulary == 4
    assert examine(TEXT, ".txt", words(min_count=30))[0].vocabulary == 5


@pytest.mark.parametrize("content", ["", "short", "a" * 100])
def test_too_little_text(content: str) -> None:
    assert any(text in refusal(content, ".txt").message for text in ("empty", "less than two samples"))
    assert "NUL" in refusal("a\0" * 100, ".txt").message


def test_only_the_training_part_decides_the_vocabulary(tmp_path: Path) -> None:
    rows = "".join(f"only{i} common word,{i % 2}\n" for i in range(50))
    how = reading(text=TextReading(length=3), comment="text feature")
    keep(tmp_path, "comment,label\n" + rows, ".csv", how)
    data = load("mine", tmp_path)
    prepared = prepare(Plan(dataset="mine"), {"x": InputExample(shape=[3], dtype="int64")}, tmp_path)
    assert prepared.vocabulary is not None
    tokens = prepared.vocabulary.tokens
    assert tokens[:4] == ["<pad>", "<unk>", "common", "word"]
    assert len(tokens) == 2 + 2 + 40
    assert len(tokens) <= data.entry.vocabulary == 54
    # Every training text can be read again; of each validation text the first word is unknown.
    assert prepared.train.inputs["x"].min() == 2
    assert prepared.validation.inputs["x"].tolist() == [[1, 2, 3]] * 10
    assert "33.33% are unknown" in " ".join(prepared.notes)
    again = prepare(Plan(dataset="mine"), {"x": InputExample(shape=[3], dtype="int64")}, tmp_path)
    assert again.vocabulary == prepared.vocabulary


def test_targets_of_a_text_are_ids_of_the_same_vocabulary(tmp_path: Path) -> None:
    keep(tmp_path, TEXT)
    narrow = {"x": InputExample(shape=[64], dtype="int64", high=5)}
    with pytest.raises(DataError, match="takes ids below 5"):
        fits(load("mine", tmp_path).entry, narrow)
    prepared = prepare(Plan(dataset="mine"), {"x": InputExample(shape=[64], dtype="int64")}, tmp_path)
    assert prepared.vocabulary is not None
    assert prepared.classes == len(prepared.vocabulary.tokens)
    tokens = prepared.vocabulary.tokens
    for inputs, targets in zip(prepared.train.inputs["x"], prepared.train.targets, strict=True):
        text = "".join(tokens[number] for number in inputs)
        assert text in TEXT
        assert text[1:] + tokens[targets[-1]] in TEXT
    shown = preview("mine", tmp_path, 2)
    assert shown.texts[0] == TEXT[:64]


def test_missing_values_get_the_training_parts_mean(tmp_path: Path) -> None:
    keep(
        tmp_path,
        "a,b,y\n" + "".join(f"{i if i % 5 else ''},{i % 3},{i % 2}\n" for i in range(100)),
        ".csv",
        reading("mean"),
    )
    inputs = {"x": InputExample(shape=[2])}
    raw = load("mine", tmp_path).inputs["x"][:, 0]
    for normalize in (False, True):
        prepared = prepare(Plan(dataset="mine", normalize=normalize), inputs, tmp_path)
        assert prepared.scaling is not None
        mean = prepared.scaling.filled["x"][0]
        every = torch.cat([prepared.train.inputs["x"][:, 0], prepared.validation.inputs["x"][:, 0]])
        assert not every.isnan().any()
        assert int(raw.isnan().sum()) == 20
        if normalize:
            assert prepared.train.inputs["x"].mean(0).tolist() == pytest.approx([0, 0], abs=1e-5)
            assert prepared.scaling.mean["x"][0] == pytest.approx(float(mean), rel=1e-4)
        else:
            assert prepared.scaling.mean == {}
            assert int((every == mean).sum()) == 20
            present = prepared.train.inputs["x"][:, 0]
            assert float(mean) == pytest.approx(float(present[present != mean].mean()), rel=1e-4)
