"""What was written as a loop becomes one again: items of a list called in a chain, and equal items built in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

Json = Any
LEAST = 3
"""Equal items that are worth a ``for``."""


def looped(block: Json) -> Json:
    """A block's JSON with its chains and its rows of equal items written as loops."""
    forward = block["forward"]
    for member in block["members"]:
        if member["kind"] == "module_list" and len(member["items"]) > 1:
            forward = _chained(forward, member["name"], len(member["items"]))
    named = {part for node in forward["nodes"] if "target" in node for part in _prefixes(node["target"])}
    named |= {part for member in block["members"] if member["kind"] == "alias" for part in _prefixes(member["of"])}
    members = [_repeated(member, member["name"], named) for member in block["members"]]
    return {**block, "members": members, "forward": forward}


def _chained(forward: Json, name: str, count: int) -> Json:
    """The forward with ``for layer in self.layers: x = layer(x)``, where that is what it does."""
    nodes = forward["nodes"]
    calls = [node for node in nodes if node["op"] == "call" and node["target"].partition(".")[0] == name]
    if [node["target"] for node in calls] != [f"{name}.{index}" for index in range(count)]:
        return forward
    first = nodes.index(calls[0])
    if nodes[first : first + count] != calls:
        return forward
    uses = Counter(ref for node in nodes for ref in _refs(node))
    uses.update(_refs(forward["output"]))
    before = None
    rest = [dict(list(node["arguments"].items())[1:]) for node in calls]
    for node in calls:
        carried = next(iter(node["arguments"].values()), None)
        wrong = not isinstance(carried, dict) or "$ref" not in carried
        if wrong or (before is not None and (carried != {"$ref": before, "path": []} or uses[before] != 1)):
            return forward
        before = node["id"]
    if len({node.get("when") for node in calls}) > 1 or any(other != rest[0] for other in rest) or "input" in rest[0]:
        return forward
    start = next(iter(calls[0]["arguments"].values()))
    loop = {"op": "loop", "id": calls[-1]["id"], "target": name, "arguments": {"input": start, **rest[0]}}
    loop["when"] = calls[0].get("when")
    return {**forward, "nodes": [*nodes[:first], loop, *nodes[first + count :]]}


def _repeated(member: Json, path: str, named: set[str]) -> Json:
    """A container with its runs of equal items, none of which is meant by itself, written once and how often."""
    items = member.get("items")
    if not items:
        return member
    inner = [_repeated(item, f"{path}.{item['name']}", named) for item in items]
    listed = member["kind"] in ("module_list", "sequential")
    if not listed or [item["name"] for item in items] != [str(index) for index in range(len(items))]:
        return {**member, "items": inner}
    made: list[Json] = []
    for _, run in groupby(zip(items, inner, strict=True), key=lambda pair: {**pair[1], "name": ""}):
        same = list(run)
        alone = any(f"{path}.{item['name']}" in named for item, _ in same)
        if len(same) < LEAST or alone:
            made.extend(item for _, item in same)
        else:
            over = {"$expr": f"range({len(same)})"}
            made.append({"kind": "repeat", "variables": ["_"], "over": over, "item": {**same[0][1], "name": "0"}})
    return {**member, "items": made}


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _refs(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _refs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _refs(item)
