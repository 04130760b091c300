"""Edits that follow the doctor's advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerloom.graph.checking.findings import pointer, removing
from layerloom.graph.lab.examining.patient import Applied
from layerloom.graph.lab.flow import Step
from layerloom.graph.places import instances
from layerloom.graph.walk import pointer_of, positional
from layerloom.schema.document import (
    CONTAINERS,
    Block,
    CallNode,
    Document,
    FunctionNode,
    InitRule,
    Layer,
    ParameterInit,
)
from layerloom.schema.problems import Edit, Fix
from layerloom.schema.values import Ref, refs


def initialized(title: str, step: Step, statements: Sequence[ParameterInit]) -> Fix:
    """Give a layer initializers of its own."""
    assert step.located is not None
    where = pointer(step.located.place.pointer, "init")
    return Fix(title=title, edits=[Edit(op="add", path=where, value=_plain(statements))])


def changed(applied: Sequence[Applied], old: ParameterInit, new: ParameterInit) -> list[ParameterInit]:
    """A layer's statements with one in the place of another."""
    return [new if item.statement is old else item.statement for item in applied]


def with_rules(title: str, document: Document, rules: Sequence[InitRule]) -> Fix:
    """Give the document rules in the place of all initializers of its layers."""
    edits = [Edit(op="add", path="/init", value=_plain(rules))]
    for name, block in document.blocks.items():
        edits += [Edit(op="add", path=pointer(where, "init"), value=[]) for where in _initialized(name, block)]
    return Fix(title=title, edits=edits)


def retargeted(title: str, where: str, target: str, arguments: dict[str, Any] | None = None) -> Fix:
    """Put another layer or operation in the place of one, with other arguments where they are given."""
    edits = [Edit(op="replace", path=pointer(where, "target"), value=target)]
    if arguments is not None:
        edits.append(Edit(op="replace", path=pointer(where, "arguments"), value=arguments))
    return Fix(title=title, edits=edits)


def removed(title: str, document: Document, step: Step) -> list[Fix]:
    """Take a call out of the forward pass, where what it is given can go on in its place; otherwise nothing.

    A block that is there several times keeps it: only one of them stands where it is in the way.
    """
    place = step.place
    if sum(instance.block == place.block for instance in instances(document).values()) > 1:
        return []
    block = document.blocks[place.block or ""]
    index, node = next((index, node) for index, node in enumerate(block.forward.nodes) if node.id == place.node)
    if isinstance(node, FunctionNode) or (isinstance(node, CallNode) and node.target == place.member):
        return _bridged(title, place.block or "", block, index, node)
    return _last_item(title, step)


def _bridged(title: str, name: str, block: Block, index: int, node: CallNode | FunctionNode) -> list[Fix]:
    """Remove a node and connect what it took to whatever took its result; its member, if nothing else names it."""
    source = next(iter(node.arguments.values()), None)
    if not isinstance(source, Ref):
        return []
    base = pointer(pointer_of(name), "forward")
    given = source.model_dump(mode="json", by_alias=True)
    edits: list[Edit] = []
    takers = [(pointer(base, "output"), block.forward.output)]
    for number, other in enumerate(block.forward.nodes):
        where = pointer(base, "nodes", number, "arguments")
        takers += [(pointer(where, key), value) for key, value in getattr(other, "arguments", {}).items()]
    for where, value in takers:
        if not any(ref.ref == node.id for ref in refs(value)):
            continue
        if not isinstance(value, Ref) or value.path:
            return []
        edits.append(Edit(op="replace", path=where, value=given))
    edits.append(Edit(op="remove", path=pointer(base, "nodes", index)))
    if isinstance(node, CallNode):
        edits += _unneeded(name, block, node)
    return [Fix(title=title, edits=edits)]


def _unneeded(name: str, block: Block, node: CallNode) -> list[Edit]:
    """The member of a node that is removed, if it is one of the block's own and no other node names it."""
    others = (other for other in block.forward.nodes if other is not node and not isinstance(other, FunctionNode))
    if any(other.target.partition(".")[0] == node.target for other in others):
        return []
    places = [index for index, member in enumerate(block.members) if member.name == node.target]
    return [Edit(op="remove", path=pointer(pointer_of(name), "members", index)) for index in places[:1]]


def _last_item(title: str, step: Step) -> list[Fix]:
    """Remove the last item of a container: no other item changes its place."""
    located = step.located
    if located is None:
        return []
    around = located.instance.places.get(located.place.path.rpartition(".")[0])
    if around is None or not isinstance(around.member, CONTAINERS) or around.member.kind != "sequential":
        return []
    items = around.member.items
    last = pointer(around.pointer, "items", len(items) - 1)
    if located.place.pointer != last or (len(items) < 2 and positional(around.member)):
        return []
    return [removing(title, last)]


def _initialized(name: str, block: Block) -> list[str]:
    """Pointers of a block's layers that have initializers of their own."""
    found: list[str] = []

    def visit(member: Any, where: str) -> None:
        if isinstance(member, Layer) and member.init:
            found.append(where)
        elif isinstance(member, CONTAINERS):
            for index, item in enumerate(member.items):
                visit(item, pointer(where, "items", index))
        elif getattr(member, "kind", "") == "repeat":
            visit(member.item, pointer(where, "item"))

    for index, member in enumerate(block.members):
        visit(member, pointer(pointer_of(name), "members", index))
    return found


def _plain(models: Sequence[Any]) -> list[Any]:
    return [model.model_dump(mode="json", by_alias=True) for model in models]
