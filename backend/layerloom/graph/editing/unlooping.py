"""Loops, choices and Sequentials written out as the calls that they make."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from layerloom.catalogue import find
from layerloom.graph.editing.graphs import part, redirected
from layerloom.graph.editing.names import unique
from layerloom.graph.errors import refuse
from layerloom.graph.places import instances
from layerloom.graph.source.calls import inputs
from layerloom.graph.walk import block_of, item_named, steps
from layerloom.schema import values
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.document import BlockUse, CallNode, ChooseNode, Document, Graph, Layer, LoopNode, Repeat
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Arguments, Ref, Value


def first_input(document: Document, member: Any) -> str:
    """What the first input of a member's forward is called."""
    return next((it.name for it in _inputs(document, member)), "input")


def _inputs(document: Document, member: Any) -> Sequence[ParameterSpec]:
    """The parameters of a member's forward; none of what is unknown."""
    unknown = isinstance(member, Layer) and find(member.target) is None
    unknown |= isinstance(member, BlockUse) and member.block not in document.blocks
    return [] if unknown else inputs(document, member)


def unlooped(document: Document, block: str, containers: Collection[str]) -> Graph:
    """The forward of a block in which none of these containers is called, looped over or chosen from as a whole.

    Raises GraphError where the number of items differs between instances of the block, and where a choice depends on
    a value.
    """
    graph = block_of(document, block).forward
    while True:
        node = next((it for it in graph.nodes if it.op not in ("function", "get") and it.target in containers), None)
        if node is None:
            return graph
        graph = _written_out(document, block, graph, node)


def _written_out(document: Document, block: str, graph: Graph, node: Any) -> Graph:
    at = graph.nodes.index(node)
    taken = {it.id for it in graph.nodes} | {it.name for it in graph.inputs}
    items = _items(document, block, node)
    calls: list[CallNode] = []

    def call(name: str, arguments: Arguments) -> Value:
        own = node.id if node.id not in {it.id for it in calls} else unique("n1", taken)
        taken.add(own)
        calls.append(CallNode(id=own, target=f"{node.target}.{name}", arguments=arguments, when=node.when))
        return Ref(ref=own)

    result: Value
    if isinstance(node, ChooseNode):
        result = _chosen(document, block, node, items, call)
    else:
        rest = (
            {name: it for name, it in node.arguments.items() if name != "input"} if isinstance(node, LoopNode) else {}
        )
        result = (
            node.arguments.get("input") if isinstance(node, LoopNode) else next(iter(node.arguments.values()), None)
        )
        for name, item in items.items():
            result = call(name, {first_input(document, item): result, **rest})

    def leave(ref: Ref) -> Value:
        return part(result, ref.path) if ref.ref == node.id else ref

    around = redirected(graph.model_copy(update={"nodes": [*graph.nodes[:at], *graph.nodes[at + 1 :]]}), leave)
    return around.model_copy(update={"nodes": [*around.nodes[:at], *calls, *around.nodes[at:]]})


def _chosen(document: Document, block: str, node: ChooseNode, items: dict[str, Any], call: Any) -> Value:
    """One item by its key, or all."""
    named = [it.name for it in _inputs(document, next(iter(items.values()))) if it.required]

    def given(item: Any) -> Arguments:
        own = dict(zip(named, (it.name for it in _inputs(document, item)), strict=False))
        return {own.get(name, name): value for name, value in node.arguments.items()}

    if node.key is None:
        return values.Mapping(items={name: call(name, given(item)) for name, item in items.items()})
    if not isinstance(node.key, str) or node.key not in items:
        _refuse(
            block, node, f"which item of {node.target} is called depends on a value. Give the choice a key of its own"
        )
    return call(node.key, given(items[node.key]))  # type: ignore[no-any-return]


def _items(document: Document, block: str, node: Any) -> dict[str, Any]:
    """The items of a container by name, the same in every instance of the block."""
    container: Any = steps(document, block, node.target)[-1].member
    named = {
        tuple(path.rpartition(".")[2] for path in it.places if path.rpartition(".")[0] == node.target)
        for it in instances(document).values()
        if it.block == block
    }
    if not named and not any(isinstance(it, Repeat) for it in container.items):
        named = {tuple(it.name for it in container.items)}
    if len(named) != 1:
        message = f"{node.target} has another number of items in each instance of {block}, and is called as a whole"
        _refuse(block, node, f"{message}. Give the repeat a number that depends on no argument")
    return {name: item_named(container, name) for name in named.pop()}


def _refuse(block: str, node: Any, message: str) -> NoReturn:
    raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=block, node=node.id)
