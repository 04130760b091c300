"""Calls of members and operations: what each gives, what it costs, and the problem when it gives nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cache
from typing import NoReturn

from layerloom.catalogue import find
from layerloom.graph.checking import autos, diagnosis, growing
from layerloom.graph.checking.calls import call_layer, call_operation
from layerloom.graph.checking.failures import Failure
from layerloom.graph.checking.findings import Findings, Place
from layerloom.graph.checking.fixes import OperationCall
from layerloom.graph.checking.growing import Call, Target
from layerloom.graph.checking.holdings import Holdings, own_sizes
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.network import Located, Network
from layerloom.graph.checking.records import Given, Made, ModuleRecord, NodeRecord, Normalized, Stopped, Told
from layerloom.graph.checking.running import Arguments, Outcome
from layerloom.graph.checking.values import Frozen, Group, LayerConfig
from layerloom.graph.places import Instance
from layerloom.graph.walk import forward_inputs
from layerloom.schema.document import (
    BlockUse,
    Buffer,
    FunctionNode,
    Layer,
    ModuleDict,
    ModuleList,
    Opaque,
    Parameter,
    ParameterDict,
    ParameterList,
    Sequential,
)
from layerloom.schema.problems import ProblemCode

Plain = tuple[LayerConfig | str | None, tuple[str, ...] | None, tuple[Frozen, ...]]
"""A plain call: what is called, by which ports, with what."""


@dataclass
class Calling(ABC):
    """What a pass has come to, and the calls that add to it. Both passes of a check share their ``layers``; only the
    first has ``findings``.
    """

    network: Network
    layers: Holdings
    findings: Findings | None
    training: bool = False
    """Which of the two a network is asked to do; most do the same in both."""
    nodes: dict[str, NodeRecord] = field(default_factory=dict)
    modules: dict[str, ModuleRecord] = field(default_factory=dict)
    batch: int = 0
    before: Calling | None = None
    """The pass at a batch that is one sample smaller."""
    normalized: list[Normalized] = field(default_factory=list)
    """Every call of a layer with a batch normalization, in order."""
    made: dict[str, Made] = field(default_factory=dict)
    """The last plain call of every node, by the node's key."""
    _calls: dict[Plain, Made] = field(default_factory=dict)
    _calls_again: dict[tuple[Made, tuple[Frozen, ...]], Made] = field(default_factory=dict)
    """By the same call of the pass before, and with what."""
    _given: dict[tuple[str, str], Arguments] = field(default_factory=dict)
    """Arguments of the last call of every layer and operation, by node and module."""
    _told: dict[tuple[str, Arguments], Told] = field(default_factory=dict)
    """By kind of instance and inputs."""
    _called: dict[str, None] = field(default_factory=dict)
    """Instances of blocks, in the order of their first call."""
    _crossed: bool = False
    """A node has called what is inside another block, so that what a block wrote is not all its own."""
    flops: int = 0
    bytes: int = 0

    @abstractmethod
    def _block(self, instance: Instance, inputs: Given) -> Frozen:
        """The result of a block that is given these tensors. Raises Stopped."""

    def _locate(self, instance: Instance, target: str) -> Located:
        located = self.network.locate(instance, target)
        if located is None or located.place.pointer in self.network.broken:
            raise Stopped
        self._crossed |= located.instance is not instance
        return located

    def _operation(self, node: FunctionNode, given: Given, place: Place) -> Frozen:
        arguments = tuple(given.items())
        outcome = self._outcome(call_operation, node.target, arguments, (place.instance or "", node.id))
        if outcome.failure is not None:
            if self.findings is not None:
                call = OperationCall(self.network, self.nodes, node, arguments, place)
                diagnosis.operation(self.findings, call, outcome.failure)
            raise Stopped
        return self._counted(outcome)

    def _outcome(self, call: Call[Target], target: Target, arguments: Arguments, key: tuple[str, str]) -> Outcome:
        self._given[key] = arguments
        return self._grown(call, target, arguments, self.before._given.get(key) if self.before else None)

    def _grown(self, call: Call[Target], target: Target, arguments: Arguments, before: Arguments | None) -> Outcome:
        """A call, told from the one with a sample less where there was one."""
        if self.before is None:
            return growing.first(call, target, arguments, self.batch)
        if before is None:
            return call(target, arguments)
        return growing.second(call, target, arguments, before, self.before.batch)

    def _counted(self, outcome: Outcome) -> Frozen:
        self.flops += outcome.flops
        self.bytes += outcome.bytes
        return outcome.result

    def _get(self, located: Located, place: Place, record: NodeRecord) -> Frozen:
        member = located.place.member
        match member:
            case Parameter() | Buffer():
                spec = self.layers.tensor(located)
                record.parameters = spec.elements if isinstance(member, Parameter) else 0
                return spec
            case ParameterList():
                return Group("list", tuple(self.layers.tensor(item) for item in self.network.items(located)))
            case ParameterDict():
                items = self.network.items(located)
                keys = tuple(item.place.path.rpartition(".")[2] for item in items)
                return Group("dict", tuple(self.layers.tensor(item) for item in items), keys)
            case Layer() if located.tensor:
                return self._tensor_of_layer(located, place)
        message = f"{located.place.path} is a {member.kind}, and only a parameter or buffer can be read"
        self._report(ProblemCode.NOT_CALLABLE, message, place)
        raise Stopped

    def _tensor_of_layer(self, located: Located, place: Place) -> Frozen:
        tensors = self.layers.tensors(located)
        if located.tensor not in tensors:
            message = f"{located.place.path} has no tensor {located.tensor}; it has {', '.join(tensors) or 'none'}"
            self._report(ProblemCode.UNKNOWN_MEMBER, message, place)
            raise Stopped
        return tensors[located.tensor]

    def _loop(self, located: Located, given: Given, place: Place, path: str) -> Frozen:
        if not isinstance(located.place.member, ModuleList | Sequential):
            self._not_callable(located, place, "looped over: it takes a ModuleList or Sequential")
        rest = {name: value for name, value in given.items() if name != "input"}
        value = given.get("input")
        for item in self.network.items(located):
            value = self._call(item, {"input": value, **rest}, place, _below(path, item))
        return value

    def _choose(self, located: Located, key: Frozen, given: Given, place: Place, path: str) -> Frozen:
        if not isinstance(located.place.member, ModuleDict):
            self._not_callable(located, place, "chosen from: it takes a ModuleDict")
        items = {item.place.path.rpartition(".")[2]: item for item in self.network.items(located)}
        # The source gives the first item's required inputs by place, because each item may name them differently.
        named = [name for name, required in self._ports(next(iter(items.values()))) if required] if items else []

        def call(item: Located) -> Frozen:
            its = dict(zip(named, (name for name, _ in self._ports(item)), strict=False))
            own = {its.get(name, name): value for name, value in given.items()}
            return self._call(item, own, place, _below(path, item))

        if key is None:
            return Group("dict", tuple(call(item) for item in items.values()), tuple(items))
        if not isinstance(key, str) or key not in items:
            message = f"{path} has no item {key!r}; it has {', '.join(items) or 'none'}"
            self._report(ProblemCode.UNKNOWN_MEMBER, message[:400], place.at("key", "key"))
            raise Stopped
        return call(items[key])

    def _ports(self, located: Located) -> list[tuple[str, bool]]:
        """Names of a member's forward inputs in the order of its signature, and which are required."""
        match located.place.member:
            case Layer(target=target):
                entry = find(target)
                return [(port.name, port.required) for port in entry.inputs] if entry else []
            case BlockUse(block=block):
                inputs = forward_inputs(self.network.document.blocks[block])
                return [(item.name, not item.optional) for item in inputs]
            case Opaque(inputs=taken):
                return [(item.name, not item.keyword) for item in taken]
        return [("input", True)]

    # --- calls of members

    def _call(self, located: Located, given: Given, place: Place, path: str) -> Frozen:
        """Call a member; ``path`` is where it stands below the calling node's block."""
        member = located.place.member
        if located.place.pointer in self.network.broken:
            raise Stopped
        self.modules.setdefault(located.name, _NO_CALL)
        flops, size = self.flops, self.bytes
        match member:
            case Layer():
                result = self._layer(located, adapted(given, first_port(member.target)), place, path)
            case BlockUse():
                inner = self.network.instances.get(located.name)
                if inner is None:
                    raise Stopped
                ports = self._ports(located)
                given = adapted(given, ports[0][0] if ports else "input")
                self._bind(member.block, ports, given, place)
                result = self._block(inner, given)
            case Sequential():
                result = next(iter(given.values()), None)
                for item in self.network.items(located):
                    result = self._call(item, {"input": result}, place, _below(path, item))
            case Opaque():
                raise Stopped  # the member itself has this problem
            case _:
                self._not_callable(located, place, "called")
        record = ModuleRecord(given, result, self.flops - flops, self.bytes - size, 1)
        self.modules[located.name] = self.modules[located.name].then(record)
        return result

    def _bind(self, block: str, ports: list[tuple[str, bool]], given: Given, place: Place) -> None:
        """Hold a call of a block to its signature: what calls a container's items gives them all the same."""
        names = [name for name, _ in ports]
        surplus = [name for name in given if name not in names]
        missing = [name for name, required in ports if required and name not in given]
        if surplus:
            message = f"{block} is given {surplus[0]}, and its inputs are {', '.join(names) or 'none'}."
            self._report(ProblemCode.UNKNOWN_PORT, message, place)
        elif missing:
            message = f"{block} needs its input {missing[0]}, and nothing is given to it here."
            self._report(ProblemCode.MISSING_INPUT, message, place)
        if surplus or missing:
            raise Stopped

    def _layer(self, located: Located, given: Given, place: Place, path: str) -> Frozen:
        config, arguments = self.layers.config(located), tuple(given.items())
        at = Place(place.block, place.node, path, place.instance, None, located.place.pointer)
        if located.name in self.layers.automatic:
            config = self._resolved(located, config, arguments, at)
        if built(config).module is None:
            raise Stopped  # the member itself has this problem
        outcome = self._outcome(call_layer, config, arguments, (located.name, place.node or ""))
        if outcome.failure is not None:
            self._failed(located, config, arguments, outcome.failure, at, place)
        if built(config).normalizes:
            self.normalized.append(Normalized(located.name, config, arguments, at))
        return self._counted(outcome)

    def _resolved(self, located: Located, config: LayerConfig, arguments: Arguments, at: Place) -> LayerConfig:
        found = autos.resolve(config, arguments)
        if found.config is None:
            assert found.failure is not None
            self._failed(located, config, arguments, found.failure, at, at)
            raise Stopped
        assert isinstance(located.place.member, Layer)
        self.layers.settle(located.name, found.config, own_sizes(located.place.member, found))
        return found.config

    # --- what went wrong

    def _failed(
        self,
        located: Located,
        config: LayerConfig,
        arguments: Arguments,
        failure: Failure,
        at: Place,
        caller: Place,
    ) -> NoReturn:
        if self.findings is not None:
            diagnosis.layer(self.findings, self.network, located, config, arguments, failure, at, caller)
        raise Stopped

    def _not_callable(self, located: Located, place: Place, what: str) -> NoReturn:
        message = f"{located.place.path} is a {located.place.member.kind} and cannot be {what}"
        self._report(ProblemCode.NOT_CALLABLE, message, place)
        raise Stopped

    def _report(self, code: ProblemCode, message: str, place: Place) -> None:
        if self.findings is not None:
            self.findings.add(code, message, place)


_NO_CALL = ModuleRecord()


def adapted(given: Given, first: str) -> Given:
    """Arguments as the callee names them: containers and loops hand on what they carry as ``input``."""
    if "input" not in given or first == "input":
        return given
    return {first if name == "input" else name: value for name, value in given.items()}


@cache
def first_port(target: str) -> str:
    entry = find(target)
    return entry.inputs[0].name if entry and entry.inputs else "input"


def _below(path: str, item: Located) -> str:
    return f"{path}.{item.place.path.rpartition('.')[2]}"
