"""What arrives has the wrong form: an image where a vector is needed, axes in another order, whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

import torch

from layerloom.catalogue import find
from layerloom.graph.checking.calls import call_layer, call_operation
from layerloom.graph.checking.findings import pointer, replacing
from layerloom.graph.checking.fixes.calls import (
    Inserted,
    LayerCall,
    OperationCall,
    before_layer,
    calling_node,
    free,
)
from layerloom.graph.checking.fixes.setting import size_edits
from layerloom.graph.checking.network import Network
from layerloom.graph.checking.values import Frozen, Group, TensorSpec
from layerloom.graph.walk import positional
from layerloom.schema.document import FunctionNode, Repeat, Sequential
from layerloom.schema.problems import Edit, Fix
from layerloom.schema.values import Ref

# --- an image where a flat vector is needed


def flattened(call: LayerCall) -> Iterator[Fix]:
    """Flatten everything but the batch."""
    if call.given is None or len(call.given[1].shape) < 3:
        return
    given = call.given[1]
    size = prod(given.shape[1:])
    edits = size_edits(call, call.with_given(TensorSpec((given.shape[0], size), given.dtype)))
    if edits is None:
        return
    inserted = _flatten_item(call) or before_layer(
        call, Inserted("flatten", "torch.flatten", "input", {"start_dim": 1})
    )
    if inserted:
        title = f"Flatten the input to {size} features"
        if edits:
            title = f"Flatten the input to {size} features and set {edits[0].path.rpartition('/')[2]}"
        yield Fix(title=title, edits=[*edits, *inserted])


def _flatten_item(call: LayerCall) -> list[Edit]:
    """``nn.Flatten`` in front of a layer inside a Sequential, the items after it renumbered."""
    located = call.located
    parent = located.place.path.rpartition(".")[0]
    around = located.instance.places.get(parent)
    if around is None or not isinstance(around.member, Sequential):
        return []
    items = around.member.items
    if any(isinstance(item, Repeat) for item in items) or _entered(call.network, located.instance.block, parent):
        return []
    index = int(located.place.pointer.rpartition("/")[2])
    numbered = positional(around.member)
    taken = {item.name for item in items if not isinstance(item, Repeat)}
    name = str(index) if numbered else free("flatten", taken)
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


# --- axes in another order


def rearranged(call: LayerCall) -> Iterator[Fix]:
    """Move the channels or features to the axis where the layer has them, or give an image its channel axis."""
    entry = find(call.config.target)
    names = [parameter.name for parameter in entry.parameters if parameter.auto] if entry else []
    if call.given is None or len(call.given[1].shape) < 3 or not names:
        return
    rank = len(call.given[1].shape)
    first, last = [0, rank - 1, *range(1, rank - 1)], [0, *range(2, rank), 1]
    ways: list[tuple[str, str, dict[str, Any], str]]
    if "channels" in names[0] or names[0] == "num_features":
        ways = [
            (
                f"Move the channels to the front: permute({', '.join(map(str, first))})",
                "torch.permute",
                {"dims": first},
                "channels_first",
            ),
            ("Add a channel axis", "torch.unsqueeze", {"dim": 1}, "unsqueeze"),
        ]
    else:
        ways = [
            (
                f"Move the features to the end: permute({', '.join(map(str, last))})",
                "torch.permute",
                {"dims": last},
                "features_last",
            )
        ]
    for title, target, arguments, name in ways:
        moved = call_operation(target, (("input", call.given[1]), *_frozen(arguments))).result
        if not isinstance(moved, TensorSpec) or call_layer(call.config, call.with_given(moved)).failure is not None:
            continue
        inserted = before_layer(call, Inserted(name, target, "input", arguments))
        if inserted:
            yield Fix(title=title, edits=inserted)


def _frozen(arguments: dict[str, Any]) -> Iterator[tuple[str, Frozen]]:
    for name, value in arguments.items():
        yield name, Group("list", tuple(value)) if isinstance(value, list) else value


def reshaped(call: OperationCall) -> Iterator[Fix]:
    """``reshape`` instead of ``view``."""
    node = call.node
    if node.target != "torch.Tensor.view" or call.place.pointer is None:
        return
    names = {"size": "shape"} if "size" in node.arguments else {}
    renamed = tuple((names.get(name, name), value) for name, value in call.arguments)
    if call_operation("torch.Tensor.reshape", renamed).failure is not None:
        return
    values = node.model_dump(mode="json")["arguments"]
    edits = [
        Edit(op="replace", path=pointer(call.place.pointer, "target"), value="torch.Tensor.reshape"),
        Edit(
            op="replace",
            path=pointer(call.place.pointer, "arguments"),
            value={names.get(name, name): value for name, value in values.items()},
        ),
    ]
    yield Fix(title="Use reshape, which copies where view cannot", edits=edits)


# --- numbers of the wrong kind


def casts(call: LayerCall) -> Iterator[Fix]:
    """Whole numbers for what takes those, floats for everything else."""
    if call.given is None:
        return
    given = call.given[1]
    for kind, method in ((torch.int64, "torch.Tensor.long"), (torch.float32, "torch.Tensor.float")):
        changed = call.with_given(replace(given, dtype=kind))
        if kind is given.dtype or call_layer(call.config, changed).failure is not None:
            continue
        text = str(kind).removeprefix("torch.")
        source = _source(call)
        example = call.network.document.inputs.get(source) if call.caller.instance == "" else None
        if example is not None:
            yield replacing(f"Make the input {source} {text}", pointer("/inputs", source, "dtype"), text)
        inserted = before_layer(call, Inserted(text, method, "input", {}))
        if inserted and find(method) is not None:
            yield Fix(title=f"Convert to {text} first", edits=inserted)


def _source(call: LayerCall) -> str:
    node = calling_node(call)
    if node is None:
        return ""
    value = next(iter(node.arguments.values()), None)
    return value.ref if isinstance(value, Ref) and not value.path else ""
