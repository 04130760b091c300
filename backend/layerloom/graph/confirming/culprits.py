"""What changes a result in place that a gradient still needs: a reader of that result, in the same block."""

from __future__ import annotations

from layerloom.graph.confirming.places import NodePlace
from layerloom.graph.walk import pointer_of, references
from layerloom.schema.document import CallNode, Document, FunctionNode, Layer, Node
from layerloom.schema.problems import Edit, Fix


def culprits(document: Document, place: NodePlace) -> list[Node]:
    """The readers of a node's result that work in place."""
    nodes = document.blocks[place.block].forward.nodes
    return [node for node in nodes if place.node.id in references(node) and _in_place(document, place.block, node)]


def mend(document: Document, place: NodePlace, node: Node) -> Fix | None:
    """Turn off ``inplace`` of the layer that a node calls."""
    found = _layer(document, place.block, node)
    if found is None:
        return None
    index, member = found
    where = f"{pointer_of(place.block)}/members/{index}/arguments/inplace"
    return Fix(title=f"Turn off inplace of {member.name}", edits=[Edit(op="replace", path=where, value=False)])


def _in_place(document: Document, block: str, node: Node) -> bool:
    if isinstance(node, FunctionNode):
        module, _, name = node.target.rpartition(".")
        if module == "operator":
            return name in ("iadd", "isub", "imul", "itruediv", "ipow", "setitem")
        return (name.endswith("_") and not name.endswith("__")) or node.arguments.get("inplace") is True
    return _layer(document, block, node) is not None


def _layer(document: Document, block: str, node: Node) -> tuple[int, Layer] | None:
    """A layer of the block that works in place, with its place among the members."""
    if not isinstance(node, CallNode):
        return None
    for index, member in enumerate(document.blocks[block].members):
        if member.name == node.target and isinstance(member, Layer) and member.arguments.get("inplace") is True:
            return index, member
    return None
