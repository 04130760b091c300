"""One pass through a network at one batch size: what every node gets and gives, and the first thing that fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import NoReturn, TypeVar

from layerloom.catalogue import find
from layerloom.graph.checking import autos, diagnosis, growing
from layerloom.graph.checking.calls import Arguments, Outcome, call_layer, call_operation
from layerloom.graph.checking.failures import Failure
from layerloom.graph.checking.findings import Findings, Place, pointer
from layerloom.graph.checking.growing import Call, Target
from layerloom.graph.checking.holdings import Holdings
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.network import Located, Network, Step
from layerloom.graph.checking.reading import Waiting, read
from layerloom.graph.checking.records import Given, Made, ModuleRecord, NodeRecord, Normalized, Stopped, Told
from layerloom.graph.checking.values import Frozen, Group, LayerConfig, TensorSpec
from layerloom.graph.expressions import ExpressionError, parse
from layerloom.graph.places import TRAINING, Instance
from layerloom.graph.walk import forward_inputs, pointer_of
from layerloom.schema.document import (
    BlockUse,
    Buffer,
    CallNode,
    ChooseNode,
    FunctionNode,
    GetNode,
    Layer,
    LoopNode,
    ModuleDict,
    ModuleList,
    Node,
    Opaque,
    Parameter,
    ParameterDict,
    ParameterList,
    Sequential,
)
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Ref, Value, refs

_Plain = tuple[LayerConfig | str | None, tuple[str, ...] | None, tuple[Frozen, ...], Made | None]
"""A plain call: what is called, by which ports, with what, and the same call of the pass before."""


@dataclass
class Inference:
    """Runs a network. Both passes of a check share its ``layers``; only the first has ``findings``."""

    network: Network
    layers: Holdings
    findings: Findings | None
    training: bool = False
    """Which of the two a network is asked to do; most do the same in both."""
    nodes: dict[str, NodeRecord] = field(default_factory=dict)
    modules: dict[str, ModuleRecord] = field(default_factory=dict)
    batch: int = 0
    before: Inference | None = None
    """The pass at a batch that is one sample smaller."""
    normalized: list[Normalized] = field(default_factory=list)
    """Every call of a layer with a batch normalization, in order."""
    made: dict[str, Made] = field(default_factory=dict)
    """The last plain call of every node, by the node's key."""
    _calls: dict[_Plain, Made] = field(default_factory=dict)
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

    def run(self, inputs: Given) -> Frozen:
        """The result of the outermost block. Raises Stopped when it has none."""
        return self._block(self.network.instances[""], inputs)

    def _block(self, instance: Instance, inputs: Given) -> Frozen:
        """Equal instances that are given equal tensors are run once."""
        if self._crossed or instance.name in self._called or instance.name in self.layers.holders:
            return self._run(instance, inputs)
        kind = (instance.kind, tuple(inputs.items()))
        if kind in self._told:
            return self._tell(instance, self._told[kind])
        told = Told(instance.name, None, self.flops, self.bytes, [], [], [], [])
        counts = len(self.nodes), len(self.modules), len(self.normalized), len(self._called)
        self._called[instance.name] = None
        told.result = self._run(instance, inputs)
        told.flops, told.bytes = self.flops - told.flops, self.bytes - told.bytes
        told.nodes = _since(self.nodes, counts[0])
        told.modules = _since(self.modules, counts[1])
        told.normalized = self.normalized[counts[2] :]
        told.called = [name for name, _ in _since(self._called, counts[3])]
        if not self._crossed and all(record.reached for _, record in told.nodes):
            self._told[kind] = told
        return told.result

    def _tell(self, instance: Instance, told: Told) -> Frozen:
        cut, name = len(told.instance), instance.name
        self.nodes.update([(name + key[cut:], record) for key, record in told.nodes])
        self.modules.update([(name + key[cut:], module) for key, module in told.modules])
        for call in told.normalized:
            place = call.place._replace(instance=name + (call.place.instance or "")[cut:])
            self.normalized.append(Normalized(name + call.name[cut:], call.config, call.arguments, place))
        self._called.update([(name + key[cut:], None) for key in told.called])
        self.flops += told.flops
        self.bytes += told.bytes
        return told.result

    def _run(self, instance: Instance, inputs: Given) -> Frozen:
        graph = self.network.document.blocks[instance.block].forward
        results: Given = {item.name: None for item in graph.inputs if item.optional}
        results.update(inputs)
        prefix = f"{instance.name}." if instance.name else ""
        for step in self.network.steps(instance.block):
            if step.ports is None or not self._plainly(instance, prefix, step, results):
                self._step(instance, step, results)
        return self._returned(instance, graph.output, results)

    def _returned(self, instance: Instance, output: Value, results: Given) -> Frozen:
        """What a block gives. Raises Stopped."""
        if type(output) is Ref and not output.path and output.ref in results:
            return results[output.ref]
        if not any(True for _ in refs(output)):
            raise Stopped
        try:
            return read(output, self._environment(instance), results)
        except Waiting:
            raise Stopped from None
        except ExpressionError as error:
            place = Place(instance.block, None, None, instance.name, None, f"{_forward(instance)}/output")
            self._report(ProblemCode.EXPRESSION_INVALID, str(error), place)
            raise Stopped from None

    def _step(self, instance: Instance, step: Step, results: Given) -> None:
        """Run any node, as far as it goes."""
        node = step.node
        environment = self._environment(instance)
        place = Place(instance.block, node.id, None, instance.name, None, step.where)
        if node.when is not None and not self._holds(node.when, environment, place):
            return
        key = f"{instance.name}#{node.id}"
        known = self.nodes.get(key)
        record = self.nodes[key] = known.own() if known else NodeRecord()
        flops, size = self.flops, self.bytes
        try:
            results[node.id] = record.output = self._node(instance, node, results, record, place)
            record.reached = True
        except (Waiting, Stopped):
            record.reached = False
        except ExpressionError as error:
            record.reached = False
            self._report(ProblemCode.EXPRESSION_INVALID, str(error), place)
        record.flops += self.flops - flops
        record.bytes += self.bytes - size

    def _plainly(self, instance: Instance, prefix: str, step: Step, results: Given) -> bool:
        """Run a node of the kind of which there are thousands: a layer or an operation, given connections alone, that
        has a result. False, and nothing done, for any other. (``_step`` comes to the same, ten times slower.)
        """
        try:
            values = tuple([results[ref] for ref in step.refs])
        except KeyError:
            return False
        layers, nodes = self.layers, self.nodes
        key = instance.name + step.key
        before = None
        if self.before is not None:
            before = self.before.made.get(key)
            if before is None:
                return False
        place, name, target = None, "", step.target
        if step.layer:
            place = instance.places.get(target)
            if place is None or type(place.member) is not Layer or place.pointer in self.network.broken:
                return False
            name = prefix + target
            if name in layers.automatic and not self._settled(name, place.member, step, values):
                return False
        call = (layers.configs.get(name) if name else target, step.ports, values, before)
        made = self._calls.get(call)
        if made is None:
            made = self._make(call)
            if made is None:
                return False
            self._calls[call] = made
        self.made[key] = made
        nodes[key] = nodes[key].then(made.node) if key in nodes else made.node
        if place is not None and made.module is not None:
            self.modules[name] = self.modules[name].then(made.module) if name in self.modules else made.module
            if made.normalizes is not None:
                at = Place(instance.block, step.node.id, target, instance.name, None, place.pointer)
                self.normalized.append(Normalized(name, made.normalizes, made.arguments, at))
        outcome = made.outcome
        self.flops += outcome.flops
        self.bytes += outcome.bytes
        results[step.node.id] = outcome.result
        return True

    def _settled(self, name: str, member: Layer, step: Step, values: tuple[Frozen, ...]) -> bool:
        """Whether a layer's automatic sizes follow from what it is given; they are noted then."""
        given = dict(zip(step.ports or (), values, strict=True))
        arguments = tuple(_adapted(given, _first_port(member.target)).items())
        found = autos.resolve(self.layers.configs[name], arguments)
        if found.config is None:
            return False
        self.layers.settle(name, member, found)
        return True

    def _make(self, call: _Plain) -> Made | None:
        """A plain call that is new to this pass; None where it fails."""
        target, ports, values, before = call
        given = received = dict(zip(ports or (), values, strict=True))
        earlier = before.arguments if before else None
        parameters, module, normalizes = 0, None, None
        if isinstance(target, LayerConfig):
            layer = built(target)
            if layer.module is None:
                return None
            received = _adapted(given, _first_port(target.target))
            outcome = self._grown(call_layer, target, tuple(received.items()), earlier)
            parameters = layer.parameters
            module = ModuleRecord(received, outcome.result, outcome.flops, outcome.bytes, 1)
            normalizes = target if layer.normalizes else None
        elif target is not None:
            outcome = self._grown(call_operation, target, tuple(given.items()), earlier)
        else:
            return None
        if outcome.failure is not None:
            return None
        node = NodeRecord(given, outcome.result, True, parameters, outcome.flops, outcome.bytes)
        return Made(outcome, tuple(received.items()), node, module, normalizes)

    def _node(self, instance: Instance, node: Node, results: Given, record: NodeRecord, place: Place) -> Frozen:
        if isinstance(node, GetNode):
            return self._get(self._locate(instance, node.target), place, record)
        environment = self._environment(instance)
        given: Given = {}
        for name, value in node.arguments.items():
            given[name] = read(value, environment, results)
            if isinstance(value, Ref) or any(True for _ in refs(value)):
                record.inputs[name] = given[name]
        if isinstance(node, FunctionNode):
            return self._operation(node, given, place)
        located = self._locate(instance, node.target)
        match node:
            case CallNode():
                result = self._call(located, given, place, node.target)
                record.parameters = self.layers.parameters(located)
            case LoopNode():
                result = self._loop(located, given, place, node.target)
                record.parameters = self.layers.parameters(located)
            case ChooseNode():
                key = read(node.key, environment, results)
                result = self._choose(located, key, given, place, node.target)
        return result

    def _environment(self, instance: Instance) -> Mapping[str, object]:
        return {**instance.environment, TRAINING: True} if self.training else instance.environment

    def _holds(self, condition: str, environment: Mapping[str, object], place: Place) -> bool:
        try:
            return bool(parse(condition).evaluate(environment))
        except ExpressionError as error:
            self._report(ProblemCode.EXPRESSION_INVALID, str(error), place.below("when"))
            return False

    def also(self, other: Inference) -> None:
        """Take in what another pass reached and this one did not: the nodes that run in training only."""
        for key, record in other.nodes.items():
            mine = self.nodes.get(key)
            if mine is None or (record.reached and not mine.reached):
                self.nodes[key] = record
        for name, module in other.modules.items():
            if not (name in self.modules and self.modules[name].calls):
                self.modules[name] = module
        known = {(call.name, call.place.node) for call in self.normalized}
        self.normalized += [call for call in other.normalized if (call.name, call.place.node) not in known]

    def _locate(self, instance: Instance, target: str) -> Located:
        located = self.network.locate(instance, target)
        if located is None or located.place.pointer in self.network.broken:
            raise Stopped
        self._crossed |= located.instance is not instance
        return located

    # --- kinds of nodes

    def _operation(self, node: FunctionNode, given: Given, place: Place) -> Frozen:
        arguments = tuple(given.items())
        outcome = self._outcome(call_operation, node.target, arguments, (place.instance or "", node.id))
        if outcome.failure is not None:
            if self.findings is not None:
                diagnosis.operation(self.findings, node, arguments, outcome.failure, place)
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
                result = self._layer(located, _adapted(given, _first_port(member.target)), place, path)
            case BlockUse():
                inner = self.network.instances.get(located.name)
                if inner is None:
                    raise Stopped
                ports = self._ports(located)
                given = _adapted(given, ports[0][0] if ports else "input")
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
        return self.layers.settle(located.name, located.place.member, found)

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
_Any = TypeVar("_Any")


def _since(noted: dict[str, _Any], count: int) -> list[tuple[str, _Any]]:
    """What was added to a dictionary after its first ``count`` items."""
    return list(islice(reversed(noted.items()), len(noted) - count))[::-1]


def _adapted(given: Given, first: str) -> Given:
    """Arguments as the callee names them: containers and loops hand on what they carry as ``input``."""
    if "input" not in given or first == "input":
        return given
    return {first if name == "input" else name: value for name, value in given.items()}


@cache
def _first_port(target: str) -> str:
    entry = find(target)
    return entry.inputs[0].name if entry and entry.inputs else "input"


def _below(path: str, item: Located) -> str:
    return f"{path}.{item.place.path.rpartition('.')[2]}"


def _forward(instance: Instance) -> str:
    return pointer(pointer_of(instance.block), "forward")


def at_batch(inputs: Mapping[str, tuple[TensorSpec, bool]], batch: int) -> Given:
    """Example inputs with the batch axis in front of those that have one."""
    return {
        name: replace(spec, shape=(batch, *spec.shape)) if batched else spec for name, (spec, batched) in inputs.items()
    }
