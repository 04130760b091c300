"""The networks that come with LayerLoom."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerloom.api.plans import require_trainable
from layerloom.graph import check
from layerloom.graph import examples as package
from layerloom.graph.examples import ORDER, examples
from layerloom.schema.plan import Plan


def test_every_file_is_named() -> None:
    assert {path.stem for path in Path(package.__file__).parent.glob("*.json")} == set(ORDER)
    assert [example.id for example in examples()] == list(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_each_can_be_trained_without_a_warning(name: str, tmp_path: Path) -> None:
    example = examples()[ORDER.index(name)]
    assert check(example.document).problems == []
    assert require_trainable(example.document, Plan(dataset=example.dataset), tmp_path, list) > 0
