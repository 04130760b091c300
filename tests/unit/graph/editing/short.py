"""Documents written short, and what every edit has to keep."""

from __future__ import annotations

from typing import Any

import torch

from layerloom.graph import build
from layerloom.schema.document import Block, Document
from unit.graph.checking.drawing import Json, block, call, layer, network, parsed, ref


def linear(name: str, size: Any = 8) -> Json:
    return layer(name, "Linear", in_features=size, out_features=size)


def alias(name: str, of: str) -> Json:
    return {"kind": "alias", "name": name, "of": of}


def chained(*members: Json, **rest: Any) -> Document:
    """Each member called once, in order, by nodes ``n1``, ``n2``…"""
    called = [member for member in members if member["kind"] != "alias"]
    nodes = [call(f"n{at}", it["name"], "x" if at == 1 else f"n{at - 1}") for at, it in enumerate(called, 1)]
    return parsed(network(list(members), nodes, **rest))


def names(it: Block) -> list[str]:
    return [member.name for member in it.members]


def forward(document: Document, name: str = "Net") -> Json:
    return document.blocks[name].forward.model_dump(mode="json", by_alias=True)


def same(one: Document, edited: Any) -> None:
    """Equal results with the weights under their new keys."""
    old, new = build(one, seed=0).eval(), build(edited.document, seed=1).eval()
    new.load_state_dict(edited.carry(old.state_dict()), strict=True)
    x = torch.randn(3, 8)
    assert torch.equal(old(x), new(x))


def module_list(name: str, *items: Json) -> Json:
    return {"kind": "module_list", "name": name, "items": list(items)}


def module_dict(name: str, *items: Json) -> Json:
    return {"kind": "module_dict", "name": name, "items": list(items)}


def loop(node: str, target: str, *args: str, **arguments: Any) -> Json:
    return {**call(node, target, *args, **arguments), "op": "loop"}


def items(document: Document, member: int = 0) -> list[Json]:
    dumped: list[Json] = document.blocks["Net"].members[member].model_dump(mode="json", by_alias=True)["items"]
    return dumped


def targets(document: Document, name: str = "Net") -> list[str]:
    return [node["target"] for node in forward(document, name)["nodes"]]


def same_keys(document: Document, edited: Any) -> None:
    assert not edited.moved
    assert list(build(edited.document).state_dict()) == list(build(document).state_dict())
    same(document, edited)


B = block([linear("fc")], [call("n1", "fc", "x")], ref("n1"))
