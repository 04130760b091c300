"""Two graphs as one: what both call stands once, what one calls alone gets a condition, values that differ a choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import Any

from layerloom.graph.factoring.signatures import default_of

Json = Any
Choose = Callable[[Json, Json], Json]


def alongside(
    one: Json,
    other: Json,
    *,
    alone: Callable[[Json, int], Json],
    together: Callable[[Json, Json], Json],
    choose: Choose,
    suffix: str,
) -> Json:
    """The forwards of two blocks, as JSON, as one forward.

    ``alone`` makes the node for a call that only the first (0) or second (1) has, ``together`` the one for a call of
    both, ``choose`` a value for two. A node of the second whose id is taken gets ``suffix`` behind it.
    """
    taken = {node["id"] for node in one["nodes"]}
    names: dict[str, str] = {}
    nodes = []
    for mine, theirs in _pairs(one["nodes"], other["nodes"]):
        if theirs is None:
            nodes.append(alone(mine, 0))
            continue
        moved = _renamed(theirs, names)
        if mine is None:
            names[theirs["id"]] = theirs["id"] if theirs["id"] not in taken else f"{theirs['id']}{suffix}"
            nodes.append(alone({**moved, "id": names[theirs["id"]]}, 1))
        else:
            names[theirs["id"]] = mine["id"]
            nodes.append(together(mine, moved))
    return {**one, "nodes": nodes, "output": choose(one["output"], _renamed(other["output"], names))}


def side_by_side(mine: Json, theirs: Json, choose: Choose) -> Json:
    """One node for two of the same target. An argument that one leaves out has its default there."""
    if "arguments" not in mine:
        return mine
    one, other = mine["arguments"], theirs["arguments"]
    arguments = {}
    for name in dict.fromkeys([*one, *other]):
        default = default_of(mine["target"], name) if mine["op"] == "function" else None
        arguments[name] = choose(one.get(name, default), other.get(name, default))
    return {**mine, "arguments": arguments}


def _pairs(ones: list[Json], others: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Nodes of two graphs in order: side by side where they call the same, alone where only one does."""
    keys = [[(node["op"], node["target"]) for node in nodes] for nodes in (ones, others)]
    for tag, a, b, c, d in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes():
        if tag == "equal":
            yield from zip(ones[a:b], others[c:d], strict=True)
        else:
            yield from ((node, None) for node in ones[a:b])
            yield from ((None, node) for node in others[c:d])


def _renamed(value: Json, names: dict[str, str]) -> Json:
    """With references to nodes by their new names."""
    if isinstance(value, dict):
        changed = {key: _renamed(item, names) for key, item in value.items()}
        if isinstance(value.get("$ref"), str):
            changed["$ref"] = names.get(value["$ref"], value["$ref"])
        return changed
    return [_renamed(item, names) for item in value] if isinstance(value, list) else value
