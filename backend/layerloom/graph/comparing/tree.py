"""A document as a tree of entities by key, for comparing and merging. See ``decoding`` for the way back.

Inside the tree names are fields like any other, and whatever refers to something refers to its key: a member can be
renamed on one side while the other side changes it or calls it once more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from layerloom.graph.comparing.keys import Keys
from layerloom.graph.comparing.paths import items, numbered, path_key
from layerloom.schema.document import Alias, BlockUse, Document, Node
from layerloom.schema.values import Ref, Value, replace


class Ordered(dict[str, Any]):
    """Entities by key, whose order counts."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ordered) and list(self) == list(other) and dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


_PARTS = ("arguments", "members", "forward")
"""Fields of a block that are compared part by part."""


@dataclass(frozen=True)
class Leaf:
    """A value that is compared as a whole, as JSON text."""

    text: str

    @property
    def value(self) -> Any:
        return json.loads(self.text)


def leaf(value: Any) -> Leaf:
    return Leaf(json.dumps(_plain(value), sort_keys=True))


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def encoded(document: Document, keys: Keys) -> dict[str, Any]:
    """The tree of a document."""
    return {
        "format": document.format,
        "name": document.name,
        "main": keys.blocks.get(document.main, f"={document.main}"),
        "blocks": {keys.blocks[name]: _block(document, keys, name) for name in document.blocks},
        "init": _listed((f"{rule.name} {json.dumps(rule.types)}", leaf(rule)) for rule in document.init),
        "frozen": _listed((pattern, leaf(pattern)) for pattern in document.frozen),
        "inputs": {name: leaf(example) for name, example in document.inputs.items()},
        "code": {name: leaf(layer) for name, layer in document.code.items()},
    }


def _listed(pairs: Iterable[tuple[str, Any]]) -> Ordered:
    """Entries by key; those with the key of an earlier one are numbered."""
    found = Ordered()
    for key, value in pairs:
        number, own = 1, key
        while own in found:
            number += 1
            own = f"{key}~{number}"
        found[own] = value
    return found


def _block(document: Document, keys: Keys, name: str) -> dict[str, Any]:
    block = document.blocks[name]
    ids = keys.of_nodes(name, block.forward)
    known = {**ids, **{item.name: f"input {item.name}" for item in block.forward.inputs}}

    def refer(value: Value) -> Value:
        def by_key(it: Value) -> Value:
            return Ref(ref=known.get(it.ref, f"={it.ref}"), path=it.path) if isinstance(it, Ref) else it

        return replace(value, by_key)

    nodes = zip(keys.nodes[name], block.forward.nodes, strict=True)
    members = [(keys.members[name, it.name], _member(document, keys, name, it, it.name)) for it in block.members]
    return {
        "name": name,
        "fields": {field: leaf(getattr(block, field)) for field in type(block).model_fields if field not in _PARTS},
        "arguments": _listed((it.name, leaf(it)) for it in block.arguments),
        "members": _listed(members),
        "given": _listed((it.name, leaf(it)) for it in block.forward.inputs),
        "nodes": _listed((key, _node(document, keys, name, node, refer)) for key, node in nodes),
        "output": leaf(refer(block.forward.output)),
    }


def _member(document: Document, keys: Keys, block: str, member: Any, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in type(member).model_fields:
        value = getattr(member, field)
        match field:
            case "kind":
                found[field] = value
            case "name":
                inside = isinstance(member, Alias) and "." in value
                found[field] = path_key(document, keys.members, block, value) if inside else value
            case "arguments":
                found[field] = {name: leaf(it) for name, it in value.items()}
            case "items":
                by_place = numbered(member)
                found["numbered"] = by_place
                found[field] = _listed(
                    (keys.members[block, inner], _item(_member(document, keys, block, item, inner), by_place))
                    for inner, _, item in items(member, path)
                )
            case "item":
                found[field] = _member(document, keys, block, value, f"{path}.*")
            case "block" if isinstance(member, BlockUse):
                found[field] = keys.blocks.get(value, f"={value}")
            case "of":
                found[field] = path_key(document, keys.members, block, value)
            case _:
                found[field] = leaf(value)
    return found


def _item(member: dict[str, Any], by_place: bool) -> dict[str, Any]:
    """An item; one that goes by its place has no name of its own."""
    if by_place:
        member = {field: value for field, value in member.items() if field != "name"}
    return member


def _node(document: Document, keys: Keys, block: str, node: Node, refer: Callable[[Value], Value]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in type(node).model_fields:
        value = getattr(node, field)
        match field:
            case "id":
                continue
            case "op" | "name" | "when":
                found[field] = value
            case "target":
                found[field] = value if node.op == "function" else path_key(document, keys.members, block, value)
            case "arguments":
                found[field] = {name: leaf(refer(it)) for name, it in value.items()}
            case _:
                found[field] = leaf(refer(value))
    return found
