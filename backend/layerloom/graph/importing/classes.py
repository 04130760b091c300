"""Modules that do the same become one class: what differs between them becomes its arguments."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from layerloom.graph.factoring import factored, free, say, skeleton, unsaid
from layerloom.graph.factoring.scalars import matters
from layerloom.graph.importing.variants import switch, united
from layerloom.graph.names import LOCALS
from layerloom.schema.document import Block

Json = Any


@dataclass
class Opened:
    """A module that was opened, before classes are known."""

    path: str
    cls: str
    """Name of its Python class."""
    block: Json
    """Members and forward; uses of blocks name the qualified name of the module."""
    uses: list[str]
    module: nn.Module
    at: int
    """Its place in the order of the network."""
    switches: dict[str, bool] = field(default_factory=dict)
    """Arguments that say which variant of its class it is."""


def classes(opened: Mapping[str, Opened]) -> tuple[dict[str, Json], str]:
    """Blocks by name, inner ones first, and the name of the outermost."""
    depth = _depths(opened)
    made: dict[str, Json] = {}
    named: dict[str, tuple[str, dict[str, Json]]] = {}
    for level in sorted(set(depth.values())):
        here = [opened[path] for path in opened if depth[path] == level]
        for item in here:
            item.block = _resolved(item.block, named)
        for cls in {item.cls for item in here}:
            say([item.block for item in here if item.cls == cls])
        groups: dict[str, list[Opened]] = {}
        for item in here:
            groups.setdefault(json.dumps([item.cls, skeleton(item.block)]), []).append(item)
        for group in _variants(list(groups.values())):
            name = free(group[0].cls, made)
            block, given = _factored(group)
            made[name] = unsaid(block)
            for item, arguments in zip(group, given, strict=True):
                named[item.path] = (name, arguments)
    return made, named[""][0]


def _depths(opened: Mapping[str, Opened]) -> dict[str, int]:
    """How many levels of blocks lie inside each; a part that several hold is looked into once."""
    found: dict[str, int] = {}

    def depth(path: str) -> int:
        if path not in found:
            found[path] = max((1 + depth(inner) for inner in opened[path].uses), default=0)
        return found[path]

    return {path: depth(path) for path in opened}


def _resolved(block: Json, named: Mapping[str, tuple[str, dict[str, Json]]]) -> Json:
    """The block with its uses naming classes and their arguments."""
    if isinstance(block, list):
        return [_resolved(item, named) for item in block]
    if not isinstance(block, dict):
        return block
    if block.get("kind") == "block":
        name, arguments = named[block["block"]]
        return {**block, "block": name, "arguments": arguments}
    return {key: _resolved(value, named) for key, value in block.items()}


def _factored(group: list[Opened]) -> tuple[Json, list[dict[str, Json]]]:
    """One block for all of a group, and the arguments that make each of them, switches among these."""
    switches = {name for item in group for name in item.switches}
    block, given = factored([item.block for item in group], switches, lambda column: _attributes(group, column))
    block["arguments"] += [{"name": name, "type": "bool", "default": False} for name in sorted(switches)]
    return block, [
        arguments | {name: True for name, on in item.switches.items() if on}
        for item, arguments in zip(group, given, strict=True)
    ]


def _attributes(group: list[Opened], column: Sequence[Json]) -> Iterator[str]:
    """Attributes of the original modules that hold the values of an argument, those first that their class takes."""
    taken = inspect.signature(type(group[0].module).__init__).parameters
    for name in sorted(vars(group[0].module), key=lambda name: name not in taken):
        held = [vars(item.module).get(name) for item in group]
        if not name.startswith("_") and name not in LOCALS and all(map(_is, held, column)):
            yield name


def _is(held: object, value: Json) -> bool:
    return not matters(value) or (type(held) is type(value) and held == value)


def _variants(groups: list[list[Opened]]) -> list[list[Opened]]:
    """The groups, those of one Python class made one where a switch says what they differ in."""
    left = sorted(groups, key=lambda group: _size(group[0].block), reverse=True)
    made: list[list[Opened]] = []
    while left:
        larger = left.pop(0)
        for smaller in [group for group in left if group[0].cls == larger[0].cls]:
            if _made_one(larger, smaller):
                left.remove(smaller)
                larger = [*larger, *smaller]
                break  # one switch for a class: two of them nobody reads
        made.append(larger)
    return sorted(made, key=lambda group: min(item.at for item in group))


def _size(block: Json) -> tuple[int, int]:
    return len(block["members"]), len(block["forward"]["nodes"])


def _made_one(larger: list[Opened], smaller: list[Opened]) -> bool:
    blocks = larger[0].block, smaller[0].block
    flag = switch([item.module for item in larger], [item.module for item in smaller], blocks)
    flag = free(flag, {member["name"] for member in blocks[0]["members"]})
    forms = [united(item.block, blocks[1], flag) for item in larger]
    others = [united(blocks[0], item.block, flag) for item in smaller]
    if any(form is None for form in (*forms, *others)):
        return False
    for group, found, side in ((larger, forms, 0), (smaller, others, 1)):
        for item, form in zip(group, found, strict=True):
            assert form is not None
            item.block = form[side]
            item.switches = {flag: side == 0}
    return True


def as_block(members: list[Json], forward: Json) -> Json:
    """A block's JSON from its parts."""
    return Block.model_validate({"members": members, "forward": forward}).model_dump(mode="json", by_alias=True)
