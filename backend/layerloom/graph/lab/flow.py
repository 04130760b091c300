"""Who feeds whom: every call of a layer or operation in a network, in running order, with the calls that its inputs
come from. Blocks and containers are opened, loops unrolled; nothing is run and no shape is needed.

>>> flow = flow_of(document)
>>> [step.name or step.target for step in flow.steps]        # "stem.conv", "stem.norm", "torch.relu", …
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias

from layerloom.catalogue import find
from layerloom.graph.checking.findings import Findings, Place
from layerloom.graph.checking.network import Located, Network
from layerloom.graph.checking.unrolling import unrolled
from layerloom.graph.errors import GraphError, refuse
from layerloom.graph.expressions import ExpressionError, parse
from layerloom.graph.places import TRAINING, Environment, Instance, evaluate
from layerloom.graph.walk import forward_inputs, references
from layerloom.schema.document import CONTAINERS, BlockUse, Document, FunctionNode, GetNode, Layer, Node
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import If, Ref, Tuple, Value, refs
from layerloom.schema.values import Mapping as Named

Signal: TypeAlias = "frozenset[int] | dict[int | str, Signal]"
"""Steps that a value comes from; by index or key where it is a tuple, list or dict of values."""
_NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a layer or operation."""

    index: int
    target: str
    """Catalogue name."""
    inputs: Mapping[str, frozenset[int]]
    """Steps that each argument comes from; empty where it comes from the network's inputs or from parameters."""
    place: Place
    """Of a layer the place of its member, with the node that calls it; of an operation that of its node."""
    located: Located | None = None
    """The layer that is called; None for an operation."""

    @property
    def name(self) -> str:
        """Qualified name of the layer; empty for an operation."""
        return self.located.name if self.located else ""

    @property
    def sources(self) -> frozenset[int]:
        """Steps that any argument comes from."""
        return _NOTHING.union(*self.inputs.values())


@dataclass(frozen=True)
class Flow:
    """The calls of a network as a graph without circles."""

    network: Network
    steps: list[Step] = field(default_factory=list)
    outputs: frozenset[int] = _NOTHING
    """Steps whose results the network returns."""

    @cached_property
    def _consumers(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.steps]
        for step in self.steps:
            for source in sorted(step.sources):
                found[source].append(step.index)
        return found

    def consumers(self, step: Step) -> list[Step]:
        """The calls that take a call's result, in running order."""
        return [self.steps[index] for index in self._consumers[step.index]]

    def sources(self, step: Step) -> list[Step]:
        """The calls whose results a call takes."""
        return [self.steps[index] for index in sorted(step.sources)]

    def behind(self, step: Step, passes: Callable[[Step], bool]) -> Iterator[Step]:
        """The calls that a result reaches through calls for which ``passes`` holds, nearest first; those included."""
        yield from self._spread(self.consumers(step), passes, self.consumers)

    def before(self, step: Step, passes: Callable[[Step], bool] = lambda _: True) -> Iterator[Step]:
        """The calls that a call's inputs come from, through calls for which ``passes`` holds, nearest first."""
        yield from self._spread(self.sources(step), passes, self.sources)

    def _spread(
        self, start: Iterable[Step], passes: Callable[[Step], bool], onward: Callable[[Step], list[Step]]
    ) -> Iterator[Step]:
        seen: set[int] = set()
        pending = list(start)
        while pending:
            step = pending.pop(0)
            if step.index in seen:
                continue
            seen.add(step.index)
            yield step
            if passes(step):
                pending.extend(onward(step))


def flow_of(document: Document) -> Flow:
    """The flow of a document in training.

    Raises:
        GraphError: it cannot be unrolled, or an expression in it has no value, which the check says, too.
    """
    findings = Findings()
    network = unrolled(document, findings)
    if network is None or not findings.ok:
        raise GraphError(findings.problems())
    try:
        return _Walk(network).flow()
    except ExpressionError as error:
        raise refuse(ProblemCode.EXPRESSION_INVALID, f"{error}.") from None


class _Scope(NamedTuple):
    """What values may refer to inside a block."""

    results: Mapping[str, Signal]
    environment: Environment


class _Walk:
    """Walks the forward graphs as the check does, in training, with signals in the place of tensors."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._steps: list[Step] = []

    def flow(self) -> Flow:
        main = self._network.instances[""]
        outputs = _flat(self._block(main, {}))
        return Flow(self._network, self._steps, outputs)

    def _block(self, instance: Instance, inputs: dict[str, Signal]) -> Signal:
        results = dict(inputs)
        environment = {**instance.environment, TRAINING: True}
        for node, where in self._needed(instance.block):
            if node.when is not None and not _holds(node.when, environment):
                continue
            place = Place(instance.block, node.id, None, instance.name, None, where)
            results[node.id] = self._node(instance, node, _Scope(results, environment), place)
        output = self._network.document.blocks[instance.block].forward.output
        return _read(output, _Scope(results, environment))

    def _needed(self, block: str) -> list[tuple[Node, str]]:
        """A block's nodes in running order, without those that its output does not need: they are not written."""
        nodes = [(step.node, step.where) for step in self._network.steps(block)]
        needed = {ref.ref for ref in refs(self._network.document.blocks[block].forward.output)}
        for node, _ in reversed(nodes):
            if node.id in needed:
                needed.update(references(node))
        return [(node, where) for node, where in nodes if node.id in needed]

    def _node(self, instance: Instance, node: Node, scope: _Scope, place: Place) -> Signal:
        if isinstance(node, GetNode):
            return _NOTHING
        given = {name: _read(value, scope) for name, value in node.arguments.items()}
        if isinstance(node, FunctionNode):
            return self._step(node.target, given, place)
        located = self._network.locate(instance, node.target)
        if located is None:
            return _NOTHING
        if node.op == "call":
            return self._call(located, given, place, node.target)
        items = self._network.items(located)
        if node.op == "choose":
            chosen = None if node.key is None else _key(node.key, scope)
            called: dict[int | str, Signal] = {
                _last(item): self._call(item, given, place, f"{node.target}.{_last(item)}")
                for item in items
                if chosen in (None, _last(item))
            }
            return called if chosen is None else called.get(chosen, _NOTHING)
        value: Signal = given.get("input", _NOTHING)
        for item in items:
            value = self._call(item, {**given, "input": value}, place, f"{node.target}.{_last(item)}")
        return value

    def _call(self, located: Located, given: dict[str, Signal], place: Place, path: str) -> Signal:
        member = located.place.member
        if isinstance(member, Layer):
            at = Place(place.block, place.node, path, place.instance, None, located.place.pointer)
            entry = find(member.target)
            first = entry.inputs[0].name if entry and entry.inputs else "input"
            return self._step(member.target, _renamed(given, first), at, located)
        if isinstance(member, BlockUse):
            inner = self._network.instances[located.name]
            ports = [item.name for item in forward_inputs(self._network.document.blocks[member.block])]
            return self._block(inner, _renamed(given, ports[0] if ports else "input"))
        value = next(iter(given.values()), _NOTHING)
        if isinstance(member, CONTAINERS):
            for item in self._network.items(located):
                value = self._call(item, {"input": value}, place, f"{path}.{_last(item)}")
        return value

    def _step(self, target: str, given: dict[str, Signal], place: Place, located: Located | None = None) -> Signal:
        inputs = {name: _flat(signal) for name, signal in given.items()}
        self._steps.append(Step(len(self._steps), target, inputs, place, located))
        return frozenset({len(self._steps) - 1})


def _renamed(given: dict[str, Signal], first: str) -> dict[str, Signal]:
    """Containers and loops hand on what they carry as ``input``; the callee may name it otherwise."""
    return {first if name == "input" else name: signal for name, signal in given.items()}


def _last(located: Located) -> str:
    return located.place.path.rpartition(".")[2]


def _read(value: Value, scope: _Scope) -> Signal:
    match value:
        case Ref(ref=ref, path=path):
            signal = scope.results.get(ref, _NOTHING)
            for key in path:
                signal = signal.get(key, _flat(signal)) if isinstance(signal, dict) else signal
            return signal
        case If(test=test, then=then, otherwise=otherwise):
            return _read(then if _holds(test, scope.environment) else otherwise, scope)
        case list():
            return {index: _read(item, scope) for index, item in enumerate(value)}
        case Tuple(items=items):
            return {index: _read(item, scope) for index, item in enumerate(items)}
        case Named(items=mapping):
            return {key: _read(item, scope) for key, item in mapping.items()}
    return _NOTHING.union(*(_flat(scope.results.get(ref.ref, _NOTHING)) for ref in refs(value)))


def _key(value: Value, scope: _Scope) -> str:
    """The key of a choice. In a document that checks it has a value and an item."""
    return str(evaluate(value, scope.environment))


def _holds(condition: str, environment: Environment) -> bool:
    return bool(parse(condition).evaluate(environment))


def _flat(signal: Signal) -> frozenset[int]:
    if isinstance(signal, frozenset):
        return signal
    return _NOTHING.union(*(_flat(part) for part in signal.values()))
