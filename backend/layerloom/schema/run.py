"""Runs, networks, data sets and the system, as the API shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.document import Document
from layerloom.schema.events import Event, State
from layerloom.schema.plan import Plan
from layerloom.schema.problems import Problem

Desired = Literal["run", "pause", "stop"]
"""What the user wants of a run: a level, not a message, so that nothing can be lost."""
Label = Annotated[str, Field(max_length=200)]


class NewRun(Wire):
    """Body of ``POST /api/runs``: a document, or a stored network by id (its newest revision unless one is named)."""

    document: Document | None = None
    network: Annotated[str, Field(max_length=64)] | None = None
    revision: int | None = None
    plan: Plan
    name: Label = ""


class RunPatch(Wire):
    """Body of ``PATCH /api/runs/{id}``."""

    name: Label | None = None
    tags: list[Annotated[str, Field(max_length=64)]] | None = None


class RunSummary(Wire):
    """A row of the runs table."""

    id: str
    name: str
    tags: list[str] = []
    state: State
    desired: Desired
    attempt: int
    dataset: str
    model: str
    """Name of the main block."""
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    last: dict[str, float | None] = {}
    """Newest value of each scalar series."""
    best: dict[str, float | None] = {}
    """Best value of each validation series: smallest for losses and errors, largest for the rest."""
    parameters: int = 0
    last_seq: int = 0


class InputScaling(Wire):
    """How inputs were scaled before the network saw them: ``(x - mean) / deviation``, by the name of the input.

    Whoever loads the weights elsewhere has to do the same; values are nested lists of a sample's shape.
    """

    mean: dict[str, list[Any]]
    deviation: dict[str, list[Any]]


SCALING_FILE = "scaling.json"
"""Where a trainer leaves it, in the run's folder."""


class Run(RunSummary):
    """One run, whole."""

    document: Document
    plan: Plan
    scaling: InputScaling | None = None
    """Known once training has begun; None where nothing was scaled."""
    problem: Problem | None = None
    """Why it failed."""


class RunPage(Wire):
    """Answer of ``GET /api/runs``."""

    items: list[RunSummary]
    total: int


class EventPage(Wire):
    """Answer of ``GET /api/runs/{id}/events``."""

    items: list[Event]
    last_seq: int


class Checkpoint(Wire):
    """Weights that can be downloaded."""

    step: int
    epoch: int
    best: bool
    last: bool
    monitor: str = ""
    value: float | None = None
    saved_at: float


class NetworkSummary(Wire):
    """A row of the networks list."""

    id: str
    name: str
    revision: int
    updated_at: float


class Network(NetworkSummary):
    """A stored document. ``revision`` rises by one with each save and is its ETag."""

    document: Document


class NewNetwork(Wire):
    """Body of ``POST /api/networks`` and ``PUT /api/networks/{id}``."""

    document: Document
    name: Label = ""


class Example(Wire):
    """A network that comes with LayerLoom."""

    id: str
    title: str
    summary: str
    dataset: str
    document: Document


class Device(Wire):
    """Something to train on."""

    id: str
    name: str
    memory: int | None = None
    """Bytes."""
    busy: int = 0
    slots: int = 1


class System(Wire):
    """Answer of ``GET /api/system``."""

    layerloom: str
    torch: str
    python: str
    devices: list[Device]
    queued: int = 0
    running: int = 0


class CodeAnswer(Wire):
    """Answer of ``POST /api/graphs/python``."""

    source: str


class DatasetPreview(Wire):
    """Answer of ``GET /api/datasets/{name}/preview``: a few samples as plain numbers, and the classes' counts."""

    inputs: list[Any]
    """Nested lists, one per sample."""
    targets: list[Any]
    counts: dict[str, int] = {}
