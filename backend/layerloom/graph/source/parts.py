"""What a result unpacks into, where it is sure to be a tuple of just so many parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from layerloom.catalogue import find, spoken
from layerloom.graph.source.variables import CARRIED, counted, speaking
from layerloom.graph.walk import steps
from layerloom.schema.catalogue import Entry
from layerloom.schema.document import BlockUse, CallNode, Document, FunctionNode, Graph, Layer, Node
from layerloom.schema.values import Arguments, Ref, Tuple, Value

Parts: TypeAlias = "list[tuple[str, Parts]]"
"""The parts of a result that is a tuple: a name for each, and its own parts; an empty list where it has none.

A name is empty where the thing itself has none, and its place in the network has to say what it is."""

_MOST = 12
"""Variables in a row that one still reads."""


def parts(document: Document, block: str, node: Node) -> Parts:
    """What a node's result unpacks into, where that is sure."""
    match node:
        case CallNode(target=target):
            return _parts_of_member(document, steps(document, block, target)[-1].member)
        case FunctionNode(target=target, arguments=arguments):
            entry = find(target)
            label = target.rpartition(".")[2]
            count = _rows(document, block, arguments) if label == "unbind" else _count(label, arguments)
            if count is not None:
                return [("", [])] * count
            return _parts_of_entry(entry) if entry else []
    return []


def within(made: Parts, path: Sequence[int | str]) -> bool:
    """Whether a reference names one of the parts, or something inside one."""
    if not path or not isinstance(path[0], int) or not 0 <= path[0] < len(made):
        return False
    _, inner = made[path[0]]
    return not inner or len(path) == 1 or within(inner, path[1:])


def may_give_fewer(node: Node) -> bool:
    """Whether an operation may give fewer parts than it was asked for: five columns in four chunks are three."""
    return isinstance(node, FunctionNode) and node.target.rpartition(".")[2] == "chunk"


def _parts_of_member(document: Document, member: Any) -> Parts:
    match member:
        case Layer(target=target):
            entry = find(target)
            return _parts_of_entry(entry) if entry else []
        case BlockUse(block=name):
            graph = document.blocks[name].forward
            return _parts_of_value(graph, graph.output)
    return []


def _parts_of_value(graph: Graph, value: Value) -> Parts:
    if not isinstance(value, Tuple):
        return []
    return [(_said(graph, item), _parts_of_value(graph, item)) for item in value.items]


def _said(graph: Graph, value: Value) -> str:
    """The id of a node, where it is a word of a person and not taken from what the node calls."""
    node = next((node for node in graph.nodes if isinstance(value, Ref) and node.id == value.ref), None)
    if node is None or counted(node.id) or node.id in CARRIED or not speaking(node.id):
        return ""
    return "" if node.id in node.target.split(".") else node.id


def _parts_of_entry(entry: Entry) -> Parts:
    """The tree of an entry's output ports: LSTM's are ``[0]``, ``[1, 0]``, ``[1, 1]``."""
    root: Parts = []
    for port in entry.outputs:
        level = root
        for depth, position in enumerate(port.path):
            if position == len(level) and isinstance(position, int):
                level.append((spoken(port.name), []))
            elif not isinstance(position, int) or position > len(level) or depth == len(port.path) - 1:
                return []
            level = level[position][1]
    return root


def _count(function: str, arguments: Arguments) -> int | None:
    """How many tensors ``chunk(2)`` or ``split([3, 5])`` gives."""
    if function in ("chunk", "tensor_split"):
        count = arguments.get("chunks", arguments.get("sections"))
    elif function in ("split", "split_with_sizes"):
        sizes = arguments.get("split_size", arguments.get("split_size_or_sections", arguments.get("split_sizes")))
        count = len(sizes) if isinstance(sizes, list) else None
    else:
        return None
    return count if isinstance(count, int) and 1 <= count <= _MOST else None


def _rows(document: Document, block: str, arguments: Arguments) -> int | None:
    """How many tensors ``unbind`` gives of what was just reshaped: ``x.reshape(n, 3, -1).unbind(1)``."""
    nodes = {node.id: node for node in document.blocks[block].forward.nodes}

    def before(given: Value) -> tuple[str, Arguments]:
        node = nodes.get(given.ref) if isinstance(given, Ref) and not given.path else None
        return (node.target.rpartition(".")[2], node.arguments) if isinstance(node, FunctionNode) else ("", {})

    axis = arguments.get("dim", 0)
    label, given = before(arguments.get("input"))
    axes = given.get("dims")
    if label == "permute" and isinstance(axes, list) and isinstance(axis, int) and -len(axes) <= axis < len(axes):
        axis = axes[axis]
        label, given = before(given.get("input"))
    sizes = given.get("size", given.get("shape"))
    if label not in ("view", "reshape") or not isinstance(sizes, list) or not isinstance(axis, int):
        return None
    count = sizes[axis] if -len(sizes) <= axis < len(sizes) else None
    return count if isinstance(count, int) and 1 <= count <= _MOST else None
