"""What a pass of inference writes down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from layerloom.graph.checking.autos import AutoPath
from layerloom.graph.checking.calls import Arguments, Outcome
from layerloom.graph.checking.findings import Place
from layerloom.graph.checking.values import Frozen, LayerConfig

Given: TypeAlias = dict[str, Frozen]
"""Arguments of a call by name."""


class Stopped(Exception):  # noqa: N818 - no error of its own: the problem is in the findings
    """A node has no result."""


@dataclass(slots=True)
class NodeRecord:
    """What one node of one instance got and gave; summed when its block is called several times."""

    inputs: Given = field(default_factory=dict)
    output: Frozen = None
    reached: bool = False
    parameters: int = 0
    flops: int = 0
    bytes: int = 0

    def copy(self) -> NodeRecord:
        """Another of the same (``copy.copy`` takes ten times as long)."""
        return NodeRecord(self.inputs, self.output, self.reached, self.parameters, self.flops, self.bytes)


@dataclass(slots=True)
class ModuleRecord:
    """The same of one module."""

    inputs: Given = field(default_factory=dict)
    output: Frozen = None
    flops: int = 0
    bytes: int = 0
    calls: int = 0

    def add(self, inputs: Given, outcome: Outcome) -> None:
        """Another call."""
        self.inputs, self.output = inputs, outcome.result
        self.calls += 1
        self.flops += outcome.flops
        self.bytes += outcome.bytes

    def copy(self) -> ModuleRecord:
        """Another of the same."""
        return ModuleRecord(self.inputs, self.output, self.flops, self.bytes, self.calls)


@dataclass
class Layers:
    """Configurations of the network's layers by qualified name, automatic sizes filled in as they become known."""

    configs: dict[str, LayerConfig] = field(default_factory=dict)
    automatic: set[str] = field(default_factory=set)
    """Layers that still have automatic sizes."""
    sizes: dict[str, dict[AutoPath, int]] = field(default_factory=dict)
    """Automatic sizes that are known."""
    holders: set[str] = field(default_factory=set)
    """Modules that have a layer with automatic sizes inside, known or not."""

    def wait(self, name: str) -> None:
        """Note a layer that has automatic sizes."""
        self.automatic.add(name)
        while name:
            name = name.rpartition(".")[0]
            self.holders.add(name)


@dataclass(slots=True)
class Told:
    """What one call of a block wrote down, to be written again for another that is called alike."""

    instance: str
    result: Frozen
    flops: int
    bytes: int
    nodes: list[tuple[str, NodeRecord]]
    modules: list[tuple[str, ModuleRecord]]
    layer_calls: list[tuple[str, LayerConfig, Arguments, Place]]
    called: list[str]
    """Instances of blocks."""
