"""What a forward does in training only, and parts of tensors that are overwritten."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from layerloom import build, check, to_python
from layerloom.schema.document import Document
from layerloom.schema.problems import ProblemCode


def linear(name: str, out_features: int) -> dict[str, Any]:
    arguments = {"in_features": 4, "out_features": out_features}
    return {"kind": "layer", "name": name, "target": "torch.nn.Linear", "arguments": arguments}


def auxiliary(output: Any) -> Document:
    """Two heads, of which one is there for training."""
    nodes = [
        {"op": "call", "id": "a", "target": "body", "arguments": {"input": {"$ref": "x"}}},
        {"op": "call", "id": "b", "target": "aux", "when": "training", "arguments": {"input": {"$ref": "a"}}},
        {
            "op": "function",
            "id": "m",
            "target": "operator.mul",
            "when": "training",
            "arguments": {"input": {"$ref": "b"}, "other": 2},
        },
        {"op": "function", "id": "r", "target": "torch.nn.functional.relu", "arguments": {"input": {"$ref": "a"}}},
        {
            "op": "function",
            "id": "s",
            "target": "operator.setitem",
            "arguments": {
                "input": {"$ref": "r"},
                "index": {"$tuple": [{"$slice": [None, None, None]}, 0]},
                "value": 0.5,
            },
        },
    ]
    forward = {"inputs": [{"name": "x"}], "nodes": nodes, "output": output}
    block = {"members": [linear("body", 3), linear("aux", 2)], "forward": forward}
    return Document.model_validate({"main": "Net", "blocks": {"Net": block}, "inputs": {"x": {"shape": [4]}}})


BOTH = {"$if": "training", "then": {"$tuple": [{"$ref": "s"}, {"$ref": "m"}]}, "else": {"$ref": "s"}}


class Net(nn.Module):
    """The same by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(4, 3)
        self.aux = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> Any:
        x = self.body(x)
        if self.training:
            aux = self.aux(x) * 2
        x = F.relu(x)
        x[:, 0] = 0.5
        return (x, aux) if self.training else x


def test_a_head_for_training_is_written_as_a_person_writes_it() -> None:
    source = to_python(square(auxiliary(BOTH)))
    assert "        if self.training:\n            aux = self.aux(x) * 2\n" in source
    assert "        x[:, 0] = 0.5\n" in source
    assert source.endswith("        return (x, aux) if self.training else x\n")


def square(document: Document) -> Document:
    """The same with a body that fits its head."""
    plain = document.model_dump(mode="json")
    plain["blocks"]["Net"]["members"][0]["arguments"]["out_features"] = 4
    return Document.model_validate(plain)


def test_both_ways_equal_the_module_by_hand() -> None:
    built = build(square(auxiliary(BOTH)))
    twin = Net()
    twin.body = nn.Linear(4, 4)
    twin.load_state_dict(built.state_dict(), strict=True)
    x = torch.randn(5, 4)
    for mode in (True, False):
        got, expected = built.train(mode)(x), twin.train(mode)(x)
        assert isinstance(got, tuple) is mode
        for one, other in zip(got, expected, strict=True) if mode else [(got, expected)]:
            assert torch.equal(one, other)


def test_shapes_and_mistakes_of_training_are_found_too() -> None:
    report = check(square(auxiliary(BOTH)))
    assert report.ok
    assert report.nodes["#m"].output.shape == [2, 2]  # type: ignore[union-attr]
    [problem] = check(auxiliary(BOTH)).problems
    assert (problem.code, problem.node) == (ProblemCode.SHAPE_MISMATCH, "b")


def test_what_exists_in_training_only_cannot_be_read_otherwise() -> None:
    report = check(square(auxiliary({"$tuple": [{"$ref": "s"}, {"$ref": "m"}]})))
    problems = [problem for problem in report.problems if problem.code == ProblemCode.CONDITIONAL_RESULT]
    places = [(problem.block, problem.port, problem.data["reference"]) for problem in problems]
    assert places == [("Net", "output", "m")]
    swapped = {"$if": "training", "then": {"$ref": "s"}, "else": {"$ref": "m"}}
    assert not check(square(auxiliary(swapped))).ok
