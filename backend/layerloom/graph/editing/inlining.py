"""The forward of an instance in the place of its calls: what ``dissolve`` does to graphs."""

from __future__ import annotations

from layerloom.graph.editing.graphs import part, redirected, view_of, with_views
from layerloom.graph.editing.moves import Move, retargeted
from layerloom.graph.editing.names import unique
from layerloom.graph.editing.substitution import Substitution
from layerloom.graph.errors import refuse
from layerloom.graph.walk import block_of, uses
from layerloom.schema.document import Block, BlockUse, BlockView, CallNode, Document, Graph, Position
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Ref, Value


def with_arguments(document: Document, use: BlockUse, around: str) -> Block:
    """The class, with the values of this instance in the place of its arguments."""
    made = block_of(document, use.block, block=around, member=use.name)
    given: dict[str, Value] = {}
    for argument in made.arguments:
        if argument.name not in use.arguments and argument.required:
            message = f"{use.block} needs a value for its argument {argument.name}"
            raise refuse(ProblemCode.MISSING_ARGUMENT, message, block=around, member=use.name)
        given[argument.name] = use.arguments.get(argument.name, argument.default)
    return Substitution(given).block(made)


def inner_ids(graph: Graph, made: Block, calls: list[CallNode]) -> dict[str, dict[str, str]]:
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


def inlined(graph: Graph, call: str, made: Block, move: Move, ids: dict[str, str]) -> Graph:
    """A graph with the nodes of the class where one call stood; ``move`` says where the members of the class are."""
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
        retargeted(it, move).model_copy(update={"id": ids[it.id], "when": both(node.when, it.when)})
        for it in inside.nodes
    ]
    around = [*graph.nodes[:at], *graph.nodes[at + 1 :]]
    others = redirected(graph.model_copy(update={"nodes": around}), leave)
    return others.model_copy(update={"nodes": [*others.nodes[:at], *inner, *others.nodes[at:]]})


def both(outer: str | None, inner: str | None) -> str | None:
    """The condition under which both hold."""
    if outer is None or inner is None or outer == inner:
        return outer or inner
    return f"({outer}) and ({inner})"


def drawn(document: Document, outer: str, inner: str, ids: dict[str, dict[str, str]]) -> Document:
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


def without_unused(document: Document, name: str) -> Document:
    """A class that nothing is an instance of any more goes."""
    used = {use.block for its in document.blocks.values() for use in uses(its)}
    if name == document.main or name in used:
        return document
    blocks = {other: its for other, its in document.blocks.items() if other != name}
    return with_views(document.model_copy(update={"blocks": blocks}), {})
