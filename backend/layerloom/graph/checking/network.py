"""The document unrolled for inference: block instances, what their paths lead to, how much there is to run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from layerloom.graph.checking.steps import Step, Steps, ordered
from layerloom.graph.places import Instance, Place
from layerloom.graph.walk import join
from layerloom.schema.document import (
    CONTAINERS,
    Alias,
    BlockUse,
    CallNode,
    Document,
    FunctionNode,
    GetNode,
    Layer,
)


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
    return Located(instance, place, join(instance.name, place.path), tensor)


@dataclass
class Network:
    """A document whose instances are known. Built once per check, run at two batch sizes."""

    document: Document
    instances: Mapping[str, Instance]
    nodes: Steps
    broken: Collection[str] = ()
    """Pointers of nodes and members that cannot run."""
    _steps: Steps = field(default_factory=dict)
    _located: dict[tuple[str, str], Located | None] = field(default_factory=dict)
    _items: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    _costs: dict[str, int] = field(default_factory=dict)
    _places: list[Located] | None = None

    def steps(self, block: str) -> list[Step]:
        """A block's nodes in running order; empty where too many wait for each other."""
        known = self._steps.get(block)
        if known is None:
            steps = self.nodes[block]
            if self.broken:
                steps = [step for step in steps if step.where not in self.broken]
            known = self._steps[block] = ordered(steps)
        return known

    def places(self) -> list[Located]:
        """Every place of every instance."""
        if self._places is None:
            self._places = places = []
            for instance in self.instances.values():
                prefix = f"{instance.name}." if instance.name else ""
                places += [Located(instance, place, prefix + path) for path, place in instance.places.items()]
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
                inner = self.instances.get(join(instance.name, around.path))
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
