"""The example networks are the modules that one writes by hand, are drawn well, check without a word, and train."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from layerloom.data import TensorSet, main_inputs, prepare
from layerloom.graph import build, check
from layerloom.graph.examples import ORDER, examples, shapes
from layerloom.graph.walk import block_order
from layerloom.schema.events import Metrics
from layerloom.schema.run import Example
from layerloom.training import Control, train
from originals import LIBRARY, original
from unit.training.support import Set

EXAMPLES = {example.id: example for example in examples()}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> Example:
    return EXAMPLES[request.param]


def test_there_are_enough_of_every_family() -> None:
    assert ORDER[0] == "digits-cnn"
    assert len(EXAMPLES) >= 25
    assert {example.family for example in EXAMPLES.values()} == {
        "basics",
        "images",
        "sequences",
        "generative",
        "structures",
    }


def test_it_is_the_module_of_the_class(example: Example) -> None:
    """Every key in order, every shape, and what it computes from the same weights."""
    module, by_hand = build(example.document, seed=0).eval(), original(example.id).eval()
    ours, theirs = module.state_dict(), by_hand.state_dict()
    assert [(key, value.shape) for key, value in ours.items()] == [(key, value.shape) for key, value in theirs.items()]
    by_hand.load_state_dict(ours, strict=True)
    inputs = given(example, 3)
    found = []
    for one in (module, by_hand):
        torch.manual_seed(0)
        with torch.no_grad():
            found.append(one(*inputs))
    torch.testing.assert_close(found[0], found[1])


def test_what_its_card_says_is_true(example: Example) -> None:
    report = check(example.document)
    assert report.problems == []
    assert example.parameters == report.totals.parameters
    assert example.outputs == shapes(report.outputs)
    for words in (example, example.zh):
        assert words.title
        assert re.search(r"[.。]$", words.summary)
    assert re.search(r"[\u4e00-\u9fff]", example.zh.summary)


def test_everything_is_drawn_and_nothing_overlaps(example: Example) -> None:
    document = example.document
    assert set(document.ui.blocks) == set(document.blocks) == set(block_order(document))
    for name, block in document.blocks.items():
        assert block.doc or example.id in LIBRARY
        positions = document.ui.blocks[name].positions
        inputs = {f"input:{given.name}" for given in block.forward.inputs}
        assert set(positions) == {"output", *inputs, *(node.id for node in block.forward.nodes)}
        places = [(position.x, position.y) for position in positions.values()]
        for index, (x, y) in enumerate(places):
            assert all(abs(x - u) >= 200 or abs(y - v) >= 80 for u, v in places[:index])
        for node in block.forward.nodes:
            for source in references(node.model_dump(mode="json")):
                above = positions.get(source) or positions[f"input:{source}"]
                assert above.y < positions[node.id].y


def references(value: Any) -> Iterator[str]:
    """Ids of the nodes and inputs that a value takes."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from references(item)


def given(example: Example, count: int) -> list[Tensor]:
    """Random inputs."""
    random = torch.Generator().manual_seed(count)
    return [
        torch.randint(item.high or 2, (count, *item.shape), generator=random)
        if item.dtype == "int64"
        else torch.randn(count, *item.shape, generator=random)
        for item in main_inputs(example.document).values()
    ]


def few(part: TensorSet) -> TensorSet:
    """The first samples of a part of the data."""
    inputs = {name: value[:32] for name, value in part.inputs.items()}
    return replace(part, inputs=inputs, targets=part.targets[:32])


def own_data(example: Example) -> Set:
    """Made-up data for a network that wants some of the user's own."""
    inputs = dict(zip(main_inputs(example.document), given(example, 32), strict=True))
    targets = torch.arange(32) % 2 if example.id == "siamese" else torch.rand(32, *example.outputs[0]) * 2 - 1
    return Set(inputs, targets)


def test_it_trains_by_its_plan(example: Example, tmp_path: Path) -> None:
    """Two real steps on the data of the plan, with its transforms, loss and optimizer."""
    plan = example.plan.model_copy(update={"epochs": None, "steps": 2, "device": "cpu", "threads": 1, "batch_size": 16})
    if plan.dataset:
        prepared = prepare(plan, main_inputs(example.document), tmp_path)
        task, classes, parts = prepared.entry.task, prepared.classes, [few(prepared.train), few(prepared.validation)]
    else:
        task, classes = ("classification", 2) if example.id == "siamese" else ("regression", 0)
        parts = [own_data(example), own_data(example)]
    module = build(example.document, seed=0)
    before = {name: value.detach().clone() for name, value in module.named_parameters()}
    events: list[Any] = []
    outcome = train(
        module,
        plan,
        *parts,
        task=task,
        classes=classes,
        emit=events.append,
        control=Control(),
        folder=tmp_path,
    )
    assert (outcome.state, outcome.step) == ("succeeded", 2)
    losses = [value for event in events if isinstance(event, Metrics) for value in event.series.get("train/loss", [])]
    assert len(losses) == 2
    assert all(value is not None and math.isfinite(value) for value in losses)
    still = [name for name, value in module.named_parameters() if torch.equal(value, before[name])]
    assert still == []
