"""Making a class of selected nodes. See ``joining`` for several places at once, ``dissolving`` for the way back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from layerloom.graph.editing.graphs import node_refs, redirected, redirected_node, view_of, with_views
from layerloom.graph.editing.moves import Edited, Move, head, rearranged, retargeted
from layerloom.graph.editing.names import snake, unique
from layerloom.graph.editing.substitution import condition, names_in
from layerloom.graph.errors import refuse
from layerloom.graph.names import CLASSES, attributes, is_identifier
from layerloom.graph.walk import block_of, references
from layerloom.schema.document import (
    Alias,
    Block,
    BlockUse,
    BlockView,
    CallNode,
    Document,
    Graph,
    GraphInput,
    Member,
    Node,
)
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Arguments, Expr, Ref, Tuple, Value, refs


@dataclass(frozen=True)
class Made:
    """A class that was made of nodes."""

    edited: Edited
    title: str
    """What the class is called."""
    member: str
    """What its instance is called, in the block of the nodes."""


def made(document: Document, block: str, nodes: Collection[str], name: str) -> Made:
    """See ``make_block``, which this is for one place."""
    its = block_of(document, block)
    _check_name(name)
    piece = piece_of(document, block, nodes)
    title = unique(name, {*document.blocks, *CLASSES})
    member = unique(snake(title), {it.name for it in its.members} | attributes())
    outer = without(its, piece, title, member)
    edited = rearranged(document, block, outer, _inwards(piece, member), piece.moving)
    with_class = edited.document.model_copy(update={"blocks": {**edited.document.blocks, title: piece.inner}})
    return Made(Edited(_drawn(with_class, block, title, piece.cut), edited.moved), title, member)


@dataclass(frozen=True)
class Piece:
    """Nodes of a block and what they use, as a class; see ``without`` for what is left."""

    inner: Block
    cut: _Cut
    heads: set[str]
    """The block's own members that go with them."""
    lifted: bool
    """Whether their condition becomes that of the instance."""

    @property
    def moving(self) -> list[str]:
        return [it.name for it in self.inner.members if "." not in it.name]


def piece_of(document: Document, block: str, nodes: Collection[str]) -> Piece:
    """Raises GraphError as ``make_block`` does."""
    its = block_of(document, block)
    chosen = _chosen(its, block, nodes)
    heads = _heads(its, chosen)
    _check_apart(its, block, chosen, heads)
    cut = _cut(its, chosen, block)
    lifted = _lifted(its, block, heads, cut)
    return Piece(_inner(its, heads, cut, lifted), cut, heads, lifted)


def without(block: Block, piece: Piece, title: str, member: str) -> Block:
    """The block with an instance of a class, and a call of it, in the place of a piece."""
    use = BlockUse(name=member, block=title, arguments={it.name: Expr(expr=it.name) for it in piece.inner.arguments})
    if piece.lifted:
        use = use.model_copy(update={"when": piece.cut.when})
    forward = _outer(block.forward, piece.cut, member)
    move = _inwards(piece, member)
    nodes = [node if node.id == piece.cut.call else retargeted(node, move) for node in forward.nodes]
    forward = forward.model_copy(update={"nodes": nodes})
    return block.model_copy(update={"members": _members(block, piece.heads, use), "forward": forward})


def _inwards(piece: Piece, member: str) -> Move:
    return lambda path: f"{member}.{path}" if head(path) in piece.heads else path


def _chosen(block: Block, name: str, ids: Collection[str]) -> list[Node]:
    known = {node.id for node in block.forward.nodes}
    for missing in sorted(set(ids) - known):
        raise refuse(ProblemCode.UNKNOWN_REFERENCE, f"block {name} has no node {missing[:64]!r}", block=name)
    if not ids:
        raise refuse(ProblemCode.MISSING_ARGUMENT, "select the nodes that are to become a block", block=name)
    return [node for node in block.forward.nodes if node.id in ids]


def _check_name(name: str) -> None:
    if not is_identifier(name):
        message = f"{name[:64]!r} cannot name a class: use letters, digits and _, and begin with a letter"
        raise refuse(ProblemCode.NAME_INVALID, message)


def _heads(block: Block, nodes: Iterable[Node]) -> set[str]:
    """The block's own members that nodes use, and those that stand behind an alias of them."""
    aliases = {it.name: it.of for it in block.members if isinstance(it, Alias)}
    found: set[str] = set()
    pending = [node.target for node in nodes if node.op != "function"]
    while pending:
        name = head(pending.pop())
        if name not in found:
            found.add(name)
            pending += [aliases[name]] if name in aliases else []
    return found


def _check_apart(block: Block, name: str, chosen: list[Node], heads: set[str]) -> None:
    """Refuse members that would have to lie in two classes, and data that leaves and comes back."""
    inside = {node.id for node in chosen}
    others = [node for node in block.forward.nodes if node.id not in inside]
    shared = sorted(heads & _heads(block, others))
    if shared:
        message = f"{shared[0]} is used by other nodes, too. Select these as well"
        raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=name, member=shared[0])
    for tie in (it for it in block.members if isinstance(it, Alias)):
        if (head(tie.of) in heads) != (head(tie.name) in heads):
            message = f"{tie.name} and {tie.of} are one, and only one of them would be in the new block"
            raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=name, member=tie.name)
    readers: dict[str, list[str]] = {}
    for node in others:
        for ref in references(node):
            readers.setdefault(ref, []).append(node.id)
    behind: set[str] = set()
    pending = list(inside)
    while pending:
        found = [it for it in readers.get(pending.pop(), ()) if it not in behind]
        behind.update(found)
        pending += found
    returning = next((ref for node in chosen for ref in references(node) if ref in behind), None)
    if returning:
        message = "data would leave the new block and come back into it. Select what lies between, too"
        raise refuse(ProblemCode.CYCLE, message, block=name, node=returning)


# --- graphs


@dataclass
class _Cut:
    """Where a graph is cut in two."""

    chosen: list[Node]
    call: str
    """Id of the node that takes their place."""
    inputs: dict[str, tuple[GraphInput, Ref]]
    """The inputs of the class by what comes in."""
    results: list[Ref]
    """What other nodes take, in the order in which it is made."""
    taken: bool
    """Whether anything takes it."""
    when: str | None
    """The condition that all chosen nodes share."""


def _key(ref: Ref) -> str:
    return json.dumps([ref.ref, ref.path])


def _cut(block: Block, chosen: list[Node], name: str) -> _Cut:
    graph = block.forward
    inside = {node.id for node in chosen}
    conditions = {node.when for node in chosen}
    when = conditions.pop() if len(conditions) == 1 else None
    inputs: dict[str, tuple[GraphInput, Ref]] = {}
    taken_names = set(inside)
    given = {item.name: item for item in graph.inputs}
    for ref in (ref for node in chosen for ref in node_refs(node)):
        if ref.ref in inside or _key(ref) in inputs:
            continue
        source = given.get(ref.ref) if not ref.path else None
        own = unique(source.name if source else "x", taken_names)
        taken_names.add(own)
        inputs[_key(ref)] = (GraphInput(name=own, optional=bool(source and source.optional)), ref)
    results = _results(graph, inside)
    taken = bool(results)
    if not results:
        used = {ref for node in graph.nodes for ref in references(node)}
        results = [Ref(ref=node.id) for node in chosen if node.id not in used]
    conditional = {node.id for node in graph.nodes if node.when is not None and node.when != when}
    for ref in [*(ref for _, ref in inputs.values()), *results]:
        if ref.ref in conditional:
            message = "its result exists under a condition only. Select all nodes of that condition, or none"
            raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=name, node=ref.ref)
    ids = {node.id for node in graph.nodes} | set(given)
    return _Cut(chosen, unique("n1", ids), inputs, results, taken, when)


def _results(graph: Graph, inside: set[str]) -> list[Ref]:
    """What the nodes outside and the output take of those inside."""
    found = {
        _key(ref): ref
        for refs_of in (*(node_refs(node) for node in graph.nodes if node.id not in inside), refs(graph.output))
        for ref in refs_of
        if ref.ref in inside
    }
    place = {node.id: index for index, node in enumerate(graph.nodes)}
    return sorted(found.values(), key=lambda ref: place[ref.ref])


def _lifted(block: Block, name: str, heads: set[str], cut: _Cut) -> bool:
    """Whether the members are there under the very condition under which the nodes run: then the instance is."""
    there = {condition(it) for it in block.members if head(it.name) in heads and not isinstance(it, Alias)}
    if there <= {None} or cut.when is None:
        return False
    if there == {cut.when}:
        return True
    message = (
        "some of what these nodes use is there under a condition only. Select all nodes of that condition, or none"
    )
    raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=name, node=cut.chosen[0].id)


def _inner(block: Block, heads: set[str], cut: _Cut, lifted: bool) -> Block:
    """The new class."""
    members = [it for it in block.members if head(it.name) in heads]
    if lifted:
        members = [it if isinstance(it, Alias) else it.model_copy(update={"when": None}) for it in members]
    known = {node.id for node in cut.chosen}

    def enter(ref: Ref) -> Value:
        return ref if ref.ref in known else Ref(ref=cut.inputs[_key(ref)][0].name)

    nodes = [redirected_node(node, enter) for node in cut.chosen]
    if cut.when is not None:
        nodes = [node.model_copy(update={"when": None}) for node in nodes]
    several = len(cut.results) > 1
    output: Value = Tuple(items=list(cut.results)) if several else next(iter(cut.results), None)
    inputs = [item for item, _ in cut.inputs.values()]
    read = names_in(members, nodes)
    return Block(
        arguments=[it for it in block.arguments if it.name in read],
        members=members,
        forward=Graph(inputs=inputs, nodes=nodes, output=output),
    )


def _outer(graph: Graph, cut: _Cut, member: str) -> Graph:
    """The graph as others see it: one call where the last of the chosen nodes stood."""
    inside = {node.id for node in cut.chosen}
    order = [_key(ref) for ref in cut.results]

    def leave(ref: Ref) -> Value:
        if ref.ref not in inside:
            return ref
        return Ref(ref=cut.call, path=[order.index(_key(ref))] if len(order) > 1 else [])

    given: Arguments = {item.name: ref for item, ref in cut.inputs.values()}
    call = CallNode(id=cut.call, target=member, arguments=given, when=cut.when)
    last = max(index for index, node in enumerate(graph.nodes) if node.id in inside)
    nodes: list[Node] = []
    for index, node in enumerate(graph.nodes):
        if index == last:
            nodes.append(call)
        elif node.id not in inside:
            nodes.append(node)
    redirect = redirected(graph.model_copy(update={"nodes": nodes}), leave)
    return redirect


def _members(block: Block, heads: set[str], use: BlockUse) -> list[Member]:
    """The members that stay, and the instance where the last of the others stood."""
    own = [index for index, it in enumerate(block.members) if head(it.name) in heads]
    members: list[Member] = []
    for index, member in enumerate(block.members):
        if own and index == own[-1]:
            members.append(use)
        elif index not in own:
            members.append(member)
    return members if own else [*members, use]


def _drawn(document: Document, outer: str, inner: str, cut: _Cut) -> Document:
    """Nodes keep their places inside the new block, and the call stands where the first of them stood."""
    view = view_of(document, outer)
    inside = {node.id for node in cut.chosen}
    moved = {node: at for node, at in view.positions.items() if node in inside}
    left = {node: at for node, at in view.positions.items() if node not in inside}
    if moved:
        left[cut.call] = min(moved.values(), key=lambda at: at.y)
    folded = [node for node in view.collapsed if node in inside]
    open_ones = [node for node in view.collapsed if node not in inside]
    views = {
        outer: BlockView(positions=left, collapsed=open_ones),
        # What was not drawn wholly is laid out when it is first opened.
        inner: BlockView(positions=moved if len(moved) == len(inside) else {}, collapsed=folded),
    }
    return with_views(document, views) if view.positions or view.collapsed else document
