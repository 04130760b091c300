"""What a network costs: numbers, operations and memory, per node and block, and for training by a plan."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.document import Document
from layerloom.schema.plan import Choice, Precision
from layerloom.schema.report import Totals


class AnalysisRequest(Wire):
    """Body of ``POST /api/graphs/analysis``."""

    document: Document
    batch: Annotated[int, Field(gt=0, le=65_536, strict=True)] = 64
    optimizer: Choice = Choice(name="torch.optim.AdamW")
    precision: Precision = "fp32"


class Cost(Wire):
    """Of a node, a module or a block."""

    parameters: int = 0
    trainable: int = 0
    flops: int = 0
    """Floating point operations of the forward pass, torch's own count (a multiply-add is two)."""
    activation_bytes: int = 0
    """Of the results."""
    calls: int = 0


class TrainingMemory(Wire):
    """Bytes that one training step holds at its fullest, between forward and backward pass.

    Not in it: what kernels need for themselves while they run, what the allocator keeps in reserve, and on a GPU the
    context (some hundred MB).
    """

    weights: int
    """Parameters and buffers."""
    gradients: int
    """Of the trainable parameters."""
    optimizer: int
    """What the optimizer keeps from step to step."""
    activations: int
    """Tensors that the forward pass saves for the backward pass, each counted once however many need it."""
    inputs: int
    """The batch itself."""
    total: int


class Analysis(Wire):
    """Answer of ``layerloom.analyse`` and ``POST /api/graphs/analysis``, at one batch size."""

    totals: Totals
    nodes: dict[str, Cost]
    """Key: ``<instance>#<node id>``, as in a report."""
    modules: dict[str, Cost]
    """Key: qualified module name."""
    blocks: dict[str, Cost]
    """Key: name of the block; all its instances together."""
    training: TrainingMemory
