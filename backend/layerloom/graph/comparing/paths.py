"""Paths of members: which entity of a document each part of one names, aliases and blocks followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from layerloom.graph.walk import positional
from layerloom.schema.document import CONTAINERS, Alias, Block, BlockUse, Document, Repeat


def items(member: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """What a member holds: path, name and the item. Those of a list go by their places."""
    if isinstance(member, Repeat):
        yield f"{path}.*", "*", member.item
    if isinstance(member, CONTAINERS):
        numbered = positional(member)
        for index, item in enumerate(member.items):
            name = str(index) if numbered or isinstance(item, Repeat) else item.name
            yield f"{path}.{name}", name, item


def numbered(member: Any) -> bool:
    """Whether its items have no names of their own."""
    return isinstance(member, CONTAINERS) and positional(member)


def located(document: Document, block: str, path: str) -> list[tuple[str, str] | None]:
    """For each segment of a path the entity that it names, by block and path as written; None for what is none."""
    found: list[tuple[str, str] | None] = []
    around, inside, written = block, document.blocks.get(block), ""
    holder: Any = inside
    for name in path.split("."):
        step = _step(holder, written, name)
        if step is None:
            found.append(None)
            holder = None
            continue
        written, holder, exact = step
        found.append((around, written) if exact else None)
        for _ in range(32):  # an alias of an alias is no loop
            if not isinstance(holder, Alias):
                break
            around, written, holder = _behind(document, around, holder)
        if isinstance(holder, BlockUse):
            around, written, holder = holder.block, "", document.blocks.get(holder.block)
    return found


def _step(holder: Any, written: str, name: str) -> tuple[str, Any, bool] | None:
    if isinstance(holder, Block):
        member = next((it for it in holder.members if it.name == name), None)
        return None if member is None else (name, member, True)
    if not isinstance(holder, CONTAINERS):
        return None
    repeated = any(isinstance(item, Repeat) for item in holder.items)
    if not numbered(holder):
        plain = next((it for it in holder.items if not isinstance(it, Repeat) and it.name == name), None)
        if plain is not None:
            return f"{written}.{name}", plain, True
    for path, own, item in items(holder, written):
        if isinstance(item, Repeat):
            while isinstance(item, Repeat):
                path, item = f"{path}.*", item.item
            return path, item, False
        if own == name:
            # Behind a repeat numbers count its copies, so that they name no item as written.
            return path, item, not (repeated and numbered(holder))
    return None


def _behind(document: Document, block: str, alias: Alias) -> tuple[str, str, Any]:
    steps = located_members(document, block, alias.of)
    return steps if steps is not None else (block, alias.of, None)


def located_members(document: Document, block: str, path: str, depth: int = 0) -> tuple[str, str, Any] | None:
    """Block, path as written, and member at the end of a path."""
    holder: Any = document.blocks.get(block)
    around, written = block, ""
    for name in path.split("."):
        if isinstance(holder, Alias) and depth < 16:
            target = located_members(document, around, holder.of, depth + 1)
            if target is None:
                return None
            around, written, holder = target
        if isinstance(holder, BlockUse):
            around, written, holder = holder.block, "", document.blocks.get(holder.block)
        step = _step(holder, written, name)
        if step is None:
            return None
        written, holder, _ = step
    return around, written, holder


def path_key(document: Document, keys: Mapping[tuple[str, str], str], block: str, path: str) -> str:
    """A path by the keys of what it passes; what is no entity stays as it is written, behind a ``=``."""
    places = located(document, block, path)
    parts = path.split(".")
    return "/".join(
        f"={part}" if place is None else keys.get(place, f"={part}") for part, place in zip(parts, places, strict=True)
    )
