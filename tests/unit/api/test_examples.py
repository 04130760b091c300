"""The networks that come with LayerLoom."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerloom.api.plans import require_trainable
from layerloom.api.refusals import Refusal
from layerloom.graph import check
from layerloom.graph import examples as package
from layerloom.graph.examples import ORDER, examples
from layerloom.schema.problems import ProblemCode


def test_every_file_is_named() -> None:
    assert {path.stem for path in Path(package.__file__).parent.glob("*.json")} == set(ORDER)
    assert [example.id for example in examples()] == list(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_each_can_be_trained_without_a_warning(name: str, tmp_path: Path) -> None:
    example = examples()[ORDER.index(name)]
    assert check(example.document).problems == []
    if example.plan.dataset:
        assert require_trainable(example.document, example.plan, tmp_path, list) == example.parameters
    else:
        with pytest.raises(Refusal) as caught:
            require_trainable(example.document, example.plan, tmp_path, list)
        assert [problem.code for problem in caught.value.errors] == [ProblemCode.UNKNOWN_DATASET]


def test_those_that_want_data_of_ones_own_say_so() -> None:
    wanting = [example for example in examples() if not example.plan.dataset]
    assert [example.id for example in wanting] == ["dcgan-generator", "siamese"]
    assert all("data of your own" in example.summary and "自己的数据" in example.zh.summary for example in wanting)
