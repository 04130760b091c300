"""The example networks are drawn well, check without a word, and learn."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from layerloom.data import entries, load
from layerloom.graph import build, check
from layerloom.graph.examples import examples
from layerloom.graph.walk import block_order
from layerloom.schema.run import Example

EXAMPLES = {example.id: example for example in examples()}


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> Example:
    return EXAMPLES[request.param]


def test_the_first_one_is_the_digits_network() -> None:
    assert next(iter(EXAMPLES)) == "digits-cnn"
    assert len(EXAMPLES) >= 8


def test_it_checks_without_a_problem(example: Example) -> None:
    report = check(example.document)
    assert report.problems == []
    assert report.totals.parameters > 0


def test_it_fits_its_dataset(example: Example, tmp_path) -> None:
    entry = {entry.name: entry for entry in entries(tmp_path)}[example.dataset]
    [given] = example.document.inputs.values()
    assert (given.shape, given.dtype) == (entry.shape, entry.dtype)
    if given.dtype == "int64":
        assert given.high == len(entry.classes)


def test_everything_is_drawn_and_nothing_overlaps(example: Example) -> None:
    assert example.title
    assert example.summary.endswith(".")
    document = example.document
    assert set(document.ui.blocks) == set(document.blocks) == set(block_order(document))
    for name, block in document.blocks.items():
        assert block.doc
        positions = document.ui.blocks[name].positions
        inputs = {f"input:{given.name}" for given in block.forward.inputs}
        assert set(positions) == {"output", *inputs, *(node.id for node in block.forward.nodes)}
        places = [(position.x, position.y) for position in positions.values()]
        for index, (x, y) in enumerate(places):
            assert all(abs(x - u) >= 200 or abs(y - v) >= 80 for u, v in places[:index])


def test_it_learns(example: Example, tmp_path) -> None:
    data = load(example.dataset, tmp_path)
    [inputs] = data.inputs.values()
    inputs, targets = inputs[:96], data.targets[:96]
    if inputs.is_floating_point() and inputs.ndim == 2:
        inputs = (inputs - inputs.mean(0)) / (inputs.std(0) + 1e-6)
    module = build(example.document, seed=0)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.005)

    def loss() -> torch.Tensor:
        output = module(inputs)
        if example.id == "tied-autoencoder":
            return F.mse_loss(output, inputs)
        if data.entry.task == "regression":
            return F.mse_loss(output, targets)
        return F.cross_entropy(output.flatten(0, -2), targets.flatten())

    first = loss().item()
    for _ in range(25):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < 0.9 * first
