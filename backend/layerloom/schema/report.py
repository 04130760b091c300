"""What a check found: shapes and costs of every node, and the problems."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypeAliasType

from layerloom.schema.base import Wire
from layerloom.schema.problems import Problem


class TensorType(Wire):
    """Shape and dtype of a tensor at the example batch size."""

    shape: list[int]
    dtype: str
    batch_axes: list[int] = []
    """The axes that grow with the batch; shown as N."""


class Other(Wire):
    """A result that is no tensor: a number, a size, None."""

    text: Annotated[str, Field(max_length=200)]


Result = TypeAliasType("Result", "TensorType | Other | list[Result] | dict[str, Result]")
"""What a node gives: a tensor, or a tuple, list or dict of results."""


class NodeReport(Wire):
    """One node of one instance of a block."""

    inputs: dict[str, Result] = {}
    output: Result | None = None
    """None where inference did not reach the node, or failed there."""
    parameters: int = 0
    flops: int = 0
    """Floating point operations of the forward pass, torch's own count (a multiply-add is two)."""
    activation_bytes: int = 0


class ModuleReport(Wire):
    """One module by its qualified name, summed over its calls."""

    parameters: int = 0
    trainable: int = 0
    inputs: dict[str, Result] = {}
    output: Result | None = None
    flops: int = 0
    activation_bytes: int = 0
    calls: int = 0


class Totals(Wire):
    """The whole network, at the example batch size."""

    parameters: int = 0
    trainable: int = 0
    buffers: int = 0
    parameter_bytes: int = 0
    flops: int = 0
    activation_bytes: int = 0
    nodes: int = 0
    batch: int = 0


class Confirmation(Wire):
    """Answer of ``POST /api/graphs/confirm``: what one real run of a network found that its check had not."""

    problems: list[Problem] = []


class Report(Wire):
    """Answer of ``layerloom.check`` and ``POST /api/graphs/check``."""

    ok: bool
    """No problem is an error."""
    problems: list[Problem] = []
    nodes: dict[str, NodeReport] = {}
    """Key: ``<instance>#<node id>``; the outermost block's instance is empty (``#n1``)."""
    modules: dict[str, ModuleReport] = {}
    """Key: qualified module name, items of containers included (``features.0``)."""
    outputs: Result | None = None
    autos: dict[str, int | list[int]] = {}
    """Resolved automatic sizes. Key: ``<qualified module name>.<argument>`` (``features.0.in_channels``)."""
    totals: Totals = Totals()
