"""What a pass of inference writes down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from layerloom.graph.checking.autos import AutoPath
from layerloom.graph.checking.findings import Place
from layerloom.graph.checking.running import Arguments, Outcome
from layerloom.graph.checking.values import Frozen, LayerConfig

Given: TypeAlias = dict[str, Frozen]
"""Arguments of a call by name."""


class Stopped(Exception):  # noqa: N818 - no error of its own: the problem is in the findings
    """A node has no result."""


@dataclass(slots=True, eq=False)
class NodeRecord:
    """What one node of one instance got and gave; summed when its block is called several times.

    Nodes that are called alike share a record, so that none is changed once it is noted.
    """

    inputs: Given = field(default_factory=dict)
    output: Frozen = None
    reached: bool = False
    parameters: int = 0
    flops: int = 0
    bytes: int = 0

    def own(self) -> NodeRecord:
        """Another of the same, to be written on (``copy.copy`` takes ten times as long)."""
        return NodeRecord(dict(self.inputs), self.output, self.reached, self.parameters, self.flops, self.bytes)

    def then(self, later: NodeRecord) -> NodeRecord:
        """This call and a later one."""
        flops, size = self.flops + later.flops, self.bytes + later.bytes
        return NodeRecord(later.inputs, later.output, later.reached, later.parameters, flops, size)


@dataclass(slots=True, eq=False)
class ModuleRecord:
    """The same of one module."""

    inputs: Given = field(default_factory=dict)
    output: Frozen = None
    flops: int = 0
    bytes: int = 0
    calls: int = 0

    def then(self, later: ModuleRecord) -> ModuleRecord:
        """These calls and later ones."""
        flops, size = self.flops + later.flops, self.bytes + later.bytes
        return ModuleRecord(later.inputs, later.output, flops, size, self.calls + later.calls)


@dataclass(slots=True, eq=False)
class Made:
    """A call of a layer or an operation that was given connections alone; equal ones of a pass share it."""

    target: LayerConfig | str
    outcome: Outcome
    arguments: Arguments
    """As the layer's or operation's own ports name them."""
    node: NodeRecord
    module: ModuleRecord | None
    normalizes: LayerConfig | None
    """The layer, if it has a batch normalization."""
    sizes: dict[AutoPath, int] | None = None
    """What the layer's automatic sizes became, if it had any."""


class Normalized(NamedTuple):
    """A call of a layer that is, or has inside, a batch normalization."""

    name: str
    config: LayerConfig
    arguments: Arguments
    place: Place


@dataclass(slots=True)
class Told:
    """What one call of a block wrote down, to be written again for another that is called alike."""

    instance: str
    result: Frozen
    flops: int
    bytes: int
    nodes: tuple[list[str], list[NodeRecord]]
    """What stands behind the instance's name in their keys, and what was noted of each."""
    modules: tuple[list[str], list[ModuleRecord]]
    """The same of modules."""
    normalized: list[Normalized]
    called: list[str]
    """Instances of blocks, as they are named inside this one."""
