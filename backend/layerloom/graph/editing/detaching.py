"""Giving one instance of a block a class of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerloom.graph.editing.graphs import view_of, with_views
from layerloom.graph.editing.moves import Edited, head
from layerloom.graph.editing.names import unique
from layerloom.graph.errors import refuse
from layerloom.graph.names import CLASSES
from layerloom.graph.walk import block_of, positional, uses
from layerloom.schema.document import CONTAINERS, Alias, BlockUse, Document, Repeat
from layerloom.schema.problems import ProblemCode


def detach(document: Document, block: str, member: str) -> Edited:
    """A copy of the class of an instance, which becomes the class of this instance alone, so that it can be changed.

    ``member`` is the path of the instance: ``stem``, ``stages.0.conv``; the copies that a repeat makes are one instance
    and get one class. The copy has the old name with a number. No state_dict key changes, and where the instance is the
    only one of its class, nothing does. Raises GraphError where the path leads to no instance of a block.
    """
    its = block_of(document, block)
    found: list[BlockUse] = []

    def take(use: BlockUse) -> BlockUse:
        found.append(use)
        return use

    path = _real(its.members, member)
    _changed(its.members, path, take)
    if not found:
        message = f"{member[:64]} is no instance of a block"
        raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=block, member=member)
    old = found[0].block
    made = block_of(document, old, block=block, member=member)
    if sum(use.block == old for other in document.blocks.values() for use in uses(other)) < 2:
        return Edited(document)
    name = unique(old, {*document.blocks, *CLASSES})
    members = _changed(its.members, path, lambda use: use.model_copy(update={"block": name}))
    blocks = {**document.blocks, block: its.model_copy(update={"members": members}), name: made}
    changed = document.model_copy(update={"blocks": blocks})
    return Edited(with_views(changed, {name: view_of(document, old)}) if old in document.ui.blocks else changed)


def _real(members: list[Any], path: str) -> str:
    """The path behind aliases."""
    aliases = {it.name: it.of for it in members if isinstance(it, Alias)}
    for _ in range(len(aliases)):
        first = head(path)
        if first not in aliases:
            break
        path = aliases[first] + path[len(first) :]
    return path


def _changed(members: list[Any], path: str, change: Callable[[BlockUse], BlockUse]) -> list[Any]:
    """Members with the instance at a path changed; the item of a repeat is written once and changed for all copies."""
    first, _, rest = path.partition(".")
    return [_changed_item(it, rest, change) if it.name == first else it for it in members]


def _changed_item(item: Any, rest: str, change: Callable[[BlockUse], BlockUse]) -> Any:
    if isinstance(item, Repeat):
        return item.model_copy(update={"item": _changed_item(item.item, rest, change)})
    if not rest:
        return change(item) if isinstance(item, BlockUse) else item
    if not isinstance(item, CONTAINERS):
        return item
    name, _, below = rest.partition(".")
    index = _index(item, name)
    items = [_changed_item(it, below, change) if at == index else it for at, it in enumerate(item.items)]
    return item.model_copy(update={"items": items})


def _index(container: Any, name: str) -> int | None:
    """Which item, as written, a name or number leads to."""
    by_place = positional(container)
    for index, item in enumerate(container.items):
        if isinstance(item, Repeat) or (str(index) if by_place else item.name) == name:
            return index
    return None
