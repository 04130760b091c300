"""References and places of a graph, changed as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from layerloom.graph.walk import argument_values
from layerloom.schema import values
from layerloom.schema.document import BlockView, Document, Graph, Node
from layerloom.schema.values import If, Ref, Tuple, Value, refs, replace

Redirect = Callable[[Ref], Value]


def redirected(graph: Graph, change: Redirect) -> Graph:
    """A graph with every reference changed."""
    nodes = [redirected_node(node, change) for node in graph.nodes]
    return graph.model_copy(update={"nodes": nodes, "output": _redirected(graph.output, change)})


def redirected_node(node: Node, change: Redirect) -> Node:
    if node.op == "get":
        return node
    changed: dict[str, Any] = {"arguments": {name: _redirected(it, change) for name, it in node.arguments.items()}}
    if changed["arguments"] == node.arguments and node.op != "choose":
        return node
    if node.op == "choose":
        changed["key"] = _redirected(node.key, change)
    return node.model_copy(update=changed)


def _redirected(value: Value, change: Redirect) -> Value:
    return replace(value, lambda part: change(part) if isinstance(part, Ref) else part)


def node_refs(node: Node) -> Iterator[Ref]:
    """Every reference of a node, in reading order."""
    for _, value in argument_values(node):
        yield from refs(value)


def part(value: Value, path: list[int | str]) -> Value:
    """The part of a value that a path leads to; None where there is none."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    match value:
        case Ref(ref=name, path=before):
            return Ref(ref=name, path=[*before, *path])
        case If(test=test, then=then, otherwise=otherwise):
            return If(test=test, then=part(then, path), otherwise=part(otherwise, path))
        case Tuple(items=items) | list(items) if isinstance(step, int) and -len(items) <= step < len(items):
            return part(items[step], rest)
        case values.Mapping(items=mapping) if isinstance(step, str) and step in mapping:
            return part(mapping[step], rest)
    return None


def view_of(document: Document, block: str) -> BlockView:
    """How a block is laid out."""
    return document.ui.blocks.get(block, BlockView())


def with_views(document: Document, views: dict[str, BlockView]) -> Document:
    """The document with blocks laid out so; what is no block of it any more is left out."""
    blocks = {name: view for name, view in {**document.ui.blocks, **views}.items() if name in document.blocks}
    return document.model_copy(update={"ui": document.ui.model_copy(update={"blocks": blocks})})
