"""What can be written of a network, and what is told of a file that was."""

from __future__ import annotations

from typing import Literal

from layerloom.schema.base import Wire

FormatKind = Literal["source", "weights", "program", "quantized"]
"""What a file holds: code, tensors for that code, both in one, or either with weights of eight bits."""


class ExportFormat(Wire):
    """A kind of file. Answer of ``GET /api/graphs/export``, one per line of ``layerloom.graph.exporting.FORMATS``."""

    name: str
    label: str
    suffix: str
    """With its dot."""
    media_type: str
    summary: str
    kind: FormatKind
    """All but the source hold weights, which a run has once it has a checkpoint."""
    missing: list[str] = []
    """Python packages that it needs and that are not installed here."""


class Agreement(Wire):
    """How far the written file's outputs are from torch's, over all outputs, on random inputs.

    Relative errors are those of a whole tensor, because an output near zero has no meaningful error of its own: the
    largest error over the largest value, and the mean error over the mean magnitude.
    """

    batch: int | None
    """Samples; None where no input has a batch axis."""
    max_absolute: float
    mean_absolute: float
    max_relative: float
    mean_relative: float


class Quantization(Wire):
    """What quantization saved, and what it cost."""

    bytes_before: int
    """Of parameters and buffers, shared ones once; the file is larger by its description of the network."""
    bytes_after: int
    ratio: float
    """``bytes_after / bytes_before``."""
    error: Agreement
    """Of the quantized network against the one in full precision."""
    quantized: list[str]
    """Names of the parameters that hold whole numbers now."""
    kept: list[str]
    """Names of those that stayed as they were."""


class ExportReport(Wire):
    """What is known of a file when it is handed out."""

    format: str
    bytes: int
    verified: list[Agreement] = []
    """Empty for formats that hold no program."""
    quantization: Quantization | None = None
    notes: list[str] = []
    """What a reader of the file has to know: a package it needs, a batch size it refuses."""
