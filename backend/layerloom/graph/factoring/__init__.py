"""Blocks that differ in numbers become one: what differs between them becomes its arguments.

Blocks are JSON here, so that a number is one wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from typing import Any

from layerloom.graph.factoring.scalars import filled, is_scalar, matters, scalars, skeleton
from layerloom.graph.factoring.signatures import default_of, is_required, order_of
from layerloom.graph.names import CLASSES, is_identifier

__all__ = ["factored", "free", "parts", "say", "skeleton", "unsaid"]

_TYPES = {bool: "bool", int: "int", float: "float", str: "str"}
FACTORS = range(2, 9)
"""One size may be so many times another: ``4 * width``."""

Json = Any


def factored(
    blocks: Sequence[Json],
    taken: Collection[str] = (),
    told: Callable[[Sequence[Json]], Iterable[str]] = lambda _: (),
) -> tuple[Json, list[dict[str, Json]]]:
    """One block for all of a group of one skeleton, with arguments for what differs, and the arguments of each.

    ``taken`` are names that no argument may have. ``told`` gives names for the values that an argument has, one for
    each block, where these are known by some.
    """
    rows = [list(scalars(block)) for block in blocks]
    columns: dict[str, list[Json]] = {}
    holes: list[Json] = []
    for index, (place, _) in enumerate(rows[0]):
        column = [row[index][1] for row in rows]
        known = [value for value in column if matters(value)]
        if all(_same(value, known[0]) for value in known):
            holes.append(known[0])
            continue
        expression = _expression(column, columns)
        if expression is None:
            expression = _argument(place, {*columns, *taken}, told(column))
            columns[expression] = column
        holes.append({"$expr": expression})
    arguments = [_declared(name, column) for name, column in columns.items()]
    given: list[dict[str, Json]] = [
        {name: column[row] for name, column in columns.items() if matters(column[row])} for row in range(len(blocks))
    ]
    return {**filled(blocks[0], iter(holes)), "arguments": arguments}, given


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


def say(blocks: Sequence[Json]) -> None:
    """Name, in place, the numbers that some blocks leave out because they equal torch's, and others do not."""
    named: dict[tuple[str, str], dict[str, None]] = {}
    for block in blocks:
        for path, part in parts(block):
            numbers = {key: None for key, value in part["arguments"].items() if is_scalar(key, value)}
            named.setdefault((path, part["target"]), {}).update(numbers)
    for block in blocks:
        for path, part in parts(block):
            target, given = part["target"], part["arguments"]
            for key in named[path, target]:
                default = default_of(target, key)
                if key not in given and is_scalar(key, default):
                    given[key] = default
            part["arguments"] = dict(sorted(given.items(), key=lambda pair: order_of(target, pair[0])))


def unsaid(block: Json) -> Json:
    """Without the arguments that equal torch's own defaults."""
    for _, part in parts(block):
        part["arguments"] = {key: value for key, value in part["arguments"].items() if not _left_out(part, key, value)}
    return block


def _left_out(part: Json, key: str, value: Json) -> bool:
    target = part["target"]
    return is_scalar(key, value) and value == default_of(target, key) and not is_required(target, key)


def parts(block: Json) -> Iterator[tuple[str, Json]]:
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


def _argument(place: tuple[str, ...], taken: Collection[str], told: Iterable[str]) -> str:
    """``out_channels``, or with its member before it where that is taken: ``conv2_out_channels``.

    Where the place says nothing, it is called as one is told.
    """
    names = [part for part in place if is_identifier(part) and part not in ("then", "output")]
    last = names[-1].replace("shape", "size") if names else "size"
    longer = "_".join(names[-2:]) if len(names) > 1 else last
    known = [name for name in told if is_identifier(name)]
    for candidate in (*(known if last in _SILENT else []), last, *known, longer):
        if candidate not in taken and is_identifier(candidate):
            return candidate
    return free(last, taken)


_SILENT = frozenset({"size", "other", "input", "dim", "dims", "index", "value", "p"})
"""Parameters of operations that say nothing of what is given."""


def free(name: str, taken: Container[str]) -> str:
    """A name for a class or an argument that is not taken."""
    name = re.sub(r"\W", "_", name).lstrip("_") or "Block"
    candidate, number = name, 2
    while candidate in taken or candidate in CLASSES:
        candidate, number = f"{name}{number}", number + 1
    return candidate
