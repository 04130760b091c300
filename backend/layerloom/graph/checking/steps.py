"""The nodes of forward graphs, read once for all stages of a check: there are thousands, and most are plain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from layerloom.graph.checking.findings import pointer
from layerloom.graph.errors import GraphError
from layerloom.graph.walk import conditional, order, pointer_of, references
from layerloom.schema.document import CallNode, Document, FunctionNode, Graph, Node
from layerloom.schema.values import Ref


class Step(NamedTuple):
    """A node, and what is plain about it."""

    node: Node
    key: str
    """What the report adds to its instance's name."""
    where: str
    """JSON pointer."""
    target: str = ""
    """Of a plain call: the operation, or the path of what is called."""
    layer: bool = False
    """Whether it calls a member."""
    ports: tuple[str, ...] | None = None
    """What a plain call is given; None for a node that is given anything but connections, or under a condition."""
    refs: tuple[str, ...] = ()
    """The ids that are connected to the ports."""


Steps = dict[str, list[Step]]
"""By block, as the document has them."""


def steps_of(document: Document) -> Steps:
    """The nodes of every block."""
    found: Steps = {}
    for name, block in document.blocks.items():
        base = pointer(pointer_of(name), "forward", "nodes")
        found[name] = [_step(node, f"{base}/{index}") for index, node in enumerate(block.forward.nodes)]
    return found


def _step(node: Node, where: str) -> Step:
    kind = type(node)
    if not (kind is CallNode or kind is FunctionNode) or node.when is not None:
        return Step(node, f"#{node.id}", where)
    given = node.arguments  # type: ignore[union-attr]
    refs = []
    for value in given.values():
        if type(value) is not Ref or value.path:
            return Step(node, f"#{node.id}", where)
        refs.append(value.ref)
    return Step(node, f"#{node.id}", where, node.target, kind is CallNode, tuple(given), tuple(refs))


def does_other_things(document: Document, nodes: Steps, name: str) -> bool:
    """Whether a forward does other things where ``name`` holds than where it does not: ``training``, mostly."""
    blocks = {}
    for key, block in document.blocks.items():
        rest = [step.node for step in nodes[key] if step.ports is None]  # a plain one has no condition
        blocks[key] = block.model_copy(update={"forward": block.forward.model_copy(update={"nodes": rest})})
    return conditional(document.model_copy(update={"blocks": blocks}), name)


def ordered(steps: list[Step]) -> list[Step]:
    """Each behind those that it needs, as documents mostly have them already; none where they wait for each other."""
    if _in_order(steps):
        return steps
    try:
        nodes = order(Graph.model_construct(nodes=[step.node for step in steps]))
    except GraphError:
        return []
    by_node = {id(step.node): step for step in steps}
    return [by_node[id(node)] for node in nodes]


def needed(step: Step) -> Sequence[str]:
    """The ids that a node is connected to."""
    return step.refs if step.ports is not None else references(step.node)


def _in_order(steps: list[Step]) -> bool:
    waiting = {step.node.id for step in steps}
    if len(waiting) != len(steps):
        return False
    for step in steps:
        if not waiting.isdisjoint(needed(step)):
            return False
        waiting.discard(step.node.id)
    return True
