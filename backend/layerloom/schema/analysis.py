"""What a network costs: numbers, operations and memory, per node and block, and for training by a plan."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.document import Document
from layerloom.schema.plan import Choice, Precision
from layerloom.schema.problems import Problem
from layerloom.schema.report import Totals


class AnalysisRequest(Wire):
    """Body of ``POST /api/graphs/analysis``."""

    document: Document
    batch: Annotated[int, Field(gt=0, le=65_536, strict=True)] = 64
    optimizer: Choice = Choice(name="torch.optim.AdamW")
    precision: Precision = "fp32"


class Cost(Wire):
    """Of a node."""

    parameters: int = 0
    flops: int = 0
    """Floating point operations of the forward pass, torch's own count (a multiply-add is two)."""
    activation_bytes: int = 0
    """Of the results."""


class ModuleCost(Cost):
    """Of a module or a block, summed over its calls."""

    trainable: int = 0
    calls: int = 0


class TrainingMemory(Wire):
    """Bytes of the tensors that live through a training step on the CPU.

    Not in it: gradients of activations and what else kernels need for a moment (the peak of a real step is up to a
    third above the sum), what the allocator keeps in reserve, and on a GPU the context (some hundred MB).
    """

    weights: int
    """Parameters and buffers."""
    gradients: int
    """Of the trainable parameters."""
    optimizer: int
    """What the optimizer keeps from step to step, once it has kept all that it will."""
    activations: int
    """The results of the network, and what the forward pass saves for the backward pass, each counted once."""
    inputs: int
    """The batch itself."""
    total: int


class Analysis(Wire):
    """Answer of ``layerloom.analyse`` and ``POST /api/graphs/analysis``, at one batch size."""

    totals: Totals
    nodes: dict[str, Cost]
    """Key: ``<instance>#<node id>``, as in a report."""
    modules: dict[str, ModuleCost]
    """Key: qualified module name."""
    blocks: dict[str, ModuleCost]
    """Key: name of the block; all its instances together."""
    training: TrainingMemory | None = None
    """None where ``problems`` say why."""
    problems: list[Problem] = []
