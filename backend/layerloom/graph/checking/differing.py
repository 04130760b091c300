"""What differs between two documents, where that is so little that only what it reaches has to be checked again.

Parts of two documents are compared by identity, and by their JSON where they are other objects: in Python ``True``,
``1`` and ``1.0`` are equal, in JSON they are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerloom.graph.checking.forward import plainly_given
from layerloom.graph.checking.members import plainly_well
from layerloom.graph.walk import references
from layerloom.schema.document import Document, FunctionNode, Layer, Member, Node

CHANGES = 16
"""Parts that may differ."""
Known = dict[int, bytes]
"""The JSON of parts of the old document by their identity, for the next comparison."""


class Whole(Exception):  # noqa: N818 - nothing is wrong, the document has to be checked whole
    """The edit is none of the simple ones."""


def differences(old: Document, document: Document, known: Known) -> tuple[dict[int, Layer], dict[int, Node]]:
    """Members and nodes of the main block that are others than before. Raises Whole where anything else is."""
    main = document.main
    if (old.main, old.format, list(old.blocks)) != (main, document.format, list(document.blocks)):
        raise Whole
    if document.init or document.frozen or not _alike(known, old.inputs, document.inputs):
        raise Whole
    before, after = old.blocks[main], document.blocks[main]
    for name, block in document.blocks.items():
        if name != main and not _same(known, old.blocks[name], block):
            raise Whole
    if before is after:
        return {}, {}
    if len(before.members) != len(after.members) or len(before.forward.nodes) != len(after.forward.nodes):
        raise Whole
    one, two = before.forward, after.forward
    if not (_each(known, one.inputs, two.inputs) and _each(known, before.arguments, after.arguments)):
        raise Whole
    if (
        one.output is not two.output
        and one.model_copy(update={"nodes": []}).model_dump_json()
        != two.model_copy(update={"nodes": []}).model_dump_json()
    ):
        raise Whole
    members = _changed(known, before.members, after.members)
    nodes = _changed(known, one.nodes, two.nodes)
    for index, member in members.items():
        if not _only_arguments(before.members[index], member):
            raise Whole
    for index, node in nodes.items():
        if not _only_values(one.nodes[index], node):
            raise Whole
    return members, nodes


def _only_arguments(old: Member, new: Member) -> bool:
    """Whether two members differ in a layer's arguments alone, all of which are plain."""
    if not (isinstance(old, Layer) and isinstance(new, Layer) and old.name == new.name):
        return False
    return old.target == new.target and plainly_well(old) and plainly_well(new)


def _only_values(old: Node, new: Node) -> bool:
    """Whether two nodes differ in numbers that an operation is given, and not in what they are connected to."""
    if not (isinstance(old, FunctionNode) and isinstance(new, FunctionNode)):
        return False
    if (old.id, old.target, old.when, old.name) != (new.id, new.target, new.when, new.name):
        return False
    return plainly_given(new) and references(old) == references(new)


def _changed(known: Known, old: Sequence[Any], new: Sequence[Any]) -> dict[int, Any]:
    found = {}
    for index, (one, two) in enumerate(zip(old, new, strict=True)):
        if one is not two and not _same(known, one, two):
            found[index] = two
            if len(found) > CHANGES:
                raise Whole
    return found


def _each(known: Known, old: Sequence[Any], new: Sequence[Any]) -> bool:
    return len(old) == len(new) and not _changed(known, old, new)


def _alike(known: Known, old: dict[str, Any], new: dict[str, Any]) -> bool:
    return list(old) == list(new) and _each(known, list(old.values()), list(new.values()))


def _same(known: Known, old: Any, new: Any) -> bool:
    if old is new:
        return True
    text = known.get(id(old))
    if text is None:
        text = known[id(old)] = _json(old)
    return text == _json(new)


def _json(part: Any) -> bytes:
    text: bytes = part.__pydantic_serializer__.to_json(part, by_alias=True)
    return text
