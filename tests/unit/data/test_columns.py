"""What columns are taken for, and what becomes of them when their owner says otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerloom.schema.datasets import TextReading
from unit.data.support import examine, read, reading, refusal, savez

COUNT = 40
HEAD = "user_id,age,city,joined,comment,label\n"
TABLE = HEAD + "".join(
    f"{1000 + i},{20 + i % 9},{('Rome', 'Oslo', '')[i % 3]},{i / 8},word{i} and some more,{('no', 'yes')[i % 2]}\n"
    for i in range(COUNT)
)


def kinds(content: str) -> dict[str, tuple[str, str, str | None]]:
    """Kind, role and note of every column."""
    return {one.name: (one.kind, one.role, one.note) for one in examine(content, ".csv")[2].columns}


def test_columns_are_guessed_and_their_statistics_told() -> None:
    _, _, details = examine(TABLE, ".csv")
    assert kinds(TABLE) == {
        "user_id": ("id", "ignored", "names_rows"),
        "age": ("number", "feature", None),
        "city": ("category", "feature", None),
        "joined": ("number", "feature", None),
        "comment": ("category", "feature", None),
        "label": ("category", "target", None),
    }
    assert details.inputs["x"].features[:4] == ["age", "city=Oslo", "city=Rome", "joined"]
    age, city = details.columns[1], details.columns[2]
    ages = np.array([20 + i % 9 for i in range(COUNT)])
    assert (age.minimum, age.maximum, age.distinct) == (20, 28, 9)
    assert (age.mean, age.deviation) == pytest.approx((ages.mean(), ages.std()))
    assert age.histogram == np.histogram(ages, 20)[0].tolist()
    assert (city.missing, city.common, city.minimum) == (13, {"Rome": 14, "Oslo": 13}, None)
    assert (details.rows, details.dropped) == (COUNT, 13)
    assert [(one.column, one.reason, one.count, one.rows[:2]) for one in details.problems] == [
        ("city", "missing", 13, [3, 6])
    ]


def test_a_text_of_many_values_is_no_category() -> None:
    many = "a,note,label\n" + "".join(f"{i},n{i},{i % 2}\n" for i in range(200))
    assert kinds(many)["note"] == ("text", "ignored", "many_values")
    assert kinds("note,label\n" + "".join(f"n{i},{i % 2}\n" for i in range(200)))["note"][1] == "feature"


def test_the_owners_word_counts() -> None:
    chosen = reading(user_id="id feature", comment="category ignored", joined="number target", label="category ignored")
    entry, tensors, details = examine(TABLE, ".csv", chosen)
    assert (entry.task, entry.classes, entry.target_shape) == ("regression", [], [1])
    assert set(tensors) == {"inputs.x", "inputs.ids", "targets"}
    assert tensors["inputs.ids"][:2].tolist() == [[1000], [1001]]
    assert details.inputs["ids"].ids == 1000 + COUNT
    assert tensors["targets"][:2].tolist() == [[0], [0.125]]
    assert {one.name: one.role for one in details.reading.columns}["comment"] == "ignored"


def test_several_numbers_are_predicted_together() -> None:
    chosen = reading(age="number target", joined="number target", label="category feature", comment="text ignored")
    entry, tensors = read(TABLE, ".csv", chosen)
    assert entry.target_shape == [2]
    assert tensors["targets"][1].tolist() == [21, 0.125]


def test_missing_values_wait_for_the_training_parts_mean() -> None:
    entry, tensors, details = examine(TABLE, ".csv", reading("mean", comment="text ignored"))
    assert (entry.samples, details.dropped) == (COUNT, 0)
    assert [one.treated for one in details.problems] == ["filled"]
    assert tensors["inputs.x"][2].isnan().tolist() == [False, True, True, False]
    assert not tensors["inputs.x"][:2].isnan().any()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"label": "category ignored"}, "No column is the target"),
        ({"label": "text target"}, "A target is a number or a category"),
        ({"label": "number target"}, "cannot be read as number. It can be category or text"),
        ({"city": "id feature"}, "cannot be read as id"),
        ({"nothing": "number feature"}, "no column 'nothing'"),
        ({"age": "number target"}, "Several targets have to be numbers"),
        ({"city": "text feature", "comment": "text feature"}, "One column of text"),
        (dict.fromkeys(("age", "city", "joined", "comment"), "text ignored"), "No column is a feature"),
    ],
)
def test_readings_that_cannot_be(columns: dict[str, str], words: str) -> None:
    assert words in refusal(TABLE, ".csv", reading(**columns)).message


def test_a_category_of_too_many_values_is_refused_with_a_remedy() -> None:
    many = "a,note,label\n" + "".join(f"{i},n{i % 70},{i % 2}\n" for i in range(200))
    assert "more than 64 different values" in refusal(many, ".csv", reading(note="category feature")).message


def test_texts_are_cut_and_filled_up() -> None:
    text = TextReading(length=4)
    entry, tensors, details = examine(
        "comment,label\nGood and bad,1\nbad!,0\n,1\ngood good good good bad,1\n",
        ".csv",
        reading(text=text, comment="text feature"),
    )
    assert (entry.category, entry.dtype, entry.shape, entry.vocabulary) == ("texts", "int64", [4], 6)
    assert tensors["inputs.x"].tolist() == [[2, 3, 4, 0], [4, 5, 0, 0], [2, 2, 2, 2]]
    assert tensors["targets"].tolist() == [1, 0, 1]
    assert [(one.reason, one.rows) for one in details.problems] == [("empty_text", [3])]
    assert details.inputs["x"].ids == 6


def test_arrays_have_roles_too() -> None:
    arrays = savez(left=np.arange(10.0).reshape(5, 2), ids=np.arange(5), y=np.array([0, 1, 2, 1, 0]))
    _, _, details = examine(arrays, ".npz")
    assert [(one.name, one.kind, one.role) for one in details.columns] == [
        ("left", "number", "feature"),
        ("ids", "id", "feature"),
        ("y", "category", "target"),
    ]
    assert (details.columns[0].mean, details.columns[0].maximum) == (4.5, 9)
    assert sum(details.columns[0].histogram) == 10
    entry, tensors = read(arrays, ".npz", reading(ids="id ignored", left="number target", y="number feature"))
    assert (entry.task, entry.target_shape) == ("regression", [2])
    assert torch.equal(
        tensors["inputs.y"] if "inputs.y" in tensors else tensors["inputs.x"], torch.tensor([0.0, 1, 2, 1, 0])
    )
    assert "cannot be read as id" in refusal(arrays, ".npz", reading(left="id feature")).message
    assert "no array 'z'" in refusal(arrays, ".npz", reading(z="id feature")).message
