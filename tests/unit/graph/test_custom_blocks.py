"""Layers of one's own, drawn as blocks: after a step of training they are, bit for bit, those written by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from layerloom.graph import build
from layerloom.graph.editing import block_from_expression
from layerloom.schema.document import Block, Document

WIDTH = 6


def ref(name: str) -> dict[str, str]:
    return {"$ref": name}


def node(name: str, target: str, **arguments: Any) -> dict[str, Any]:
    return {"op": "function", "id": name, "target": target, "arguments": arguments}


def get(name: str) -> dict[str, Any]:
    return {"op": "get", "id": f"get_{name}", "target": name}


def parameter(name: str, function: str) -> dict[str, Any]:
    init = [{"function": f"torch.nn.init.{function}"}]
    return {"kind": "parameter", "name": name, "shape": [{"$expr": "width"}], "init": init}


AFFINE = {
    "arguments": [{"name": "width", "required": True}],
    "members": [parameter("scale", "ones_"), parameter("shift", "zeros_"), {"kind": "buffer", "name": "calls"}],
    "forward": {
        "inputs": [{"name": "x"}],
        "nodes": [
            get("scale"),
            get("shift"),
            node("scaled", "operator.mul", input=ref("x"), other=ref("get_scale")),
            node("shifted", "operator.add", input=ref("scaled"), other=ref("get_shift")),
        ],
        "output": ref("shifted"),
    },
}
GLU = {
    "arguments": [{"name": "width", "required": True}],
    "members": [
        {
            "kind": "layer",
            "name": "proj",
            "target": "torch.nn.Linear",
            "arguments": {"in_features": {"$expr": "width"}, "out_features": {"$expr": "2 * width"}},
        }
    ],
    "forward": {
        "inputs": [{"name": "x"}],
        "nodes": [
            {"op": "call", "id": "both", "target": "proj", "arguments": {"input": ref("x")}},
            node("halves", "torch.Tensor.chunk", input=ref("both"), chunks=2, dim=-1),
            node("open", "torch.sigmoid", input={"$ref": "halves", "path": [1]}),
            node("gated", "operator.mul", input={"$ref": "halves", "path": [0]}, other=ref("open")),
        ],
        "output": ref("gated"),
    },
}


class Affine(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale + self.shift


class Glu(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 2 * width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b = self.proj(x).chunk(2, dim=-1)
        return a * torch.sigmoid(b)


class RmsNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * self.weight


RMS_NORM = block_from_expression(
    "x * rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * weight", "RmsNorm", {"weight": [WIDTH]}
)


def network(block: Block, **arguments: int) -> Document:
    use = {"kind": "block", "name": "own", "block": "Own", "arguments": arguments}
    head = {"kind": "layer", "name": "head", "target": "torch.nn.Linear", "arguments": {"in_features": WIDTH}}
    head["arguments"]["out_features"] = 1  # type: ignore[index]
    nodes = [
        {"op": "call", "id": "a", "target": "own", "arguments": {"x": ref("x")}},
        {"op": "call", "id": "b", "target": "head", "arguments": {"input": ref("a")}},
    ]
    forward = {"inputs": [{"name": "x"}], "nodes": nodes, "output": ref("b")}
    main = Block.model_validate({"members": [use, head], "forward": forward})
    inputs = {"x": {"shape": [WIDTH]}}
    return Document(main="Net", blocks={"Net": main, "Own": block}, inputs=inputs)  # type: ignore[arg-type]


class Net(nn.Module):
    def __init__(self, own: nn.Module) -> None:
        super().__init__()
        self.own = own
        self.head = nn.Linear(WIDTH, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.own(x))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("block", "arguments", "own"),
    [
        (Block.model_validate(AFFINE), {"width": WIDTH}, Affine),
        (Block.model_validate(GLU), {"width": WIDTH}, Glu),
        (RMS_NORM, {}, RmsNorm),
    ],
    ids=["affine", "GLU", "RMSNorm"],
)
def test_a_step_of_training_ends_where_that_of_the_written_class_does(
    block: Block, arguments: dict[str, int], own: type[nn.Module]
) -> None:
    drawn = build(network(block, **arguments), seed=3)
    torch.manual_seed(3)
    written = Net(own(WIDTH))
    before = {key: value.clone() for key, value in written.state_dict().items()}
    assert list(drawn.state_dict()) == list(before)
    assert all(torch.equal(value, before[key]) for key, value in drawn.state_dict().items())
    for module in (drawn, written):
        torch.manual_seed(4)
        x, y = torch.randn(8, WIDTH), torch.randn(8, 1)
        optimizer = torch.optim.AdamW(module.parameters(), lr=0.01)
        nn.functional.mse_loss(module(x), y).backward()
        optimizer.step()
    after = written.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in drawn.state_dict().items())
    trained = dict(written.named_parameters())
    assert not any(torch.equal(trained[key], before[key]) for key in trained)
