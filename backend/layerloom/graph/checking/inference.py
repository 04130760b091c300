"""One pass through a network at one batch size: what every node gets and gives, and the first thing that fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from layerloom.graph.checking import autos
from layerloom.graph.checking.calling import Calling, adapted, first_port
from layerloom.graph.checking.calls import call_layer, call_operation
from layerloom.graph.checking.findings import Place, pointer
from layerloom.graph.checking.holdings import own_sizes
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.reading import Waiting, read
from layerloom.graph.checking.records import Given, Made, ModuleRecord, NodeRecord, Normalized, Stopped, Told
from layerloom.graph.checking.steps import Step
from layerloom.graph.checking.values import Frozen, LayerConfig, TensorSpec
from layerloom.graph.expressions import ExpressionError, parse
from layerloom.graph.places import TRAINING, Instance
from layerloom.graph.walk import pointer_of
from layerloom.schema.document import (
    CallNode,
    ChooseNode,
    FunctionNode,
    GetNode,
    Layer,
    LoopNode,
    Node,
)
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Ref, Value, refs


@dataclass
class Inference(Calling):
    """Runs a network, block by block and node by node."""

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
        flops, size = self.flops, self.bytes
        counts = len(self.nodes), len(self.modules), len(self.normalized), len(self._called)
        self._called[instance.name] = None
        result = self._run(instance, inputs)
        cut = len(instance.name)
        nodes, modules = _since(self.nodes, counts[0]), _since(self.modules, counts[1])
        if not self._crossed and all(record.reached for _, record in nodes):
            self._told[kind] = Told(
                instance.name,
                result,
                self.flops - flops,
                self.bytes - size,
                ([key[cut:] for key, _ in nodes], [record for _, record in nodes]),
                ([key[cut:] for key, _ in modules], [module for _, module in modules]),
                self.normalized[counts[2] :],
                [name[cut:] for name, _ in _since(self._called, counts[3])],
            )
        return result

    def _tell(self, instance: Instance, told: Told) -> Frozen:
        cut, name = len(told.instance), instance.name
        self.nodes.update(zip([name + key for key in told.nodes[0]], told.nodes[1], strict=True))
        self.modules.update(zip([name + key for key in told.modules[0]], told.modules[1], strict=True))
        for call in told.normalized:
            block, node, member, around, port, where = call.place
            place = Place(block, node, member, name + (around or "")[cut:], port, where)
            self.normalized.append(Normalized(name + call.name[cut:], call.config, call.arguments, place))
        self._called.update(dict.fromkeys([name + key for key in told.called]))
        self.flops += told.flops
        self.bytes += told.bytes
        return told.result

    def _run(self, instance: Instance, inputs: Given) -> Frozen:
        graph = self.network.document.blocks[instance.block].forward
        results: Given = {item.name: None for item in graph.inputs if item.optional}
        results.update(inputs)
        plainly = self._plainly if self.before is None else self._plainly_again
        for step in self.network.steps(instance.block):
            if step.ports is None or not plainly(instance, step, results):
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

    def _plainly(self, instance: Instance, step: Step, results: Given) -> bool:
        """Run a node of the kind of which there are thousands: a layer or an operation, given connections alone, that
        has a result. False, and nothing done, for any other. (``_step`` comes to the same, ten times slower.)
        """
        try:
            values = tuple([results[ref] for ref in step.refs])
        except KeyError:
            return False
        target: LayerConfig | str | None = step.target
        place, name = None, ""
        if step.layer:
            place = instance.places.get(step.target)
            if place is None or type(place.member) is not Layer or place.pointer in self.network.broken:
                return False
            name = f"{instance.name}.{step.target}" if instance.name else step.target
            target = self.layers.configs.get(name)
        call = (target, step.ports, values)
        made = self._calls.get(call)
        if made is None:
            if name in self.layers.automatic:
                assert place is not None
                assert isinstance(place.member, Layer)
                made = self._made_to_fit(place.member, target, step, values)
            else:
                made = self._make(target, step, values)
            if made is None:
                return False
            self._calls[call] = made
        if made.sizes and name in self.layers.automatic:
            assert isinstance(made.target, LayerConfig)
            self.layers.settle(name, made.target, made.sizes)
        self._note(instance, step, made)
        results[step.node.id] = made.outcome.result
        return True

    def _plainly_again(self, instance: Instance, step: Step, results: Given) -> bool:
        """The same of a node that was such a one in the pass before."""
        assert self.before is not None
        earlier = self.before.made.get(instance.name + step.key)
        if earlier is None:
            return False
        try:
            call = (earlier, tuple([results[ref] for ref in step.refs]))
        except KeyError:
            return False
        made = self._calls_again.get(call)
        if made is None:
            made = self._make(earlier.target, step, call[1], earlier)
            if made is None:
                return False
            self._calls_again[call] = made
        self._note(instance, step, made)
        results[step.node.id] = made.outcome.result
        return True

    def _note(self, instance: Instance, step: Step, made: Made) -> None:
        """Write down a call."""
        key, nodes, modules = instance.name + step.key, self.nodes, self.modules
        self.made[key] = made
        nodes[key] = nodes[key].then(made.node) if key in nodes else made.node
        if made.module is not None:
            name = f"{instance.name}.{step.target}" if instance.name else step.target
            modules[name] = modules[name].then(made.module) if name in modules else made.module
            if made.normalizes is not None:
                where = instance.places[step.target].pointer
                at = Place(instance.block, step.node.id, step.target, instance.name, None, where)
                self.normalized.append(Normalized(name, made.normalizes, made.arguments, at))
        self.flops += made.outcome.flops
        self.bytes += made.outcome.bytes

    def _made_to_fit(
        self, member: Layer, target: LayerConfig | str | None, step: Step, values: tuple[Frozen, ...]
    ) -> Made | None:
        """A plain call of a layer whose automatic sizes follow from what it is given; None where they do not."""
        assert isinstance(target, LayerConfig)
        given = dict(zip(step.ports or (), values, strict=True))
        found = autos.resolve(target, tuple(adapted(given, first_port(target.target)).items()))
        made = self._make(found.config, step, values) if found.config else None
        return replace(made, sizes=own_sizes(member, found)) if made else None

    def _make(
        self,
        target: LayerConfig | str | None,
        step: Step,
        values: tuple[Frozen, ...],
        before: Made | None = None,
    ) -> Made | None:
        """A plain call that is new to this pass; None where it fails."""
        given = received = dict(zip(step.ports or (), values, strict=True))
        earlier = before.arguments if before else None
        parameters, module, normalizes = 0, None, None
        if isinstance(target, LayerConfig):
            layer = built(target)
            if layer.module is None:
                return None
            received = adapted(given, first_port(target.target))
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
        return Made(target, outcome, tuple(received.items()), node, module, normalizes)

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


_Any = TypeVar("_Any")


def _since(noted: dict[str, _Any], count: int) -> list[tuple[str, _Any]]:
    """What was added to a dictionary after its first ``count`` items."""
    return list(islice(reversed(noted.items()), len(noted) - count))[::-1]


def _forward(instance: Instance) -> str:
    return pointer(pointer_of(instance.block), "forward")


def at_batch(inputs: Mapping[str, tuple[TensorSpec, bool]], batch: int) -> Given:
    """Example inputs with the batch axis in front of those that have one."""
    return {name: spec.sized((batch, *spec.shape)) if batched else spec for name, (spec, batched) in inputs.items()}
