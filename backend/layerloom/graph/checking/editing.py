"""A check of a document that is the one before with an edit: only what the edit reaches is run again.

The state of a check that found no errors is kept. When the next document differs from it in arguments of layers or
nodes of its main block alone, those are judged, the calls that see another tensor are made, and everything else is
taken over. Whatever is not so simple (a name, a connection, a problem, a block inside) is checked whole: ``edited``
gives None then, and may do so at any time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any

from layerloom.graph.checking import autos, growing, report
from layerloom.graph.checking.arguments import faults
from layerloom.graph.checking.calling import adapted, first_port
from layerloom.graph.checking.calls import call_layer, call_operation
from layerloom.graph.checking.differing import Known, Whole, differences
from layerloom.graph.checking.filling import Completed
from layerloom.graph.checking.findings import Findings, Place
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.network import Network
from layerloom.graph.checking.reading import Waiting, layer_config, read
from layerloom.graph.checking.records import Given, ModuleRecord, NodeRecord, Normalized
from layerloom.graph.checking.running import Arguments, Outcome
from layerloom.graph.checking.sequences import batch_as_time
from layerloom.graph.checking.training import check_batch_of_one
from layerloom.graph.checking.values import Frozen, LayerConfig
from layerloom.graph.expressions import ExpressionError
from layerloom.graph.places import Instance
from layerloom.graph.walk import pointer_of, references
from layerloom.schema.document import Alias, CallNode, Document, FunctionNode, Layer, Node
from layerloom.schema.problems import ProblemCode
from layerloom.schema.report import ModuleReport, NodeReport, Report, Totals
from layerloom.schema.values import Ref, refs

PARAMETERS_LIMIT = 10**9
SMALLEST = 32
"""Nodes, those in blocks included; fewer are checked whole in a millisecond or two."""
STAYING = {ProblemCode.DISCONNECTED, ProblemCode.UNUSED_MEMBER, ProblemCode.NAME_DUPLICATE}
"""Warnings that no argument changes."""


@dataclass
class Kept:
    """A document that was checked without errors, and what the check came to. Never changed."""

    document: Document
    batch: int
    completed: Completed
    report: Report
    network: Network
    """Its members may be those of an earlier state of the document."""
    first: Inference
    second: Inference
    inputs: tuple[Given, Given]
    """Of the main block, at both batches."""
    json: Known = field(default_factory=dict)
    """By the identity of a part of the document."""

    @cached_property
    def nodes(self) -> list[Node]:
        """The main block's, as they run."""
        return [step.node for step in self.network.steps(self.document.main)]

    @cached_property
    def readers(self) -> dict[str, list[int]]:
        """The nodes that read a node's result."""
        found: dict[str, list[int]] = {}
        for index, node in enumerate(self.nodes):
            for ref in references(node):
                found.setdefault(ref, []).append(index)
        return found

    @cached_property
    def callers(self) -> dict[str, list[int]]:
        """The nodes that call a member."""
        found: dict[str, list[int]] = {}
        for index, node in enumerate(self.nodes):
            if not isinstance(node, FunctionNode):
                found.setdefault(node.target, []).append(index)
        return found

    @cached_property
    def index(self) -> dict[str, int]:
        """Where a node stands among ``nodes``, by its id."""
        return {node.id: index for index, node in enumerate(self.nodes)}


def keepable(document: Document, found: Report, first: Inference) -> bool:
    """Whether a check is such that a later one may build upon it, and worth it."""
    return (
        found.ok
        and found.totals.nodes >= SMALLEST
        and not first.layers.automatic
        and not document.init
        and not document.frozen
        and all(problem.code in STAYING for problem in found.problems)
        and not any(type(place.place.member) is Alias for place in first.network.places())
    )


def edited(kept: Kept, document: Document, batch: int) -> Kept | None:
    """The check of a document that is ``kept.document`` with an edit; None where it has to be checked whole."""
    if batch != kept.batch:
        return None
    try:
        difference = differences(kept.document, document, kept.json)
        return _Edit(kept, document, *difference).done()
    except (Whole, Waiting, ExpressionError):
        return None


class _Edit:
    """One edit on its way from the kept state to the next."""

    def __init__(self, kept: Kept, document: Document, members: dict[int, Layer], nodes: dict[int, Node]) -> None:
        self._kept, self._document = kept, document
        self._members = {member.name for member in members.values()}
        self._nodes = {node.id: node for node in nodes.values()}
        self._instance: Instance = kept.network.instances[""]
        layers = replace(
            kept.first.layers, configs=dict(kept.first.layers.configs), sizes=dict(kept.first.layers.sizes)
        )
        self._first = self._copied(kept.first, layers)
        self._second = self._copied(kept.second, layers)
        self._second.before = self._first
        self._by_name = {
            member.name: (index, member) for index, member in enumerate(document.blocks[document.main].members)
        }
        self._node_reports: dict[str, NodeReport] = {}
        self._module_reports: dict[str, ModuleReport] = {}
        self._sums: Counter[str] = Counter()

    def _copied(self, inference: Inference, layers: Any) -> Inference:
        return replace(
            inference,
            layers=layers,
            findings=None,
            nodes=dict(inference.nodes),
            modules=dict(inference.modules),
            normalized=[],
            made={},
            _calls={},
            _calls_again={},
        )

    def done(self) -> Kept:
        """The next state. Raises Whole."""
        kept = self._kept
        if not self._nodes.keys() <= kept.index.keys():
            raise Whole
        start = [kept.index[name] for name in self._nodes]
        for name in self._members:
            callers = kept.callers.get(name, [])
            if len(callers) != 1:
                raise Whole
            start += callers
        heapify(start)
        seen = set(start)
        while start:
            index = heappop(start)
            for reader in self._run(kept.nodes[index]):
                if reader not in seen:
                    seen.add(reader)
                    heappush(start, reader)
        findings = Findings()
        check_batch_of_one(findings, self._first, self._second, kept.batch)
        if findings.problems():
            raise Whole
        return self._next()

    def _run(self, node: Node) -> list[int]:
        """Run a node anew, and say who reads its result, if that is another one than before."""
        node = self._nodes.get(node.id, node)
        if node.when is not None or not isinstance(node, CallNode | FunctionNode):
            raise Whole
        given = self._given(node, self._first, self._kept.inputs[0])
        grown = self._given(node, self._second, self._kept.inputs[1])
        key = f"#{node.id}"
        old = self._first.nodes[key], self._second.nodes[key]
        if isinstance(node, FunctionNode):
            parameters = 0
            outcome, larger = self._called(call_operation, node.target, tuple(given.items()), tuple(grown.items()))
        else:
            parameters, outcome, larger = self._layer(node, given, grown)
        inputs = [
            name for name, value in node.arguments.items() if isinstance(value, Ref) or any(True for _ in refs(value))
        ]
        records = [
            NodeRecord(
                {name: values[name] for name in inputs}, result.result, True, parameters, result.flops, result.bytes
            )
            for values, result in ((given, outcome), (grown, larger))
        ]
        self._first.nodes[key], self._second.nodes[key] = records
        self._node_reports[key] = report.node(records[0], records[1])
        self._sums.update(flops=outcome.flops - old[0].flops, bytes=outcome.bytes - old[0].bytes)
        same = outcome.result == old[0].output and larger.result == old[1].output
        return [] if same else self._kept.readers.get(node.id, [])

    def _given(self, node: CallNode | FunctionNode, inference: Inference, inputs: Given) -> Given:
        results = {ref: self._result(ref, inference, inputs) for ref in references(node)}
        return {name: read(value, self._instance.environment, results) for name, value in node.arguments.items()}

    def _result(self, ref: str, inference: Inference, inputs: Given) -> Frozen:
        record = inference.nodes.get(f"#{ref}")
        if record is not None:
            if not record.reached:
                raise Whole
            return record.output
        return inputs.get(ref)

    def _called(self, call: Any, target: Any, arguments: Arguments, grown: Arguments) -> tuple[Outcome, Outcome]:
        outcome = growing.first(call, target, arguments, self._kept.batch)
        larger = growing.second(call, target, grown, arguments, self._kept.batch)
        if outcome.failure is not None or larger.failure is not None:
            raise Whole
        return outcome, larger

    def _layer(self, node: CallNode, given: Given, grown: Given) -> tuple[int, Outcome, Outcome]:
        _, member = self._by_name.get(node.target, (0, None))
        record = self._first.modules.get(node.target)
        if not isinstance(member, Layer) or member.init or member.parametrizations or member.when is not None:
            raise Whole
        if record is None or record.calls != 1:
            raise Whole
        port = first_port(member.target)
        received, larger_received = adapted(given, port), adapted(grown, port)
        arguments, larger_arguments = tuple(received.items()), tuple(larger_received.items())
        config = self._config(member, arguments)
        outcome, larger = self._called(call_layer, config, arguments, larger_arguments)
        if batch_as_time(config, received, larger_received):
            raise Whole
        place = Place(self._document.main, node.id, node.target, "", None, None)
        if built(config).normalizes:
            self._first.normalized.append(Normalized(member.name, config, arguments, place))
            self._second.normalized.append(Normalized(member.name, config, larger_arguments, place))
        before, layer = built(self._kept.first.layers.configs[member.name]), built(config)
        self._sums.update(
            parameters=layer.parameters - before.parameters,
            trainable=layer.trainable - before.trainable,
            buffers=layer.buffers - before.buffers,
            parameter_bytes=layer.bytes - before.bytes,
        )
        records = (
            ModuleRecord(received, outcome.result, outcome.flops, outcome.bytes, 1),
            ModuleRecord(larger_received, larger.result, larger.flops, larger.bytes, 1),
        )
        self._first.modules[member.name], self._second.modules[member.name] = records
        self._module_reports[member.name] = report.module(layer.parameters, layer.trainable, *records)
        return layer.parameters, outcome, larger

    def _config(self, member: Layer, arguments: Arguments) -> LayerConfig:
        """A layer's configuration, sizes filled in anew."""
        layers = self._first.layers
        config = layer_config(member.target, member.arguments, self._instance.environment)
        if faults(config.target, config.arguments):
            raise Whole
        if not autos.paths(config):
            layers.sizes.pop(member.name, None)
        else:
            found = autos.resolve(config, arguments)
            if found.config is None:
                raise Whole
            config = found.config
            layers.sizes[member.name] = dict(found.sizes)
        if built(config).module is None:
            raise Whole
        layers.configs[member.name] = config
        return config

    # --- the next state

    def _next(self) -> Kept:
        kept, old = self._kept, self._kept.report
        self._first.flops += self._sums["flops"]
        self._first.bytes += self._sums["bytes"]
        found = old.model_copy(
            update={
                "nodes": {**old.nodes, **self._node_reports},
                "modules": {**old.modules, **self._module_reports},
                "outputs": self._outputs(),
                "autos": self._autos(),
                "totals": self._totals(),
            }
        )
        if found.totals.parameters > PARAMETERS_LIMIT:
            raise Whole
        new = Kept(
            self._document,
            kept.batch,
            self._completed(),
            found,
            kept.network,
            self._first,
            self._second,
            kept.inputs,
            {},
        )
        # An edit that gets here connects nothing otherwise, so who calls and reads what stays as it was.
        new.__dict__.update({name: kept.__dict__[name] for name in _WIRING if name in kept.__dict__})
        new.__dict__["nodes"] = [self._nodes.get(node.id, node) for node in kept.nodes] if self._nodes else kept.nodes
        return new

    def _totals(self) -> Totals:
        old = self._kept.report.totals
        counts = {name: getattr(old, name) + self._sums[name] for name in _SUMMED}
        return old.model_copy(update={**counts, "flops": self._first.flops, "activation_bytes": self._first.bytes})

    def _outputs(self) -> Any:
        output = self._document.blocks[self._document.main].forward.output
        values = []
        for inference, inputs in ((self._first, self._kept.inputs[0]), (self._second, self._kept.inputs[1])):
            results = {ref.ref: self._result(ref.ref, inference, inputs) for ref in refs(output)}
            values.append(read(output, self._instance.environment, results))
        return report.described(*values)

    def _autos(self) -> dict[str, int | list[int]]:
        sizes, before = self._first.layers.sizes, self._kept.first.layers.sizes
        if all(sizes.get(name, {}).keys() == before.get(name, {}).keys() for name in self._module_reports):
            return {**self._kept.report.autos, **_named(sizes, self._module_reports)}
        return _named(sizes, self._kept.report.modules)

    def _completed(self) -> Completed:
        """The document with the sizes that belong into it."""
        fill, sizes = dict(self._kept.completed.fill), self._first.layers.sizes
        for name in self._module_reports:
            where = f"{pointer_of(self._document.main)}/members/{self._by_name[name][0]}"
            fill.pop(where, None)
            if sizes.get(name):
                fill[where] = sizes[name]
        return Completed(self._document, fill)


def _named(sizes: dict[str, dict[autos.AutoPath, int]], modules: Iterable[str]) -> dict[str, int | list[int]]:
    return {f"{name}.{'.'.join(path)}": size for name in modules for path, size in sizes.get(name, {}).items()}


_WIRING = ("index", "readers", "callers")
_SUMMED = ("parameters", "trainable", "buffers", "parameter_bytes")
