"""What a pass of inference writes down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from layerloom.graph.checking.autos import AutoPath
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


@dataclass(slots=True)
class ModuleRecord:
    """The same of one module."""

    inputs: Given = field(default_factory=dict)
    output: Frozen = None
    flops: int = 0
    bytes: int = 0
    calls: int = 0


@dataclass
class Layers:
    """Configurations of the network's layers by qualified name, automatic sizes filled in as they become known."""

    configs: dict[str, LayerConfig] = field(default_factory=dict)
    automatic: set[str] = field(default_factory=set)
    """Layers that still have automatic sizes."""
    sizes: dict[str, dict[AutoPath, int]] = field(default_factory=dict)
    """Automatic sizes that are known."""
