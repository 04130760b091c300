"""The document unrolled for inference: block instances, what their paths lead to, how much there is to run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from layerloom.graph.checking.findings import pointer
from layerloom.graph.errors import GraphError
from layerloom.graph.places import Instance, Place
from layerloom.graph.walk import order, pointer_of, references
from layerloom.schema.document import (
    CONTAINERS,
    Alias,
    BlockUse,
    CallNode,
    Document,
    FunctionNode,
    GetNode,
    Graph,
    Layer,
    Node,
)
from layerloom.schema.values import Ref


class Located(NamedTuple):
    """What a path leads to, aliases followed."""

    instance: Instance
    place: Place
    name: str
    """Qualified module name."""
    tensor: str = ""
    """Name of a parameter or buffer of the layer there: ``weight`` of ``embed.weight``."""


def placed(instance: Instance, place: Place, tensor: str = "") -> Located:
    """A place of an instance."""
    return Located(instance, place, qualified(instance, place.path), tensor)


def qualified(instance: Instance, path: str) -> str:
    """A path below an instance as a path below the whole network, as state_dict keys have it."""
    return f"{instance.name}.{path}" if instance.name else path


class Step(NamedTuple):
    """A node in running order, and what is plain about it."""

    node: Node
    key: str
    """What the report adds to its instance's name."""
    where: str
    """JSON pointer."""
    target: str = ""
    """Of a plain call: the operation, or the path of what is called."""
    layer: bool = False
    """Whether it calls a member."""
    ports: tuple[str, ...] | None = None
    """What a plain call is given; None for a node that is given anything but connections, or under a condition."""
    refs: tuple[str, ...] = ()
    """The ids that are connected to the ports."""


def _step(node: Node, where: str) -> Step:
    if not isinstance(node, CallNode | FunctionNode) or node.when is not None:
        return Step(node, f"#{node.id}", where)
    refs = []
    for value in node.arguments.values():
        if type(value) is not Ref or value.path:
            return Step(node, f"#{node.id}", where)
        refs.append(value.ref)
    return Step(node, f"#{node.id}", where, node.target, type(node) is CallNode, tuple(node.arguments), tuple(refs))


def _in_order(steps: list[Step]) -> bool:
    """Whether each stands behind those that it needs, as documents mostly have it."""
    waiting = {step.node.id for step in steps}
    if len(waiting) != len(steps):
        return False
    for step in steps:
        if not waiting.isdisjoint(step.refs if step.ports is not None else references(step.node)):
            return False
        waiting.discard(step.node.id)
    return True


def _ordered(steps: list[Step]) -> list[Step]:
    try:
        nodes = order(Graph.model_construct(nodes=[step.node for step in steps]))
    except GraphError:
        return []
    by_node = {id(step.node): step for step in steps}
    return [by_node[id(node)] for node in nodes]


@dataclass
class Network:
    """A document whose instances are known. Built once per check, run at two batch sizes."""

    document: Document
    instances: Mapping[str, Instance]
    broken: Collection[str] = ()
    """Pointers of nodes and members that cannot run."""
    _steps: dict[str, list[Step]] = field(default_factory=dict)
    _located: dict[tuple[str, str], Located | None] = field(default_factory=dict)
    _items: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    _costs: dict[str, int] = field(default_factory=dict)
    _places: list[Located] | None = None

    def steps(self, block: str) -> list[Step]:
        """A block's nodes in running order; empty where too many wait for each other."""
        known = self._steps.get(block)
        if known is None:
            graph = self.document.blocks[block].forward
            base = pointer(pointer_of(block), "forward", "nodes")
            steps = [_step(node, f"{base}/{index}") for index, node in enumerate(graph.nodes)]
            if self.broken:
                steps = [step for step in steps if step.where not in self.broken]
            known = self._steps[block] = steps if _in_order(steps) else _ordered(steps)
        return known

    def places(self) -> list[Located]:
        """Every place of every instance."""
        if self._places is None:
            self._places = [
                placed(instance, place) for instance in self.instances.values() for place in instance.places.values()
            ]
        return self._places

    def items(self, located: Located) -> list[Located]:
        """The items of a container, in order."""
        name = located.instance.name
        children = self._items.get(name)
        if children is None:
            children = self._items[name] = {}
            for path, place in located.instance.places.items():
                parent = path.rpartition(".")[0]
                if parent and not isinstance(place.member, Alias):
                    children.setdefault(parent, []).append(path)
        paths = children.get(located.place.path, [])
        return [placed(located.instance, located.instance.places[path]) for path in paths]

    def locate(self, instance: Instance, path: str, depth: int = 0) -> Located | None:
        """What a path below an instance leads to; None where there is nothing."""
        key = (instance.name, path)
        if key not in self._located:
            self._located[key] = self._find(instance, path, depth) if depth < 32 else None
        return self._located[key]

    def _find(self, instance: Instance, path: str, depth: int) -> Located | None:
        place = instance.places.get(path)
        if place is not None:
            if isinstance(place.member, Alias):
                return self.locate(instance, place.member.of, depth + 1)
            return placed(instance, place)
        prefix, _, rest = path.rpartition(".")
        while prefix:
            around = instance.places.get(prefix)
            if around is not None:
                return self._inside(instance, around, rest, depth)
            prefix, _, name = prefix.rpartition(".")
            rest = f"{name}.{rest}"
        return None

    def _inside(self, instance: Instance, around: Place, rest: str, depth: int) -> Located | None:
        match around.member:
            case Alias(of=of):
                return self.locate(instance, f"{of}.{rest}", depth + 1)
            case BlockUse():
                inner = self.instances.get(qualified(instance, around.path))
                return self.locate(inner, rest, depth + 1) if inner else None
            case Layer():
                return placed(instance, around, rest)
        return None

    def cost(self, name: str = "") -> int:
        """How many layers and operations one call of an instance runs, counted without running any."""
        known = self._costs.get(name)
        if known is None:
            instance = self.instances[name]
            known = sum(self._step_cost(instance, step) for step in self.steps(instance.block))
            self._costs[name] = known
        return known

    def _step_cost(self, instance: Instance, step: Step) -> int:
        node = step.node
        if type(node) is FunctionNode or type(node) is GetNode:
            return 1
        place = instance.places.get(node.target)
        if place is not None and type(place.member) is Layer:
            return 1
        located = self.locate(instance, node.target)
        if located is None:
            return 1
        if isinstance(node, CallNode):
            return self._call_cost(located)
        return sum(self._call_cost(item) for item in self.items(located))

    def _call_cost(self, located: Located) -> int:
        member = located.place.member
        if isinstance(member, BlockUse):
            return self.cost(located.name) if located.name in self.instances else 1
        if isinstance(member, CONTAINERS):
            return sum(self._call_cost(item) for item in self.items(located))
        return 1
