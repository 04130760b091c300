"""Two passes of inference as one report: shapes at the example batch, and the axes that grow with it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from math import prod
from typing import Any

from layerloom.graph.checking.diagnosis import text
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.network import Located, Network
from layerloom.graph.checking.records import ModuleRecord, NodeRecord, Stopped
from layerloom.graph.checking.running import Arguments
from layerloom.graph.checking.values import Frozen, Group, TensorSpec
from layerloom.schema.document import CONTAINERS, Alias, BlockUse, Buffer, Layer, Opaque, Parameter
from layerloom.schema.report import ModuleReport, NodeReport, Other, TensorType, Totals

Result = Any
"""``schema.report.Result``; every object below is built from our own values, so nothing is validated again."""


@lru_cache(maxsize=16384)
def described(value: Frozen, grown: Frozen) -> Result:
    """A value at the example batch as the report shows it, compared with the same at a batch one larger."""
    match value:
        case TensorSpec():
            axes = []
            if isinstance(grown, TensorSpec) and len(grown.shape) == len(value.shape):
                axes = [axis for axis, size in enumerate(value.shape) if grown.shape[axis] != size]
            kind = str(value.dtype).removeprefix("torch.")
            return TensorType.model_construct(shape=list(value.shape), dtype=kind, batch_axes=axes)
        case Group(kind="dict"):
            others = _items(grown, len(value.items))
            return {
                key: described(item, other) for key, item, other in zip(value.keys, value.items, others, strict=True)
            }
        case Group(kind="tuple" | "list") if len(value.items) <= 256:
            others = _items(grown, len(value.items))
            return [described(item, other) for item, other in zip(value.items, others, strict=True)]
    return Other.model_construct(text=text(value)[:200])


def _items(value: Frozen, count: int) -> tuple[Frozen, ...]:
    if isinstance(value, Group) and len(value.items) == count:
        return value.items
    return (None,) * count


def nodes(first: Inference, second: Inference) -> dict[str, NodeReport]:
    """The report of every node that inference came to."""
    known: dict[tuple[NodeRecord, NodeRecord | None], NodeReport] = {}
    found, others = {}, second.nodes
    for key, record in first.nodes.items():
        pair = (record, others.get(key))
        told = known.get(pair)
        if told is None:
            told = known[pair] = node(*pair)
        found[key] = told
    return found


def node(record: NodeRecord, other: NodeRecord | None) -> NodeReport:
    """The report of one node."""
    inputs = tuple(record.inputs.items())
    grown = other.inputs if other else {}
    larger = tuple(grown.get(name) for name, _ in inputs)
    output, grown_output = (record.output, other.output if other else None) if record.reached else (_NOTHING, None)
    return _node_report(inputs, larger, output, grown_output, record.parameters, record.flops, record.bytes)


# Equal nodes share one report: of thousands of nodes a few dozen differ in what is said of them.
@lru_cache(maxsize=16384)
def _node_report(
    inputs: Arguments, grown: tuple[Frozen, ...], output: Frozen, larger: Frozen, parameters: int, flops: int, size: int
) -> NodeReport:
    return NodeReport.model_construct(
        inputs=_described(inputs, grown),
        output=None if output is _NOTHING else described(output, larger),
        parameters=parameters,
        flops=flops,
        activation_bytes=size,
    )


def module(parameters: int, trainable: int, record: ModuleRecord, other: ModuleRecord) -> ModuleReport:
    """The report of one module."""
    counts = (parameters, trainable, record.flops, record.bytes, record.calls)
    inputs = tuple(record.inputs.items())
    grown = tuple(other.inputs.get(key) for key, _ in inputs)
    return _module_report(counts, inputs, grown, record.output, other.output)


@lru_cache(maxsize=16384)
def _module_report(
    counts: tuple[int, ...], inputs: Arguments, grown: tuple[Frozen, ...], output: Frozen, larger: Frozen
) -> ModuleReport:
    parameters, trainable, flops, size, calls = counts
    return ModuleReport.model_construct(
        parameters=parameters,
        trainable=trainable,
        inputs=_described(inputs, grown),
        output=described(output, larger) if calls else None,
        flops=flops,
        activation_bytes=size,
        calls=calls,
    )


def _described(inputs: Arguments, grown: tuple[Frozen, ...]) -> dict[str, Result]:
    return {name: described(value, other) for (name, value), other in zip(inputs, grown, strict=True)}


_NOTHING = object()
"""Stands for the output of a node that has none; None is an output."""


_NO_CALL = ModuleRecord()


class Inventory:
    """What a network's modules hold, whether they are called or not; a tensor under two names counts once."""

    def __init__(self, network: Network, first: Inference) -> None:
        self._network = network
        self._first = first
        self._frozen = network.document.frozen
        self.parameters: dict[str, int] = {}
        self.trainable: dict[str, int] = {}
        self.buffers = 0
        self.bytes = 0
        replaced: dict[str, set[str]] = {}
        for located in network.places():
            if isinstance(located.place.member, Alias):
                replaced.setdefault(located.instance.name, set()).add(located.place.path)
        for located in network.places():
            self._count(located, replaced.get(located.instance.name, set()))

    def _count(self, located: Located, replaced: set[str]) -> None:
        member, name = located.place.member, located.name
        match member:
            case Layer():
                self._count_layer(located, replaced)
            case Parameter() | Buffer():
                try:
                    spec = self._first.layers.tensor(located)
                except Stopped:
                    return
                self.bytes += spec.bytes
                if isinstance(member, Buffer):
                    self.buffers += spec.elements
                    return
                self._add(name, spec.elements, spec.elements if member.requires_grad and self._trains(name) else 0)
            case Opaque():
                sizes = [(prod(tensor.shape), tensor.buffer) for tensor in member.tensors.values()]
                parameters = sum(size for size, buffer in sizes if not buffer)
                self.buffers += sum(size for size, buffer in sizes if buffer)
                self._add(name, parameters, 0)
            case BlockUse():
                self._add(name, 0, 0)
            case _ if isinstance(member, CONTAINERS):
                self._add(name, 0, 0)

    def _count_layer(self, located: Located, replaced: set[str]) -> None:
        try:
            config = self._first.layers.config(located)
        except Stopped:
            return
        layer = built(config) if located.name not in self._first.layers.automatic else None
        if layer is None or layer.module is None:
            self._add(located.name, 0, 0)
            return
        self.buffers += layer.buffers
        self.bytes += layer.bytes
        parameters, trainable = layer.parameters, layer.trainable
        if replaced or self._frozen:
            for name, tensor in layer.module.named_parameters():
                tied = f"{located.place.path}.{name}" in replaced
                parameters -= tensor.numel() if tied else 0
                self.bytes -= tensor.nbytes if tied else 0
                if tied or not self._trains(f"{located.name}.{name}"):
                    trainable -= tensor.numel()
        self._add(located.name, parameters, trainable)

    def _trains(self, name: str) -> bool:
        return not any(fnmatchcase(name, glob) for glob in self._frozen)

    def _add(self, name: str, parameters: int, trainable: int) -> None:
        self.parameters[name] = parameters
        self.trainable[name] = trainable
        around = name.rpartition(".")[0]
        while parameters and around:
            if around in self.parameters:
                self.parameters[around] += parameters
                self.trainable[around] += trainable
            around = around.rpartition(".")[0]

    def total(self, counted: dict[str, int]) -> int:
        """Of the whole network."""
        return sum(count for name, count in counted.items() if "." not in name)

    def modules(self, second: Inference) -> dict[str, ModuleReport]:
        """The report of every module, in the order of registration."""
        known: dict[tuple[int, int, ModuleRecord, ModuleRecord], ModuleReport] = {}
        reports, records, others = {}, self._first.modules, second.modules
        for name, parameters in self.parameters.items():
            key = (parameters, self.trainable[name], records.get(name, _NO_CALL), others.get(name, _NO_CALL))
            told = known.get(key)
            if told is None:
                told = known[key] = module(*key)
            reports[name] = told
        return reports


def totals(inventory: Inventory, first: Inference, batch: int) -> Totals:
    """The sums over the whole network."""
    return Totals.model_construct(
        parameters=inventory.total(inventory.parameters),
        trainable=inventory.total(inventory.trainable),
        buffers=inventory.buffers,
        parameter_bytes=inventory.bytes,
        flops=first.flops,
        activation_bytes=first.bytes,
        nodes=len(first.nodes),
        batch=batch,
    )
