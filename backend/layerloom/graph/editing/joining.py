"""One class of several places: those of one structure, that differ in numbers, become its instances.

>>> offer = alike(document, "Net", ["conv1", "bn1"])
>>> [place.arguments for place in offer.places]      # [{"out_channels": 64}, {"out_channels": 128}]
>>> made = make_block(document, "Net", ["conv1", "bn1"], "ConvBlock", offer.places)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from layerloom.graph.editing.folding import Aligned, aligned, folded
from layerloom.graph.editing.graphs import node_refs, with_views
from layerloom.graph.editing.making import Piece, made, piece_of, without
from layerloom.graph.editing.moves import Edited, rearranged
from layerloom.graph.editing.names import unique
from layerloom.graph.errors import GraphError, refuse
from layerloom.graph.walk import block_of, steps
from layerloom.schema.document import (
    BlockArgument,
    BlockUse,
    CallNode,
    Document,
    Layer,
    Node,
)
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Arguments

STEPS_LIMIT = 200_000
"""Nodes that are looked at in the search for places."""


@dataclass(frozen=True)
class Alike:
    """Nodes that do what the selected ones do."""

    block: str
    nodes: tuple[str, ...]
    """The counterparts of the selected nodes, in the order in which these stand in their block."""
    arguments: Arguments = field(default_factory=dict)
    """What an instance that takes their place is given."""


@dataclass(frozen=True)
class Offer:
    """What a class of a selection would be, and where else it would fit."""

    arguments: tuple[BlockArgument, ...]
    """For the numbers that differ between the places."""
    own: Arguments
    """What the selection itself gives them."""
    places: tuple[Alike, ...]


def alike(document: Document, block: str, nodes: Collection[str]) -> Offer:
    """The other places of a document that could become instances of a class of these nodes, with its arguments.

    Such a place has the same layers and operations, connected in the same way, and may differ in names and numbers. No
    two places share a node. Raises GraphError as ``make_block`` does.
    """
    piece = piece_of(document, block, nodes)
    pattern = [node.id for node in piece.cut.chosen]
    around = _apart(document, block, piece)
    found: list[tuple[str, tuple[str, ...]]] = []
    classes = [piece.inner]
    for name in document.blocks:
        for match in _Search(document, block, pattern, name).matches():
            try:
                other = piece_of(around, name, match)
            except GraphError:
                continue  # what it uses is used elsewhere, too, or data would leave it and come back
            laid = aligned(other.inner, match, piece.inner)
            if laid is not None:
                around = _apart(around, name, other)
                found.append((name, match))
                classes.append(laid.block)
    whole, given = folded(classes)
    handed = {it.name for it in piece.inner.arguments}
    arguments = tuple(it for it in whole.arguments if it.name not in handed)
    places = tuple(Alike(*place, its) for place, its in zip(found, given[1:], strict=True))
    return Offer(arguments, given[0], places)


def _apart(document: Document, block: str, piece: Piece) -> Document:
    """The document without a piece, as far as the block itself tells: enough to see what else may leave it."""
    its = block_of(document, block)
    member = unique("part", {it.name for it in its.members})
    left = without(its, piece, "", member)
    return document.model_copy(update={"blocks": {**document.blocks, block: left}})


def make_block(document: Document, block: str, nodes: Collection[str], name: str, also: Iterable[Alike] = ()) -> Edited:
    """Nodes of a block, by their ids, become the forward of a new class, and a call of an instance takes their place.

    The members that they use move along. What they take from other nodes becomes the inputs of the class, what others
    take from them its output, and the block's arguments that their expressions read are handed on. The class is called
    ``name``, with a number where that is taken; the instance bears the same name in small letters.

    ``also`` are other places, as ``alike`` finds them, that become instances of the class, too; the numbers that differ
    between the places become its arguments. Members have the names that they have in the first place.

    state_dict keys change by design: ``conv.weight`` is ``conv_block.conv.weight`` afterwards.

    Raises GraphError where there is no such node, where a name is none, where what the nodes use is used by other nodes
    or tied to other members, where data would leave the new block and come back into it, and where a place
    is not alike.
    """
    first = made(document, block, nodes, name)
    edited, title = first.edited, first.title
    classes = [edited.document.blocks[title]]
    instances = [(block, first.member)]
    for place in also:
        other = made(edited.document, place.block, place.nodes, name)
        inner = other.edited.document.blocks[other.title]
        fits = len(place.nodes) == len(classes[0].forward.nodes)
        laid = aligned(inner, place.nodes, classes[0]) if fits else None
        if laid is None:
            message = f"{', '.join(place.nodes)[:100]} of {place.block} do not do what the selected nodes do"
            remedy = "Take places that differ from these in names and numbers only"
            raise refuse(ProblemCode.ARGUMENT_INVALID, f"{message}. {remedy}", block=place.block, node=place.nodes[0])
        edited = edited.then(other.edited).then(_laid(other.edited.document, other.title, laid))
        called = _called(edited.document, place.block, other.member, laid)
        # One class more for each place would be walked through for each later one.
        shared = _given(called, place.block, other.member, title, {})
        left = {key: its for key, its in shared.blocks.items() if key != other.title}
        edited = Edited(shared.model_copy(update={"blocks": left}), edited.moved)
        classes.append(laid.block)
        instances.append((place.block, other.member))
    if len(classes) == 1:
        return edited
    whole, given = folded(classes)
    changed = edited.document
    for (around, member), arguments in zip(instances, given, strict=True):
        changed = _given(changed, around, member, title, arguments)
    blocks = {**changed.blocks, title: whole}
    return Edited(with_views(changed.model_copy(update={"blocks": blocks}), {}), edited.moved)


def _laid(document: Document, title: str, laid: Aligned) -> Edited:
    """The members of a class under the names of those of another."""
    moving = [own for own, name in laid.members.items() if own != name]
    return rearranged(document, title, laid.block, laid.move, moving)


def _called(document: Document, block: str, member: str, laid: Aligned) -> Document:
    """The calls of an instance, which give it values by the names of its inputs."""
    its = document.blocks[block]

    def follow(node: Node) -> Node:
        if not isinstance(node, CallNode) or node.target != member:
            return node
        return node.model_copy(update={"arguments": {laid.inputs[key]: it for key, it in node.arguments.items()}})

    forward = its.forward.model_copy(update={"nodes": [follow(node) for node in its.forward.nodes]})
    return document.model_copy(
        update={"blocks": {**document.blocks, block: its.model_copy(update={"forward": forward})}}
    )


def _given(document: Document, block: str, member: str, title: str, arguments: Arguments) -> Document:
    """An instance as one of the class that all share, with its own numbers."""
    its = document.blocks[block]
    members = [
        it.model_copy(update={"block": title, "arguments": {**it.arguments, **arguments}})
        if isinstance(it, BlockUse) and it.name == member
        else it
        for it in its.members
    ]
    return document.model_copy(
        update={"blocks": {**document.blocks, block: its.model_copy(update={"members": members})}}
    )


# --- the search

Sign: TypeAlias = tuple[Any, ...]


class _Search:
    """Nodes of a block that stand to one another as those of a pattern do, each node in one match at most."""

    def __init__(self, document: Document, around: str, pattern: list[str], block: str) -> None:
        own = {node.id: node for node in block_of(document, around).forward.nodes}
        self._pattern = [own[node] for node in pattern]
        self._signs = [_sign(document, around, node) for node in self._pattern]
        self._nodes = {node.id: node for node in document.blocks[block].forward.nodes}
        self._used = set(pattern) if around == block else set()
        self._steps = 0
        self._by_sign: dict[Sign, list[str]] = {}
        self._readers: dict[str, list[str]] = {}
        self._own: dict[str, Sign] = {}
        for node in self._nodes.values():
            sign = self._own[node.id] = _sign(document, block, node)
            self._by_sign.setdefault(sign, []).append(node.id)
            for ref in {ref.ref for ref in node_refs(node)}:
                self._readers.setdefault(ref, []).append(node.id)

    def matches(self) -> Iterator[tuple[str, ...]]:
        """In the order of the block; one that is not taken after all leaves its nodes to no other."""
        for start in self._by_sign.get(self._signs[0], []):
            match = self._complete(start) if self._fits([], start) else None
            if match is not None:
                self._used |= set(match)
                yield tuple(match)

    def _complete(self, start: str) -> list[str] | None:
        """The first match that begins with a node."""
        match, left = [start], [iter(self._candidates([start]))]
        while left:
            if len(match) == len(self._pattern):
                return match
            self._steps += 1
            node = next(left[-1], None) if self._steps <= STEPS_LIMIT else None
            if node is None:
                left.pop()
                match.pop()
            elif self._fits(match, node):
                match.append(node)
                left.append(iter(self._candidates(match)))
        return None

    def _candidates(self, match: list[str]) -> list[str]:
        """Readers of what is matched, where the next node of the pattern reads that; else all of its kind."""
        if len(match) == len(self._pattern):
            return []
        place = {node.id: at for at, node in enumerate(self._pattern[: len(match)])}
        for ref in node_refs(self._pattern[len(match)]):
            if ref.ref in place:
                return self._readers.get(match[place[ref.ref]], [])
        return self._by_sign.get(self._signs[len(match)], [])

    def _fits(self, match: list[str], node: str) -> bool:
        """Whether a node can be the next one: of the same kind, free, and connected to the others in the same way."""
        if node in self._used or node in match or self._own[node] != self._signs[len(match)]:
            return False
        place = {it.id: match[at] for at, it in enumerate(self._pattern[: len(match)])}
        pairs = list(zip(node_refs(self._pattern[len(match)]), node_refs(self._nodes[node]), strict=True))
        return all(
            own.path == theirs.path and own.ref == place[theirs.ref] if theirs.ref in place else own.ref not in match
            for theirs, own in pairs
        )


def _sign(document: Document, block: str, node: Node) -> Sign:
    """What nodes have to have in common."""
    count = sum(1 for _ in node_refs(node))
    what = node.target if node.op == "function" else _kind(document, block, node.target)
    return (node.op, count, node.when, what)


def _kind(document: Document, block: str, path: str) -> Any:
    """What a member is, its name and numbers left out."""
    try:
        found = steps(document, block, path)
    except GraphError:
        return path
    member: Any = found[-1].member
    rest = [step.name for step in found[1:]]
    match member:
        case Layer():
            return ("layer", member.target, *rest)
        case BlockUse():
            return ("block", member.block, *rest)
        case None:
            return ("tensor", *rest)
    return (member.kind, *rest)
