"""Modules that do the same become one class: what differs between them becomes its arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from layerloom.graph.importing.calls import default_of, is_required, order_of
from layerloom.graph.importing.scalars import filled, is_scalar, matters, scalars, skeleton
from layerloom.graph.importing.variants import switch, united
from layerloom.graph.names import CLASSES, is_identifier
from layerloom.schema.document import Block

_TYPES = {bool: "bool", int: "int", float: "float", str: "str"}
FACTORS = range(2, 9)
"""One size may be so many times another: ``4 * width``."""

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
    depth = {path: _depth(path, opened) for path in opened}
    made: dict[str, Json] = {}
    named: dict[str, tuple[str, dict[str, Json]]] = {}
    for level in sorted(set(depth.values())):
        here = [opened[path] for path in opened if depth[path] == level]
        for item in here:
            item.block = _resolved(item.block, named)
        for cls in {item.cls for item in here}:
            _said([item for item in here if item.cls == cls])
        groups: dict[str, list[Opened]] = {}
        for item in here:
            groups.setdefault(json.dumps([item.cls, skeleton(item.block)]), []).append(item)
        for group in _variants(list(groups.values())):
            name = _free(group[0].cls, made)
            block, given = _factored(group)
            made[name] = _unsaid(block)
            for item, arguments in zip(group, given, strict=True):
                named[item.path] = (name, arguments)
    return made, named[""][0]


def _depth(path: str, opened: Mapping[str, Opened]) -> int:
    return max((1 + _depth(inner, opened) for inner in opened[path].uses), default=0)


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
    """One block for all of a group, and the arguments that make each of them."""
    rows = [list(scalars(item.block)) for item in group]
    columns: dict[str, list[Json]] = {}
    holes: list[Json] = []
    taken = {name for item in group for name in item.switches}
    for index, (place, _) in enumerate(rows[0]):
        column = [row[index][1] for row in rows]
        known = [value for value in column if matters(value)]
        if all(_same(value, known[0]) for value in known):
            holes.append(known[0])
            continue
        expression = _expression(column, columns)
        if expression is None:
            expression = _argument(place, {*columns, *taken})
            columns[expression] = column
        holes.append({"$expr": expression})
    arguments = [_declared(name, column) for name, column in columns.items()]
    arguments += [{"name": name, "type": "bool", "default": False} for name in sorted(taken)]
    given: list[dict[str, Json]] = [
        {name: column[row] for name, column in columns.items() if matters(column[row])}
        | {name: True for name, on in item.switches.items() if on}
        for row, item in enumerate(group)
    ]
    return {**filled(group[0].block, iter(holes)), "arguments": arguments}, given


def _declared(name: str, column: list[Json]) -> Json:
    """An argument; one that does not matter to some has a default."""
    known = [value for value in column if matters(value)]
    argument = {"name": name, "type": _TYPES[type(known[0])]}
    return {**argument, "required": True} if len(known) == len(column) else {**argument, "default": known[0]}


def _expression(column: list[Json], columns: dict[str, list[Json]]) -> str | None:
    """A column by those that are arguments already: equal to one, or a small multiple of one."""
    for name, other in columns.items():
        if all(not matters(a) or not matters(b) or _same(a, b) for a, b in zip(column, other, strict=True)):
            # What did not matter in the other may matter here.
            columns[name] = [b if matters(b) else a for a, b in zip(column, other, strict=True)]
            return name
    for name, other in columns.items():
        both = [(a, b) for a, b in zip(column, other, strict=True) if matters(a)]
        if all(type(a) is int and type(b) is int and a > 0 and b > 0 for a, b in both):
            for factor in FACTORS:
                if all(a == factor * b for a, b in both):
                    return f"{factor} * {name}"
                if all(b == factor * a for a, b in both):
                    return f"{name} // {factor}"
    return None


def _same(one: Json, other: Json) -> bool:
    return type(one) is type(other) and bool(one == other)


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
    flag = _free(flag, {member["name"] for member in blocks[0]["members"]})
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


def _said(items: list[Opened]) -> None:
    """Name the numbers that some modules of a class leave out because they equal torch's, and others do not."""
    named: dict[tuple[str, str], dict[str, None]] = {}
    for item in items:
        for path, part in _parts(item.block):
            numbers = {key: None for key, value in part["arguments"].items() if is_scalar(key, value)}
            named.setdefault((path, part["target"]), {}).update(numbers)
    for item in items:
        for path, part in _parts(item.block):
            target, given = part["target"], part["arguments"]
            for key in named[path, target]:
                default = default_of(target, key)
                if key not in given and is_scalar(key, default):
                    given[key] = default
            part["arguments"] = dict(sorted(given.items(), key=lambda pair: order_of(target, pair[0])))


def _unsaid(block: Json) -> Json:
    """Without the arguments that equal torch's own defaults."""
    for _, part in _parts(block):
        part["arguments"] = {key: value for key, value in part["arguments"].items() if not _left_out(part, key, value)}
    return block


def _left_out(part: Json, key: str, value: Json) -> bool:
    target = part["target"]
    return is_scalar(key, value) and value == default_of(target, key) and not is_required(target, key)


def _parts(block: Json) -> Iterator[tuple[str, Json]]:
    """Layers and calls of operations, each with what tells it from the others."""
    yield from _layers(block["members"])
    for node in block["forward"]["nodes"]:
        if node["op"] == "function":
            yield f"#{node['id']}", node


def _layers(members: list[Json], path: str = "") -> Iterator[tuple[str, Json]]:
    for member in members:
        if member["kind"] == "layer":
            yield f"{path}.{member['name']}", member
        yield from _layers(member.get("items", []), f"{path}.{member.get('name', '')}")


def _argument(place: tuple[str, ...], taken: set[str]) -> str:
    """``out_channels``, or with its member before it where that is taken: ``conv2_out_channels``."""
    names = [part for part in place if is_identifier(part) and part not in ("then", "output")]
    last = names[-1].replace("shape", "size") if names else "size"
    longer = "_".join(names[-2:]) if len(names) > 1 else last
    for candidate in (last, longer):
        if candidate not in taken and is_identifier(candidate):
            return candidate
    return _free(last, taken)


def _free(name: str, taken: Any) -> str:
    name = re.sub(r"\W", "_", name).lstrip("_") or "Block"
    candidate, number = name, 2
    while candidate in taken or candidate in CLASSES:
        candidate, number = f"{name}{number}", number + 1
    return candidate


def as_block(members: list[Json], forward: Json) -> Json:
    """A block's JSON from its parts."""
    return Block.model_validate({"members": members, "forward": forward}).model_dump(mode="json", by_alias=True)
