"""Calls that failed, as mends see them, and what a mend puts in front of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from layerloom.graph.checking.failures import Failure
from layerloom.graph.checking.findings import Place, pointer
from layerloom.graph.checking.network import Located, Network
from layerloom.graph.checking.records import NodeRecord
from layerloom.graph.checking.running import Arguments
from layerloom.graph.checking.values import LayerConfig, TensorSpec
from layerloom.graph.names import attributes
from layerloom.graph.walk import pointer_of
from layerloom.schema.document import Block, CallNode, FunctionNode, Layer, Sequential
from layerloom.schema.problems import Edit
from layerloom.schema.values import Ref, Tuple, Value


@dataclass(frozen=True, slots=True)
class LayerCall:
    """A layer that refused its inputs."""

    network: Network
    located: Located
    config: LayerConfig
    arguments: Arguments
    failure: Failure
    at: Place
    """Of the layer."""
    caller: Place
    """Of the node that calls it."""

    @property
    def member(self) -> Layer:
        """As the document has it."""
        member = self.located.place.member
        assert isinstance(member, Layer)
        return member

    @property
    def given(self) -> tuple[str, TensorSpec] | None:
        """The first input and its name, where that is a tensor."""
        name, value = self.arguments[0] if self.arguments else ("", None)
        return (name, value) if isinstance(value, TensorSpec) else None

    def with_given(self, spec: TensorSpec) -> Arguments:
        """The arguments with another first one."""
        return ((self.arguments[0][0], spec), *self.arguments[1:])

    def argument(self, name: str) -> str:
        """JSON pointer of one of the layer's arguments."""
        return pointer(self.located.place.pointer, "arguments", name)


@dataclass(frozen=True, slots=True)
class OperationCall:
    """An operation that refused its arguments."""

    network: Network
    records: Mapping[str, NodeRecord]
    """What the nodes so far got and gave, by instance and node."""
    node: FunctionNode
    arguments: Arguments
    place: Place

    @property
    def block(self) -> Block:
        """The one that the node stands in."""
        return self.network.document.blocks[self.place.block or ""]


class Inserted(NamedTuple):
    """A node that a mend adds: an operation, or a call of a layer that it adds as well."""

    name: str
    target: str
    port: str
    """That takes what comes from before."""
    arguments: dict[str, Any]
    layer: bool = False
    source: Ref | None = None
    """What it takes instead of what comes from before."""


def in_front(network: Network, place: Place, where: str, source: Ref, *inserted: Inserted) -> list[Edit]:
    """Edits that put nodes, each behind the one before, between ``source`` and the argument at ``where`` of the node
    at ``place``. The arguments of an inserted node may name an earlier one of them by its name: ``{"$ref": …}``.
    """
    assert place.block is not None
    assert place.pointer is not None
    block = network.document.blocks[place.block]
    base, _, index = place.pointer.rpartition("/")
    taken = {node.id for node in block.forward.nodes} | {item.name for item in block.forward.inputs}
    attributes_taken = {member.name for member in block.members} | set(attributes())
    edits: list[Edit] = []
    nodes: list[Edit] = []
    given = source.model_dump(mode="json", by_alias=True)
    ids: dict[str, str] = {}
    at = int(index)
    for item in inserted:
        name = free(item.name, taken)
        taken.add(name)
        ids[item.name] = name
        arguments = {key: _renamed(value, ids) for key, value in item.arguments.items()}
        takes = given if item.source is None else item.source.model_dump(mode="json", by_alias=True)
        if item.layer:
            member = free(item.name, attributes_taken)
            new = {"kind": "layer", "name": member, "target": item.target, "arguments": arguments}
            edits.append(
                Edit(op="add", path=pointer(pointer_of(place.block), "members", len(block.members)), value=new)
            )
            node = {"op": "call", "id": name, "target": member, "arguments": {item.port: takes}}
        else:
            node = {"op": "function", "id": name, "target": item.target, "arguments": {item.port: takes, **arguments}}
        nodes.append(Edit(op="add", path=f"{base}/{at}", value=node))
        given = {"$ref": name}
        at += 1
    moved = f"{base}/{at}{where[len(place.pointer) :]}"
    return [*edits, *nodes, Edit(op="replace", path=moved, value=given)]


def _renamed(value: Any, ids: Mapping[str, str]) -> Any:
    """A reference to an inserted node by the id that it got."""
    return {"$ref": ids[value["$ref"]]} if isinstance(value, dict) and value.get("$ref") in ids else value


def before_layer(call: LayerCall, *inserted: Inserted) -> list[Edit]:
    """Edits that put operations between a layer and the node that gives to it directly; none where none does."""
    node = calling_node(call)
    if node is None or call.caller.pointer is None or not _direct(call, node):
        return []
    port, value = next(iter(node.arguments.items()), ("", None))
    if not isinstance(value, Ref):
        return []
    where = pointer(call.caller.pointer, "arguments", port)
    return in_front(call.network, call.caller, where, value, *inserted)


def calling_node(call: LayerCall) -> CallNode | None:
    """The node that calls a layer, or calls what it is in."""
    nodes = call.network.document.blocks[call.caller.block or ""].forward.nodes
    node = nodes[int((call.caller.pointer or "/0").rpartition("/")[2])]
    return node if isinstance(node, CallNode) else None


def _direct(call: LayerCall, node: CallNode) -> bool:
    """Whether the layer is the first thing that the node's call runs."""
    path, network = node.target, call.network
    instance = network.instances.get(call.caller.instance or "")
    while instance is not None and path != call.at.member:
        located = network.locate(instance, path)
        items = network.items(located) if located and isinstance(located.place.member, Sequential) else []
        if not items:
            return False
        path = f"{path}.{items[0].place.path.rpartition('.')[2]}"
    return True


def operands(node: FunctionNode, port: str) -> Iterator[tuple[str, Ref]]:
    """The connections of an argument: its JSON pointer below the node, and what is connected there."""
    value: Value = node.arguments.get(port)
    where = pointer("", "arguments", port)
    if isinstance(value, Ref):
        yield where, value
    parts = value if isinstance(value, list) else value.items if isinstance(value, Tuple) else []
    inner = f"{where}/$tuple" if isinstance(value, Tuple) else where
    for index, part in enumerate(parts):
        if isinstance(part, Ref):
            yield f"{inner}/{index}", part


def free(name: str, taken: Collection[str]) -> str:
    """The name, with a number where it is taken."""
    candidate, count = name, 2
    while candidate in taken:
        candidate, count = f"{name}_{count}", count + 1
    return candidate
