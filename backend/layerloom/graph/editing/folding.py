"""Pieces of blocks that differ in names and numbers: laid over one another, and made one class with arguments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from layerloom.graph.editing.graphs import node_refs, redirected, redirected_node
from layerloom.graph.editing.moves import head, retargeted
from layerloom.graph.editing.substitution import names_in
from layerloom.graph.factoring import factored, parts, say, skeleton
from layerloom.graph.factoring.scalars import scalars
from layerloom.graph.names import LOCALS, attributes
from layerloom.graph.walk import members
from layerloom.schema.document import Alias, Block, Member, Node, Repeat
from layerloom.schema.values import Arguments, Ref

Json = dict[str, Any]


@dataclass(frozen=True)
class Aligned:
    """A class with the names of another one, which it differs from in numbers only."""

    block: Block
    members: Mapping[str, str]
    """The names that its members have now, by those that they had."""
    inputs: Mapping[str, str]

    def move(self, path: str) -> str:
        """A path inside the class as it was, as one of it as it is now."""
        first = head(path)
        return self.members.get(first, first) + path[len(first) :]


def aligned(block: Block, nodes: Sequence[str], like: Block) -> Aligned | None:
    """A class laid over another: its nodes, in the order given, are those of the other.

    None where they differ in more than names and numbers.
    """
    known = {node.id: node for node in block.forward.nodes}
    own = [known[node] for node in nodes]
    theirs = like.forward.nodes
    ids = {node.id: their.id for node, their in zip(own, theirs, strict=True)}
    inputs = _paired(_taken(block, own), _taken(like, theirs))
    names = _paired(_used(block, own), _used(like, theirs))
    if inputs is None or names is None:
        return None
    found = Aligned(block, names, inputs)

    def follow(ref: Ref) -> Ref:
        return Ref(ref={**inputs, **ids}[ref.ref], path=ref.path)

    made = [
        retargeted(redirected_node(node, follow), found.move).model_copy(
            update={"id": ids[node.id], "name": their.name}
        )
        for node, their in zip(own, theirs, strict=True)
    ]
    ordered = {name: index for index, name in enumerate(it.name for it in like.members)}
    held = [_renamed(it, found) for it in block.members]
    if {it.name for it in held} != ordered.keys():
        return None
    given = {inputs[it.name]: it.model_copy(update={"name": inputs[it.name]}) for it in block.forward.inputs}
    output = redirected(block.forward.model_copy(update={"nodes": []}), follow).output
    forward = block.forward.model_copy(
        update={"inputs": [given[it.name] for it in like.forward.inputs], "nodes": made, "output": output}
    )
    laid = block.model_copy(update={"members": sorted(held, key=lambda it: ordered[it.name]), "forward": forward})
    return Aligned(laid, names, inputs) if _alike(laid, like) else None


def _renamed(member: Member, found: Aligned) -> Member:
    tie = {"of": found.move(member.of)} if isinstance(member, Alias) else {}
    return member.model_copy(update={"name": found.move(member.name), **tie})


def _paired(own: list[str], theirs: list[str]) -> dict[str, str] | None:
    return dict(zip(own, theirs, strict=True)) if len(own) == len(theirs) else None


def _taken(block: Block, nodes: list[Node]) -> list[str]:
    """The inputs of a class in the order in which its nodes take them."""
    names = {it.name for it in block.forward.inputs}
    return list(dict.fromkeys(ref.ref for node in nodes for ref in node_refs(node) if ref.ref in names))


def _used(block: Block, nodes: list[Node]) -> list[str]:
    """The members of a class in the order in which its nodes use them, and then the others."""
    first = [head(node.target) for node in nodes if node.op != "function"]
    return list(dict.fromkeys([*first, *(it.name for it in block.members if "." not in it.name)]))


def _alike(one: Block, other: Block) -> bool:
    if {(it.name, it.type) for it in one.arguments} != {(it.name, it.type) for it in other.arguments}:
        return False
    both = [_json(one), _json(other)]
    say(both)
    if skeleton(both[0]) != skeleton(both[1]):
        return False
    # These are no values of the document's own kind, in which an expression could stand.
    rows = zip(scalars(both[0]), scalars(both[1]), strict=True)
    return all(a == b for (place, a), (_, b) in rows if {"parametrizations", "fill"} & set(place))


def _json(block: Block) -> Json:
    """What two classes may differ in."""
    return block.model_dump(mode="json", by_alias=True, include={"members", "forward"})


def folded(blocks: Sequence[Block]) -> tuple[Block, list[Arguments]]:
    """One class for several that are aligned, with arguments for what differs, and what each has to be given."""
    first = blocks[0]
    written = [_json(block) for block in blocks]
    before = deepcopy(written[0])
    say(written)
    made, given = factored(written, _reserved(first))
    for (_, own), (_, part) in zip(parts(before), parts(made), strict=True):
        kept = {key: it for key, it in part["arguments"].items() if key in own["arguments"] or isinstance(it, dict)}
        part["arguments"] = kept
    handed = first.model_dump(mode="json", by_alias=True, exclude={"members", "forward"})
    block = Block.model_validate({**handed, **made, "arguments": [*handed["arguments"], *made["arguments"]]})
    return block, given


def _reserved(block: Block) -> Collection[str]:
    """Names that no new argument may have."""
    variables = {name for it in members(block) if isinstance(it, Repeat) for name in it.variables}
    own = {it.name for it in (*block.members, *block.arguments, *block.forward.inputs)}
    return variables | own | names_in(block.members, block.forward.nodes) | LOCALS | attributes()
