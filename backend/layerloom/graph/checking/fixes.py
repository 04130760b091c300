"""Edits that mend a failed call. Each is tried on the layer before it is offered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from layerloom.catalogue import find
from layerloom.graph.checking import autos
from layerloom.graph.checking.calls import Arguments, call_layer, call_operation
from layerloom.graph.checking.failures import Failure
from layerloom.graph.checking.findings import Place, pointer, replacing
from layerloom.graph.checking.network import Located, Network
from layerloom.graph.checking.values import Automatic, LayerConfig, TensorSpec
from layerloom.graph.walk import pointer_of, positional
from layerloom.schema.document import CallNode, FunctionNode, Layer, Repeat, Sequential
from layerloom.schema.problems import Edit, Fix, ProblemCode
from layerloom.schema.values import Ref

Expected = tuple[str, int, int] | None
"""A size argument, its value, and the size that arrives."""


def for_layer(
    network: Network,
    located: Located,
    config: LayerConfig,
    arguments: Arguments,
    failure: Failure,
    at: Place,
    caller: Place,
    expected: Expected,
) -> list[Fix]:
    """Mends of a layer that refused its inputs."""
    member = located.place.member
    assert isinstance(member, Layer)
    found: list[Fix] = []
    if expected is not None:
        name, _, size = expected
        if isinstance(member.arguments.get(name), int):
            found.append(replacing(f"Set {name} to {size}", pointer(located.place.pointer, "arguments", name), size))
    if failure.code is ProblemCode.DTYPE_MISMATCH:
        found.extend(_casts(network, config, arguments, at, caller))
    elif not autos.paths(config):
        found.extend(_flattened(network, located, config, arguments, at, caller))
    return found


def for_operation(node: FunctionNode, arguments: Arguments, place: Place) -> list[Fix]:
    """Mends of an operation that refused its arguments."""
    if node.target != "torch.Tensor.view" or place.pointer is None:
        return []
    names = {"size": "shape"} if "size" in node.arguments else {}
    renamed = tuple((names.get(name, name), value) for name, value in arguments)
    if call_operation("torch.Tensor.reshape", renamed).failure is not None:
        return []
    values = node.model_dump(mode="json")["arguments"]
    edits = [
        Edit(op="replace", path=pointer(place.pointer, "target"), value="torch.Tensor.reshape"),
        Edit(
            op="replace",
            path=pointer(place.pointer, "arguments"),
            value={names.get(name, name): value for name, value in values.items()},
        ),
    ]
    return [Fix(title="Use reshape, which copies where view cannot", edits=edits)]


def smaller_groups(config: LayerConfig, where: str, built: Any) -> Iterator[Fix]:
    """Fewer groups or heads, the most that divide every size: for a layer that could not be built."""
    for name, value in config.arguments:
        if not isinstance(value, int) or value < 2 or not ("groups" in name or "head" in name):
            continue
        for count in range(value - 1, 0, -1):
            if value - count > 4096:
                break
            if built(config.changed(name, count)).failure is None:
                yield replacing(f"Set {name} to {count}", pointer(where, "arguments", name), count)
                break


# --- an image where a flat vector is needed


def _flattened(
    network: Network, located: Located, config: LayerConfig, arguments: Arguments, at: Place, caller: Place
) -> Iterator[Fix]:
    name, given = arguments[0] if arguments else ("", None)
    if not isinstance(given, TensorSpec) or len(given.shape) < 3:
        return
    size = 1
    for axis in given.shape[1:]:
        size *= axis
    flat = ((name, TensorSpec((given.shape[0], size), given.dtype)), *arguments[1:])
    edits = _size_edits(located, config, flat)
    if edits is None:
        return
    inserted = _flatten_item(network, located) or _insert_before(
        network, caller, at, "torch.flatten", {"start_dim": 1}, "flatten"
    )
    if inserted:
        title = f"Flatten the input to {size} features" + (
            f" and set {edits[0].path.rpartition('/')[2]}" if edits else ""
        )
        yield Fix(title=title, edits=[*edits, *inserted])


def _size_edits(located: Located, config: LayerConfig, arguments: Arguments) -> list[Edit] | None:
    """What must change in a layer so that it takes these tensors: nothing, or one size; None where no size helps."""
    if call_layer(config, arguments).failure is None:
        return []
    member = located.place.member
    entry = find(config.target)
    assert isinstance(member, Layer)
    for parameter in entry.parameters if entry else []:
        if not parameter.auto or not isinstance(member.arguments.get(parameter.name), int):
            continue
        found = autos.resolve(config.changed(parameter.name, Automatic.SIZE), arguments)
        if found.config is not None and call_layer(found.config, arguments).failure is None:
            where = pointer(located.place.pointer, "arguments", parameter.name)
            return [Edit(op="replace", path=where, value=found.sizes[0][1])]
    return None


def _flatten_item(network: Network, located: Located) -> list[Edit]:
    """``nn.Flatten`` in front of a layer inside a Sequential, the items after it renumbered."""
    parent = located.place.path.rpartition(".")[0]
    around = located.instance.places.get(parent)
    if around is None or not isinstance(around.member, Sequential):
        return []
    items = around.member.items
    if any(isinstance(item, Repeat) for item in items) or _entered(network, located.instance.block, parent):
        return []
    index = int(located.place.pointer.rpartition("/")[2])
    numbered = positional(around.member)
    taken = {item.name for item in items if not isinstance(item, Repeat)}
    name = str(index) if numbered else _free("flatten", taken)
    where = pointer(around.pointer, "items")
    flatten = {"kind": "layer", "name": name, "target": "torch.nn.Flatten", "arguments": {}}
    edits = [Edit(op="add", path=f"{where}/{index}", value=flatten)]
    if numbered:
        later = range(index + 1, len(items) + 1)
        edits += [Edit(op="replace", path=f"{where}/{place}/name", value=str(place)) for place in later]
    return edits


def _entered(network: Network, block: str, path: str) -> bool:
    """Whether some node names an item of this container, whose number would change."""
    nodes = network.document.blocks[block].forward.nodes
    return any(not isinstance(node, FunctionNode) and node.target.startswith(f"{path}.") for node in nodes)


# --- numbers of the wrong kind


def _casts(network: Network, config: LayerConfig, arguments: Arguments, at: Place, caller: Place) -> Iterator[Fix]:
    name, given = arguments[0] if arguments else ("", None)
    if not isinstance(given, TensorSpec):
        return
    for kind, method in ((torch.int64, "torch.Tensor.long"), (torch.float32, "torch.Tensor.float")):
        changed = ((name, replace(given, dtype=kind)), *arguments[1:])
        if kind is given.dtype or call_layer(config, changed).failure is not None:
            continue
        text = str(kind).removeprefix("torch.")
        source = _source(network, caller)
        example = network.document.inputs.get(source) if caller.instance == "" else None
        if example is not None:
            yield replacing(f"Make the input {source} {text}", pointer("/inputs", source, "dtype"), text)
        inserted = _insert_before(network, caller, at, method, {}, text)
        if inserted and find(method) is not None:
            yield Fix(title=f"Convert to {text} first", edits=inserted)


def _source(network: Network, caller: Place) -> str:
    node, _ = _caller(network, caller)
    if node is None:
        return ""
    value = next(iter(node.arguments.values()), None)
    return value.ref if isinstance(value, Ref) and not value.path else ""


# --- a node in front of a call


def _caller(network: Network, caller: Place) -> tuple[CallNode | None, int]:
    nodes = network.document.blocks[caller.block or ""].forward.nodes
    index = int((caller.pointer or "/0").rpartition("/")[2])
    node = nodes[index]
    return (node, index) if isinstance(node, CallNode) else (None, index)


def _insert_before(
    network: Network,
    caller: Place,
    at: Place,
    target: str,
    arguments: dict[str, Any],
    name: str,
) -> list[Edit]:
    """An operation on what a node gives to a layer, if the node gives it to that layer directly."""
    node, index = _caller(network, caller)
    if node is None or caller.block is None or not _direct(network, caller, node, at):
        return []
    port, value = next(iter(node.arguments.items()), ("", None))
    if not isinstance(value, Ref):
        return []
    graph = network.document.blocks[caller.block].forward
    taken = {item.id for item in graph.nodes} | {item.name for item in graph.inputs}
    inserted = _free(name, taken)
    source = value.model_dump(mode="json", by_alias=True)
    nodes = pointer(pointer_of(caller.block), "forward", "nodes")
    new = {"op": "function", "id": inserted, "target": target, "arguments": {"input": source, **arguments}}
    return [
        Edit(op="add", path=f"{nodes}/{index}", value=new),
        Edit(op="replace", path=pointer(f"{nodes}/{index + 1}", "arguments", port), value={"$ref": inserted}),
    ]


def _direct(network: Network, caller: Place, node: CallNode, at: Place) -> bool:
    """Whether the layer at ``at`` is the first thing that the node's call runs."""
    path = node.target
    instance = network.instances.get(caller.instance or "")
    while instance is not None and path != at.member:
        located = network.locate(instance, path)
        items = network.items(located) if located and isinstance(located.place.member, Sequential) else []
        if not items:
            return False
        path = f"{path}.{items[0].place.path.rpartition('.')[2]}"
    return True


def _free(name: str, taken: set[str]) -> str:
    candidate, count = name, 2
    while candidate in taken:
        candidate, count = f"{name}_{count}", count + 1
    return candidate
