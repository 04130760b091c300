"""Dissolving one instance of a block: its members and nodes take the place of the instance and its calls."""

from __future__ import annotations

from typing import Any

from layerloom.graph.editing.graphs import part, redirected, view_of, with_views
from layerloom.graph.editing.moves import Edited, followed, head, rearranged, retargeted, through
from layerloom.graph.editing.names import unique
from layerloom.graph.editing.substitution import Substitution, condition
from layerloom.graph.errors import refuse
from layerloom.graph.names import attributes
from layerloom.graph.walk import block_of, steps, uses
from layerloom.schema.document import (
    Alias,
    Block,
    BlockUse,
    BlockView,
    CallNode,
    Document,
    Graph,
    Member,
    Position,
)
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Ref, Value


def dissolve(document: Document, block: str, member: str) -> Edited:
    """Put what an instance of a class holds into the block that holds the instance, wherever it is called there.

    The arguments that the instance is given take the place of their names in expressions. Members and nodes keep their
    names where these are free and get a number where they are not. The class goes with its last instance.

    state_dict keys change by design, ``part.conv.weight`` is ``conv.weight`` afterwards; ``Edited.moved`` has them all.

    Raises GraphError where ``member`` is no instance of a block or is one inside a container, has a second name, or is
    called by another block through this one.
    """
    its = block_of(document, block)
    use = _instance(document, its, block, member)
    made = _with_arguments(document, use, block)
    names = _names(its, made, member)
    _check_reach(document, block, use)
    calls = [node for node in its.forward.nodes if node.op == "call" and node.target == member]
    ids = _ids(its.forward, made, calls)
    graph = its.forward
    for call in calls:
        graph = _inlined(graph, call.id, made, names, ids[call.id])

    def move(path: str) -> str:
        return _within(path.removeprefix(f"{member}."), names) if path.startswith(f"{member}.") else path

    own = {inner for each in ids.values() for inner in each.values()}
    nodes = [node if node.id in own else retargeted(node, move) for node in graph.nodes]
    members = []
    for it in its.members:
        members += [_placed(inner, use, names) for inner in made.members] if it is use else [followed(it, move)]
    outer = its.model_copy(update={"members": members, "forward": graph.model_copy(update={"nodes": nodes})})
    moving = [f"{member}.{name}" for name in names]
    edited = rearranged(document, block, outer, move, moving)
    drawn = _drawn(edited.document, block, use.block, ids)
    return Edited(_without_unused(drawn, use.block), edited.moved)


def _instance(document: Document, block: Block, name: str, member: str) -> BlockUse:
    found = next((it for it in block.members if it.name == member), None)
    if isinstance(found, BlockUse):
        return found
    steps(document, name, member)  # refuses what leads nowhere
    message = f"{member[:64]} is no instance of a block that can be dissolved: one that is a member of its own"
    raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=name, member=member)


def _with_arguments(document: Document, use: BlockUse, around: str) -> Block:
    """The class, with the values of this instance in the place of its arguments."""
    made = block_of(document, use.block, block=around, member=use.name)
    given: dict[str, Value] = {}
    for argument in made.arguments:
        if argument.name not in use.arguments and argument.required:
            message = f"{use.block} needs a value for its argument {argument.name}"
            raise refuse(ProblemCode.MISSING_ARGUMENT, message, block=around, member=use.name)
        given[argument.name] = use.arguments.get(argument.name, argument.default)
    return Substitution(given).block(made)


def _check_reach(document: Document, block: str, use: BlockUse) -> None:
    """Refuse where something other than a call in its own block needs the instance as a whole."""

    def whole(around: str, path: str) -> bool:
        parts = (None, path) if around == block else through(document, around, path, block)
        return parts is not None and parts[1] == use.name

    for around, its in document.blocks.items():
        for alias in (it for it in its.members if isinstance(it, Alias)):
            if whole(around, alias.of):
                message = f"{alias.name} is a second name of it. Take that away first"
                raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=around, member=alias.name)
            if around == block and alias.name.startswith(f"{use.name}.") and alias.name.count(".") == 1:
                message = f"{alias.name} is replaced from outside. Take that away first"
                raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=around, member=alias.name)
        for node in its.forward.nodes:
            if around != block and node.op != "function" and whole(around, node.target):
                message = f"block {around} calls it, too"
                raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=around, node=node.id)


def _names(block: Block, made: Block, member: str) -> dict[str, str]:
    """What the members of the class are called in the block: their own names where these are free."""
    taken = {it.name for it in block.members} - {member} | attributes()
    names: dict[str, str] = {}
    for name in (it.name for it in made.members if "." not in it.name):
        names[name] = unique(name, taken)
        taken.add(names[name])
    return names


def _within(path: str, names: dict[str, str]) -> str:
    first = head(path)
    return names.get(first, first) + path[len(first) :]


def _placed(member: Member, use: BlockUse, names: dict[str, str]) -> Member:
    """A member of the class as one of the block: under its new name, and where the instance was there."""
    changed: dict[str, Any] = {"name": _within(member.name, names)}
    if condition(use) is not None and not isinstance(member, Alias):
        changed["when"] = _both(condition(use), condition(member))
    if isinstance(member, Alias):
        changed["of"] = _within(member.of, names)
    return member.model_copy(update=changed)


# --- graphs


def _ids(graph: Graph, made: Block, calls: list[CallNode]) -> dict[str, dict[str, str]]:
    """For each call the ids of its inner nodes: their own where these are free."""
    taken = {node.id for node in graph.nodes} | {item.name for item in graph.inputs}
    found: dict[str, dict[str, str]] = {}
    for call in calls:
        found[call.id] = {}
        for node in made.forward.nodes:
            own = node.id if node.id not in taken else unique("n1", taken)
            taken.add(own)
            found[call.id][node.id] = own
    return found


def _inlined(graph: Graph, call: str, made: Block, names: dict[str, str], ids: dict[str, str]) -> Graph:
    """A graph with the nodes of the class where one call stood."""
    at = next(index for index, node in enumerate(graph.nodes) if node.id == call)
    node = graph.nodes[at]
    assert isinstance(node, CallNode)

    def enter(ref: Ref) -> Value:
        if ref.ref in ids:
            return Ref(ref=ids[ref.ref], path=ref.path)
        return part(node.arguments.get(ref.ref), ref.path)

    inside = redirected(made.forward, enter)

    def leave(ref: Ref) -> Value:
        return part(inside.output, ref.path) if ref.ref == call else ref

    inner = [
        retargeted(it, lambda path: _within(path, names)).model_copy(
            update={"id": ids[it.id], "when": _both(node.when, it.when)}
        )
        for it in inside.nodes
    ]
    around = [*graph.nodes[:at], *graph.nodes[at + 1 :]]
    others = redirected(graph.model_copy(update={"nodes": around}), leave)
    return others.model_copy(update={"nodes": [*others.nodes[:at], *inner, *others.nodes[at:]]})


def _both(outer: str | None, inner: str | None) -> str | None:
    """The condition under which both hold."""
    if outer is None or inner is None or outer == inner:
        return outer or inner
    return f"({outer}) and ({inner})"


def _drawn(document: Document, outer: str, inner: str, ids: dict[str, dict[str, str]]) -> Document:
    """The inner nodes where the calls stood, as they stand to one another."""
    view, within = view_of(document, outer), view_of(document, inner)
    positions = {node: at for node, at in view.positions.items() if node not in ids}
    folded = [node for node in view.collapsed if node not in ids]
    for call, own in ids.items():
        at = view.positions.get(call)
        known = {own[node]: spot for node, spot in within.positions.items() if node in own}
        if at is not None and len(known) == len(own) and known:
            left, top = min(spot.x for spot in known.values()), min(spot.y for spot in known.values())
            positions |= {node: Position(x=at.x + spot.x - left, y=at.y + spot.y - top) for node, spot in known.items()}
        folded += [own[node] for node in within.collapsed if node in own]
    if outer not in document.ui.blocks:
        return document
    return with_views(document, {outer: BlockView(positions=positions, collapsed=folded)})


def _without_unused(document: Document, name: str) -> Document:
    """A class that nothing is an instance of any more goes."""
    used = {use.block for its in document.blocks.values() for use in uses(its)}
    if name == document.main or name in used:
        return document
    blocks = {other: its for other, its in document.blocks.items() if other != name}
    return with_views(document.model_copy(update={"blocks": blocks}), {})
