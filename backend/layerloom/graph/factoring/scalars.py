"""The numbers in a block's JSON: where they stand, and the block without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = Any
NAMES = ("id", "target", "op", "name", "ref", "$ref", "kind", "block", "dtype", "$dtype", "$function", "path")
"""Keys whose values name something: never an argument."""


def is_whole(value: Json) -> bool:
    """Whether no number inside may become an argument: a module that is closed is one for all that it holds."""
    return isinstance(value, dict) and value.get("kind") == "opaque"


class FreeInt(int):
    """A whole number that does not matter, because what it belongs to is not there."""


class FreeFloat(float):
    """A number that does not matter."""


_KINDS: dict[type, str] = {int: "int", float: "float", FreeInt: "int", FreeFloat: "float"}


def is_scalar(key: str, value: Json) -> bool:
    """Whether a value under a key is a number that may become an argument."""
    return type(value) in _KINDS and key not in NAMES


def matters(value: Json) -> bool:
    """Whether a number is one that has to be so."""
    return not isinstance(value, FreeInt | FreeFloat)


def without_care(value: Json, key: str = "") -> Json:
    """The same with numbers that do not matter."""
    if is_whole(value):
        return value
    if isinstance(value, dict):
        return {name: without_care(item, name if name in NAMES else key + name) for name, item in value.items()}
    if isinstance(value, list):
        return [without_care(item, key) for item in value]
    if is_scalar(key, value):
        return FreeInt(value) if isinstance(value, int) else FreeFloat(value)
    return value


def skeleton(value: Json, key: str = "") -> Json:
    """The structure with the kinds of its numbers in their places."""
    if is_whole(value):
        return value
    if isinstance(value, dict):
        return {name: skeleton(item, name if name in NAMES else key + name) for name, item in value.items()}
    if isinstance(value, list):
        return [skeleton(item, key) for item in value]
    return f"<{_KINDS[type(value)]}>" if is_scalar(key, value) else value


def scalars(value: Json, key: str = "", place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Numbers in reading order, each with the names on the way to it."""
    if is_whole(value):
        return
    if isinstance(value, dict):
        named = (*place, value["name"]) if isinstance(value.get("name"), str) else place
        for name, item in value.items():
            inner = named if name in ("arguments", "members", "items", "forward", "nodes") else (*named, name)
            yield from scalars(item, name if name in NAMES else key + name, inner)
    elif isinstance(value, list):
        for item in value:
            yield from scalars(item, key, place)
    elif is_scalar(key, value):
        yield place, value


def filled(value: Json, holes: Iterator[Json], key: str = "") -> Json:
    """The same with other values in the places of its numbers, in reading order."""
    if is_whole(value):
        return value
    if isinstance(value, dict):
        return {name: filled(item, holes, name if name in NAMES else key + name) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, holes, key) for item in value]
    return next(holes) if is_scalar(key, value) else value
