"""Modules of one Python class that differ in what they have or do: one class with a switch for the difference.

A residual block has a projection where sizes change and none elsewhere; both are one class to the person who wrote it.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from layerloom.graph.factoring.scalars import skeleton, without_care
from layerloom.graph.importing.alongside import alongside, side_by_side
from layerloom.graph.names import LOCALS, is_identifier

Json = Any
CHOICES = 2
"""Values and calls that may differ beyond what one of the two has more: with others they read better as two classes."""


MORE = 3
"""Members that one may have and the other not."""


def united(larger: Json, smaller: Json, flag: str) -> tuple[Json, Json] | None:
    """Two blocks as one with a switch, once with the numbers of each; None where they have too little in common.

    Numbers that only one of them has stand in the other's form, too, as such that do not matter.
    """
    found = [_Union(flag, care).block(larger, smaller) for care in (0, 1)]
    return (found[0], found[1]) if found[0] is not None and found[1] is not None else None


def switch(larger: Sequence[Any], smaller: Sequence[Any], blocks: tuple[Json, Json]) -> str:
    """A name for the switch that is on in ``larger`` modules: what they have, or the attribute that says so."""
    having = {member["name"] for member in blocks[1]["members"]}
    more = [member["name"] for member in blocks[0]["members"] if member["name"] not in having]
    if more:
        return f"has_{more[0]}"
    first = larger[0]
    for name, value in vars(first).items():
        told = value is True and all(vars(one).get(name) is True for one in larger)
        if told and is_identifier(name) and name not in LOCALS and all(vars(one).get(name) is False for one in smaller):
            return name.strip("_") or "variant"
    for name, value in vars(first).items():
        plain = isinstance(value, int | float) and is_identifier(name)
        if plain and all(vars(one).get(name) for one in larger) and not any(vars(one).get(name) for one in smaller):
            return f"has_{name.strip('_')}"
    return "variant"


class _Union:
    """Makes one form of the union, with the numbers of one side."""

    def __init__(self, flag: str, care: int) -> None:
        self._flag = flag
        self._care = care
        self._choices = 0

    def block(self, one: Json, other: Json) -> Json | None:
        members = self._members(one["members"], other["members"])
        if members is None or one["forward"]["inputs"] != other["forward"]["inputs"]:
            return None
        forward = self._forward(one["forward"], other["forward"])
        if self._choices > CHOICES:
            return None
        return {**one, "members": members, "forward": forward}

    def _side(self, side: int, value: Json) -> Json:
        """A part that only one side has."""
        return copy.deepcopy(value) if side == self._care else without_care(value)

    def _members(self, ones: list[Json], others: list[Json]) -> list[Json] | None:
        left = list(others)
        made = []
        if len(ones) - len(others) > MORE:
            return None
        for member in ones:
            if left and left[0]["name"] == member["name"]:
                if skeleton(member) != skeleton(left[0]):
                    return None
                made.append((member, left[0])[self._care])
                del left[0]
            elif member["kind"] == "alias" or member.get("when"):
                return None
            else:
                made.append({**self._side(0, member), "when": self._flag})
        return None if left else made

    def _forward(self, one: Json, other: Json) -> Json:
        return alongside(one, other, alone=self._alone, together=self._together, choose=self._value, suffix="_without")

    def _alone(self, node: Json, side: int) -> Json:
        self._choices += side
        return self._under(self._side(side, node), f"not {self._flag}" if side else self._flag)

    def _together(self, mine: Json, theirs: Json) -> Json:
        if mine.get("when") != theirs.get("when"):
            self._choices = CHOICES + 1
        return side_by_side(mine, theirs, self._value)

    def _under(self, node: Json, condition: str) -> Json:
        inner = node.get("when")
        return {**node, "when": f"{condition} and {inner}" if inner else condition}

    def _value(self, one: Json, other: Json) -> Json:
        if skeleton(one) == skeleton(other):
            return (one, other)[self._care]
        self._choices += 1
        if isinstance(one, bool) and isinstance(other, bool):
            return {"$expr": self._flag if one else f"not {self._flag}"}
        return {"$if": self._flag, "then": self._side(0, one), "else": self._side(1, other)}
