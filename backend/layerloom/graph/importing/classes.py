"""Modules that do the same become one class: what differs between them becomes its arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from layerloom.graph.names import CLASSES, is_identifier
from layerloom.schema.document import Block

_TYPES = {bool: "bool", int: "int", float: "float", str: "str"}
_FORWARD = ("id", "target", "op", "name", "ref", "$ref", "kind", "block", "dtype", "$dtype", "$function", "path")
"""Texts that name something: never an argument."""

Json = Any


@dataclass
class Opened:
    """A module that was opened, before classes are known."""

    path: str
    cls: str
    """Name of its Python class."""
    block: Json
    """Members and forward; uses of blocks name the qualified name of the module."""
    uses: list[str] = field(default_factory=list)


def classes(opened: Mapping[str, Opened]) -> tuple[dict[str, Json], str]:
    """Blocks by name, inner ones first, and the name of the outermost."""
    depth = {path: _depth(path, opened) for path in opened}
    made: dict[str, Json] = {}
    named: dict[str, tuple[str, dict[str, Json]]] = {}
    for level in sorted(set(depth.values())):
        groups: dict[str, list[Opened]] = {}
        for path in opened:
            if depth[path] == level:
                item = opened[path]
                item.block = _resolved(item.block, named)
                shape = json.dumps([item.cls, _skeleton(item.block)])
                groups.setdefault(shape, []).append(item)
        for group in groups.values():
            name = _free(group[0].cls, made)
            made[name], given = _factored(group)
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
    rows = [list(_scalars(item.block)) for item in group]
    arguments: list[Json] = []
    given: list[dict[str, Json]] = [{} for _ in group]
    by_column: dict[str, str] = {}
    holes: list[Json] = []
    for index, (place, value) in enumerate(rows[0]):
        column = [row[index][1] for row in rows]
        if all(type(other) is type(value) and other == value for other in column):
            holes.append(value)
            continue
        key = json.dumps(column)
        if key not in by_column:
            name = _argument(place, {argument["name"] for argument in arguments})
            by_column[key] = name
            arguments.append({"name": name, "type": _TYPES[type(value)], "required": True})
            for mine, own in zip(given, column, strict=True):
                mine[name] = own
        holes.append({"$expr": by_column[key]})
    return {**_filled(group[0].block, iter(holes)), "arguments": arguments}, given


def _is_scalar(key: str, value: Json) -> bool:
    return type(value) in (int, float) and key not in _FORWARD


def _skeleton(value: Json, key: str = "") -> Json:
    if isinstance(value, dict):
        return {name: _skeleton(item, name if name in _FORWARD else key + name) for name, item in value.items()}
    if isinstance(value, list):
        return [_skeleton(item, key) for item in value]
    return type(value).__name__ if _is_scalar(key, value) else value


def _scalars(value: Json, key: str = "", place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Numbers in reading order, each with the names on the way to it."""
    if isinstance(value, dict):
        named = (*place, value["name"]) if isinstance(value.get("name"), str) else place
        for name, item in value.items():
            inner = named if name in ("arguments", "members", "items", "forward", "nodes") else (*named, name)
            yield from _scalars(item, name if name in _FORWARD else key + name, inner)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item, key, place)
    elif _is_scalar(key, value):
        yield place, value


def _filled(value: Json, holes: Iterator[Json], key: str = "") -> Json:
    if isinstance(value, dict):
        return {name: _filled(item, holes, name if name in _FORWARD else key + name) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, holes, key) for item in value]
    return next(holes) if _is_scalar(key, value) else value


def _argument(place: tuple[str, ...], taken: set[str]) -> str:
    """``out_channels``, or with its member before it where that is taken: ``conv2_out_channels``."""
    names = [part for part in place if is_identifier(part)]
    last = names[-1] if names else "size"
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
