"""Collecting problems: each with its place, equal ones of several instances of a block told once."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from layerloom.schema.problems import Edit, Fix, Problem, ProblemCode


class Place(NamedTuple):
    """Where in a document something is: see ``Problem``. (A tuple, because thousands are made in each check.)"""

    block: str | None = None
    node: str | None = None
    member: str | None = None
    instance: str | None = None
    port: str | None = None
    pointer: str | None = None

    def at(self, port: str, *steps: str | int) -> Place:
        """A port or argument of this place, with the JSON pointer steps that lead to it."""
        return self._replace(port=port, pointer=pointer(self.pointer or "", *steps))

    def below(self, *steps: str | int) -> Place:
        """The same place with a narrower pointer."""
        return self._replace(pointer=pointer(self.pointer or "", *steps))


def pointer(base: str, *steps: str | int) -> str:
    """A JSON pointer with more steps (RFC 6901)."""
    for step in steps:
        base = f"{base}/{step.replace('~', '~0').replace('/', '~1')}" if isinstance(step, str) else f"{base}/{step}"
    return base


@dataclass
class Findings:
    """Problems so far, and what they make unusable for inference."""

    broken: set[str] = field(default_factory=set)
    """Pointers of nodes and members that have an error of their own, so that their calls are no further news."""
    mending: bool = True
    """Whether edits that mend are looked for."""
    _found: dict[tuple[Any, ...], Problem] = field(default_factory=dict)

    def add(
        self,
        code: ProblemCode,
        message: str,
        place: Place,
        *,
        severity: Literal["error", "warning"] = "error",
        data: dict[str, Any] | None = None,
        fixes: Iterable[Fix] = (),
    ) -> None:
        """Note a problem. The same one in another instance of its block is counted, not told again."""
        key = (code, place.block, place.node, place.member, place.port, place.pointer, message)
        known = self._found.get(key)
        if known is not None:
            others = known.data.setdefault("instances", [known.instance])
            if place.instance not in others:
                others.append(place.instance)
            return
        self._found[key] = Problem.model_construct(
            code=code,
            severity=severity,
            message=message,
            block=place.block,
            node=place.node,
            member=place.member,
            instance=place.instance,
            port=place.port,
            pointer=place.pointer,
            data=dict(data or {}),
            fixes=list(fixes),
        )

    def breaks(self, pointer: str) -> None:
        """Mark a node or member that inference must pass over."""
        self.broken.add(pointer)

    @property
    def ok(self) -> bool:
        """Whether nothing found is an error."""
        return all(problem.severity != "error" for problem in self._found.values())

    def problems(self) -> list[Problem]:
        """Errors first, each group in the order of finding."""
        return sorted(self._found.values(), key=lambda problem: problem.severity != "error")


def shown(text: str) -> str:
    """A name from a document as it may stand in a message: printable, at most 64 characters, quoted."""
    text = text if len(text) <= 64 else text[:63] + "…"
    return repr(text) if text.isprintable() else ascii(text)


def near(name: str, known: Collection[str], count: int = 3) -> list[str]:
    """The names that a mistaken one was most likely meant to be."""
    return difflib.get_close_matches(name[:100], list(known), n=count, cutoff=0.6)


def hint(names: list[str]) -> str:
    """``Did you mean …?`` or nothing."""
    return f" Did you mean {' or '.join(names)}?" if names else ""


def replacing(title: str, where: str, value: Any) -> Fix:
    """A fix of one replacement."""
    return Fix(title=title, edits=[Edit(op="replace", path=where, value=value)])


def removing(title: str, where: str) -> Fix:
    """A fix of one removal."""
    return Fix(title=title, edits=[Edit(op="remove", path=where)])


def adding(title: str, where: str, value: Any) -> Fix:
    """A fix of one addition."""
    return Fix(title=title, edits=[Edit(op="add", path=where, value=value)])
