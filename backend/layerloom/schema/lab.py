"""The init lab: how a network's numbers spread through its depth before any training, for several initializers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.document import Document, InitRule
from layerloom.schema.plan import Plan
from layerloom.schema.problems import Problem

SchemeName = Annotated[str, Field(min_length=1, max_length=64)]


class Scheme(Wire):
    """Initializers under a name.

    A scheme with rules takes the place of the document's rules and of its layers' own initializers; those of bare
    parameters stay. One without rules is the network as it is drawn.
    """

    name: SchemeName
    rules: list[InitRule] | None = None


class LabRequest(Wire):
    """Body of ``POST /api/graphs/init-lab``."""

    document: Document
    ready: Annotated[list[SchemeName], Field(max_length=16)] = []
    """Names of schemes that LayerLoom knows: ``kaiming normal``, ``xavier uniform``, ``recommended``…"""
    schemes: Annotated[list[Scheme], Field(max_length=16)] = []
    """Schemes of one's own, shown behind those. With neither, the network as drawn and some usual ones are compared."""
    seeds: Annotated[int, Field(ge=1, le=32, strict=True)] = 3
    """How many: 0, 1, 2…"""
    batch: Annotated[int, Field(ge=2, le=1024, strict=True)] = 32


class LabCall(Wire):
    """One call of a layer; calls stand in the order in which they run, so that their index is a depth."""

    name: str
    """Qualified module name."""
    target: str
    """Catalogue name."""
    call: int = 0
    """0, or which further call of the same layer."""
    weighs: bool = False
    """The layer multiplies with a weight: a linear layer or a convolution."""


class Moments(Wire):
    """Of all numbers of one tensor, per seed; None where they are not finite, or nothing was computed."""

    mean: list[float | None]
    variance: list[float | None]
    """Unbiased, as ``torch.var``."""


class SchemeResult(Wire):
    """What was measured under one scheme, per call."""

    name: str
    rules: list[InitRule] | None = None
    """Those that were used."""
    outputs: list[Moments]
    gradients: list[Moments]
    """Of the gradient that arrives at the call's output, where a standard normal one arrives at the network's."""


class LabReport(Wire):
    """Answer of ``layerloom.init_lab`` and ``POST /api/graphs/init-lab``."""

    batch: int
    seeds: list[int]
    calls: list[LabCall]
    schemes: list[SchemeResult]
    steady: dict[Literal["forward", "backward"], float]
    """By which the variance of outputs, and of gradients, may change between the first layer and the last and is
    steady still."""
    factors: dict[Literal["forward", "backward"], float]
    """By which the variance of outputs, and of gradients, may change between the first layer and the last before a
    network is said not to learn."""
    ready: list[SchemeName]
    """All schemes that LayerLoom knows."""


class DoctorRequest(Wire):
    """Body of ``POST /api/graphs/doctor``."""

    document: Document
    plan: Plan | None = None
    measure: bool = True
    """False: only what is drawn is judged, and nothing is computed."""


class DoctorReport(Wire):
    """Answer of ``POST /api/graphs/doctor``."""

    problems: list[Problem]
    recommended: list[InitRule]
    """The initializers that the literature recommends for this network; empty for one that has errors."""
