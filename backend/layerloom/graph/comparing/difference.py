"""What one document has that another has not, said so that a person can read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal, TypeAlias

from layerloom.graph.comparing.keys import matched_keys, own_keys
from layerloom.graph.comparing.tree import Leaf, Ordered, encoded
from layerloom.graph.comparing.words import Words
from layerloom.schema.document import Document

Kind = Literal["added", "removed", "changed", "moved", "renamed"]
What = Literal[
    "network",
    "block",
    "argument",
    "member",
    "input",
    "node",
    "wire",
    "output",
    "initializer",
    "frozen",
    "example",
    "code",
]

_Block: TypeAlias = tuple[str, str]
"""Key of a block, and its name."""


@dataclass(frozen=True)
class Change:
    """One difference."""

    kind: Kind
    what: What
    block: str
    """Name of the block in which it is, as it is called afterwards; empty for the whole document."""
    name: str
    """What differs: a member's path, a node's name or target, an argument…"""
    field: str = ""
    """Which part of it."""
    before: str | None = None
    """As JSON; None where there was nothing."""
    after: str | None = None

    def __str__(self) -> str:
        where = f"{self.block}: " if self.block and self.what != "block" else ""
        return where + (self._connected() if self.what == "wire" else self._changed())

    def _changed(self) -> str:
        thing = f"the {self.what} {self.name}" if self.name else f"the {self.what}"
        part = f"{self.field} of {thing}" if self.field else thing
        match self.kind:
            case "added" if self.field and self.after is not None:
                return f"{part} was added: {self.after}."
            case "added":
                return f"{part} was added."
            case "removed":
                return f"{part} was removed."
            case "moved" if self.after:
                return f"{part} was moved to {json.loads(self.after)}."
            case "moved":
                return f"{part} was moved."
            case "renamed":
                return f"{self.what} {json.loads(self.before or '')} is now called {self.name}."
        return f"{part} was {self.before}, and is {self.after}."

    def _connected(self) -> str:
        port = f"{self.field} of {self.name}"
        if self.after is None:
            return f"{port} is no longer connected."
        if self.before is None:
            return f"{port} comes from {_bare(self.after)}."
        return f"{port} came from {_bare(self.before)}, and comes from {_bare(self.after)}."


def _bare(text: str) -> str:
    """A name without the quotes of JSON; other values as they are."""
    value = json.loads(text)
    return value if isinstance(value, str) else text


@dataclass(frozen=True)
class Difference:
    """All differences of two documents, in the order of the later one. It is false where there are none."""

    changes: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.changes))


def diff(before: Document, after: Document) -> Difference:
    """What was added, removed, changed, moved or renamed.

    Blocks and members are matched by their names, and where these are new by what they hold; nodes by what they compute
    of what. Ids of nodes and places on the canvas do not count: with these alone changed there is no difference.
    """
    known = own_keys(before)
    keys = matched_keys(before, known, after)
    old, new = encoded(before, known), encoded(after, keys)
    return Difference(tuple(_moves(list(_Reading(old, new).changes()))))


class _Reading:
    """Reads two trees side by side."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self._old, self._new = old, new
        self._before, self._after = Words(old), Words(new)

    def changes(self) -> Iterator[Change]:
        """Every difference, in the order of the later document."""
        old, new = self._old, self._new
        for field in ("name", "format"):
            if old[field] != new[field]:
                yield _changed("network", "", "", field, old[field], new[field])
        if old["main"] != new["main"]:
            yield _changed("network", "", "", "main", self._before.main(), self._after.main())
        for key in dict.fromkeys([*new["blocks"], *old["blocks"]]):
            yield from self._block(key, old["blocks"].get(key), new["blocks"].get(key))
        yield from _listed("initializer", "", old["init"], new["init"])
        yield from _listed("frozen", "", old["frozen"], new["frozen"])
        yield from _listed("example", "", old["inputs"], new["inputs"])
        yield from _listed("code", "", old["code"], new["code"])

    def _block(self, key: str, old: Any, new: Any) -> Iterator[Change]:
        if old is None or new is None:
            name = (old or new)["name"]
            yield Change("added" if old is None else "removed", "block", name, name)
            return
        name = new["name"]
        if old["name"] != name:
            yield Change("renamed", "block", name, name, "", json.dumps(old["name"]), json.dumps(name))
        yield from self._fields("block", (key, name), name, old["fields"], new["fields"])
        yield from _listed("argument", name, old["arguments"], new["arguments"])
        yield from self._members((key, name), "", old["members"], new["members"])
        yield from _listed("input", name, old["given"], new["given"])
        yield from self._nodes((key, name), old["nodes"], new["nodes"])
        if old["output"] != new["output"]:
            told = self._told(key, old["output"], new["output"])
            yield Change("changed", "output", name, "", "", *told)

    def _told(self, block: str, old: Any, new: Any) -> tuple[str | None, str | None]:
        return self._before.told(block, old), self._after.told(block, new)

    def _members(self, block: _Block, around: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        key, title = block
        names = self._before.names(old, around, key) | self._after.names(new, around, key)
        for it in dict.fromkeys([*new, *old]):
            if it in old and it in new:
                yield from self._member(block, names[it], old[it], new[it])
                continue
            kind: Kind = "added" if it in new else "removed"
            yield Change(kind, "member", title, names[it], "", *self._told(key, old.get(it), new.get(it)))
        for it in _displaced(old, new):
            yield Change("moved", "member", title, names[it])

    def _member(self, block: _Block, path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        key, title = block
        if old.get("kind") != new.get("kind"):
            yield Change("changed", "member", title, path, "", *self._told(key, old, new))
            return
        for field, its in new.items():
            mine = old.get(field)
            if mine == its or field == "numbered":
                continue
            if field == "items" and isinstance(mine, dict):
                yield from self._members(block, path, mine, its)
            elif field == "item" and isinstance(mine, dict):
                yield from self._member(block, path, mine, its)
            elif field == "arguments" and isinstance(mine, dict):
                yield from self._fields("member", block, path, mine, its)
            else:
                was, now = self._before.field(key, old, field), self._after.field(key, new, field)
                kind: Kind = "renamed" if field == "name" else "changed"
                part = "" if field == "name" else field
                yield Change(kind, "member", title, path, part, json.dumps(was), json.dumps(now))

    def _nodes(self, block: _Block, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        key, title = block
        for it in dict.fromkeys([*new, *old]):
            mine, its = old.get(it), new.get(it)
            if mine is not None and its is not None:
                yield from self._node(block, self._after.label(key, its), mine, its)
                continue
            label = self._after.label(key, its) if mine is None else self._before.label(key, mine)
            yield Change("added" if mine is None else "removed", "node", title, label, "", *self._told(key, mine, its))
        for it in _displaced(old, new):
            yield Change("moved", "node", title, self._after.label(key, new[it]))

    def _node(self, block: _Block, label: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        key, title = block
        for field in dict.fromkeys([*new, *old]):
            mine, its = old.get(field), new.get(field)
            if mine == its:
                continue
            if field == "arguments":
                yield from self._fields("node", block, label, mine or {}, its or {})
                continue
            was, now = self._before.field(key, old, field), self._after.field(key, new, field)
            yield Change("changed", "node", title, label, field, json.dumps(was), json.dumps(now))

    def _fields(self, what: What, block: _Block, name: str, old: Any, new: Any) -> Iterator[Change]:
        """Arguments; one that is connected to other nodes is a wire."""
        key, title = block
        for field in dict.fromkeys([*new, *old]):
            mine, its = old.get(field), new.get(field)
            if mine == its:
                continue
            wire = any(it is not None and '"$ref"' in it.text for it in (mine, its))
            kind: Kind = "added" if mine is None else "removed" if its is None else "changed"
            yield Change(kind, "wire" if wire else what, title, name, field, *self._told(key, mine, its))


def _displaced(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Keys that stand in another order than before: the fewest that have to move."""
    if not isinstance(old, Ordered):
        return []
    mine = [key for key in old if key in new]
    its = [key for key in new if key in old]
    kept: set[str] = set()
    for block in SequenceMatcher(None, mine, its, autojunk=False).get_matching_blocks():
        kept.update(its[block.b : block.b + block.size])
    return [key for key in its if key not in kept]


def _listed(what: What, block: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """Entries of which each is a whole."""
    for key in dict.fromkeys([*new, *old]):
        mine, its = old.get(key), new.get(key)
        name = key.partition(" ")[0] if what == "initializer" else key
        if mine is None or its is None:
            kind: Kind = "added" if mine is None else "removed"
            yield Change(kind, what, block, name, "", _text(mine), _text(its))
        elif mine != its:
            yield Change("changed", what, block, name, "", _text(mine), _text(its))
    for key in _displaced(old, new):
        yield Change("moved", what, block, key)


def _changed(what: What, block: str, name: str, field: str, old: Any, new: Any) -> Change:
    return Change("changed", what, block, name, field, json.dumps(old), json.dumps(new))


def _text(value: Any) -> str | None:
    """As JSON; None where there is nothing."""
    if value is None:
        return None
    return json.dumps(value, default=lambda it: it.value if isinstance(it, Leaf) else str(it), sort_keys=True)


def _moves(changes: Sequence[Change]) -> Iterator[Change]:
    """A member that is gone in one place and is new in another, just as it was, has moved."""
    gone = [it for it in changes if it.kind == "removed" and it.what == "member"]
    moved: dict[int, Change] = {}
    dropped: set[int] = set()
    for it in changes:
        if it.kind != "added" or it.what != "member":
            continue
        left = (was for was in gone if id(was) not in dropped)
        origin = next((was for was in left if _definition(was.before) == _definition(it.after)), None)
        if origin is not None:
            dropped.add(id(origin))
            place = it.name if it.block == origin.block else f"{it.block}.{it.name}"
            moved[id(it)] = Change("moved", "member", origin.block, origin.name, "", None, json.dumps(place))
    for it in changes:
        if id(it) not in dropped:
            yield moved.get(id(it), it)


def _definition(text: str | None) -> Any:
    found = json.loads(text or "null")
    if isinstance(found, dict):
        found.pop("name", None)
    return found
