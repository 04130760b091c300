"""Layers of sequences that take the batch for the time: nothing fails, and samples are mixed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from layerloom.catalogue import layers
from layerloom.graph.checking.findings import Findings, Place, adding, pointer
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.network import Located
from layerloom.graph.checking.records import Given
from layerloom.graph.checking.values import LayerConfig, Number, TensorSpec, tensors
from layerloom.schema.document import FunctionNode, Layer
from layerloom.schema.problems import Fix, ProblemCode
from layerloom.schema.values import Arguments, LayerValue

ORDER = "batch_first"
"""The argument that says which axis is the batch; torch's layers read the first as time where it is not set."""


def check_time_axes(findings: Findings, first: Inference, second: Inference) -> None:
    """Warn of layers that are given the batch on the axis that they read as time: it is the one that has grown."""
    if not any(map(_ordered, {config.target for config in first.layers.configs.values()})):
        return
    for located in first.network.places():
        config = first.layers.configs.get(located.name)
        record, grown = first.modules.get(located.name), second.modules.get(located.name)
        if config is None or record is None or grown is None:
            continue
        if batch_as_time(config, record.inputs, grown.inputs):
            _tell(findings, first, located, record.inputs)


def batch_as_time(config: LayerConfig, given: Given, grown: Given) -> bool:
    """Whether a layer that reads the first of three axes as time is given one that grows with the batch."""
    if not _ordered(config.target) or not _reads_time_first(config):
        return False
    spec, more = (
        next((spec for value in inputs.values() for spec in tensors(value)), None) for inputs in (given, grown)
    )
    return (
        isinstance(spec, TensorSpec)
        and isinstance(more, TensorSpec)
        and len(spec.shape) == len(more.shape) == 3
        and spec.shape[0] != more.shape[0]
        and spec.shape[1:] == more.shape[1:]
    )


def _reads_time_first(config: LayerConfig) -> bool:
    if ORDER in _arguments(config.target):
        return dict(config.arguments).get(ORDER) in (None, Number("bool", False))
    return any(_reads_time_first(value) for _, value in config.arguments if isinstance(value, LayerConfig))


def _tell(findings: Findings, inference: Inference, located: Located, given: Given) -> None:
    member, instance = located.place.member, located.instance
    assert isinstance(member, Layer)
    label = member.target.rpartition(".")[2]
    path = located.place.path
    nodes = inference.network.document.blocks[instance.block].forward.nodes
    calls = (node for node in nodes if not isinstance(node, FunctionNode))
    node = next((node.id for node in calls if f"{path}.".startswith(f"{node.target}.")), None)
    shape = list(next(spec for value in given.values() for spec in tensors(value)).shape)
    message = (
        f"{label} reads the first axis of {shape} as time, and it is the batch: samples are mixed with each other. "
        f"Set {ORDER} to True, or swap the axes in front of it."
    )
    place = Place(instance.block, node, path, instance.name, None, located.place.pointer)
    fixes = _fixes(member.target, member.arguments, located.place.pointer)
    data = {"layer": member.target, "shape": shape}
    findings.add(ProblemCode.BATCH_AS_TIME, message, place, severity="warning", data=data, fixes=fixes)


def _fixes(target: str, arguments: Arguments, where: str) -> Iterator[Fix]:
    """Set the order, in the layer that another one is made of where it is one; never over an expression."""
    if ORDER not in _arguments(target):
        for name, value in arguments.items():
            if isinstance(value, LayerValue):
                inner = pointer(where, "arguments", name, "$layer")
                yield from _fixes(value.layer.target, value.layer.arguments, inner)
    elif isinstance(arguments.get(ORDER, False), bool):
        yield adding(f"Set {ORDER} to True", pointer(where, "arguments", ORDER), True)


@cache
def _ordered(target: str) -> bool:
    """Whether a layer's sequences have an order, or it is made of another layer."""
    entry = layers().get(target)
    return entry is not None and any(item.name == ORDER or "layer" in item.kinds for item in entry.parameters)


@cache
def _arguments(target: str) -> frozenset[str]:
    entry = layers().get(target)
    return frozenset(parameter.name for parameter in entry.parameters) if entry else frozenset()
