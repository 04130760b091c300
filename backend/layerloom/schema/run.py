"""Runs, networks, data sets and the system, as the API shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.datasets import Division
from layerloom.schema.document import Document
from layerloom.schema.events import Adjusted, Averaged, Event, State
from layerloom.schema.fork import ForkedFrom, Offspring, Origin
from layerloom.schema.orders import Adjustment, Rate
from layerloom.schema.plan import Choice, Plan, Transform
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
    """Body of ``PATCH /api/runs/{id}``; what is left out stays.

    ``Adjustment`` says what a rate and a length mean.
    """

    name: Label | None = None
    tags: list[Annotated[str, Field(max_length=64)]] | None = None
    learning_rate: Rate | None = None
    groups: Annotated[dict[Annotated[str, Field(max_length=512)], Rate], Field(max_length=64)] | None = None
    """Rates of parameter groups, by their patterns in the plan."""
    epochs: Annotated[int, Field(gt=0, le=1_000_000, strict=True)] | None = None
    """How many there are to be in all, those that are done included. A finished run goes on from its checkpoint."""
    steps: Annotated[int, Field(gt=0, le=1_000_000_000, strict=True)] | None = None


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
    forked_from: ForkedFrom | None = None


class InputScaling(Wire):
    """How inputs were scaled before the network saw them: ``(x - mean) / deviation``, by the name of the input.

    Whoever loads the weights elsewhere has to do the same; values are nested lists of a sample's shape.
    """

    mean: dict[str, list[Any]]
    deviation: dict[str, list[Any]]
    filled: dict[str, list[Any]] = {}
    """What takes the place of a missing value, before it is scaled; where the data lack any."""


class Preparation(Wire):
    """What is done with an image before the network sees it, for those who load the weights elsewhere."""

    transforms: list[Choice]
    """In order, of pixels between 0 and 1; what is random belongs to training and is none of them."""
    code: str
    """The same as Python that makes a function ``prepare`` of an image."""


SCALING_FILE = "scaling.json"
PREPARATION_FILE = "preparation.json"
"""Where a trainer leaves them, in the run's folder."""


class Run(RunSummary):
    """One run, whole."""

    document: Document
    plan: Plan
    scaling: InputScaling | None = None
    """Known once training has begun; None where nothing was scaled."""
    vocabulary: bool = False
    """Whether the run numbers tokens by a vocabulary of its own, which can be downloaded."""
    preparation: Preparation | None = None
    """The same of images; None where nothing is transformed."""
    problem: Problem | None = None
    """Why it failed."""
    adjustment: Adjustment = Adjustment()
    """What is wanted to differ from the plan; it has taken effect when it is the last of ``adjusted``."""
    origin: Origin | None = None
    """What it was forked from, and what it began with."""
    forks: list[Offspring] = []
    """Runs that were forked from it, newest first."""
    adjusted: list[Adjusted] = []
    """Every change that took effect, in order."""


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
    weights: Averaged = "trained"


class NetworkSummary(Wire):
    """A row of the networks list."""

    id: str
    name: str
    revision: int
    updated_at: float


class Network(NetworkSummary):
    """A stored document. ``revision`` rises by one with each save and is its ETag."""

    document: Document


class Revision(Wire):
    """A row of a network's history."""

    revision: int
    name: str
    label: str
    """What somebody called it, to find it again; empty for most."""
    saved_at: float


class RevisionLabel(Wire):
    """Body of ``PATCH /api/networks/{id}/revisions/{revision}``; an empty label takes one away."""

    label: Label


class NewNetwork(Wire):
    """Body of ``POST /api/networks`` and ``PUT /api/networks/{id}``."""

    document: Document
    name: Label = ""


class ExampleWords(Wire):
    """What an example is called in a language."""

    title: str
    summary: str


class Example(ExampleWords):
    """A network that comes with LayerLoom."""

    id: str
    family: Literal["basics", "images", "sequences", "generative", "structures"]
    zh: ExampleWords
    plan: Plan
    """One that it can be trained by. Its data set has no name where the network wants data of the user's own."""
    outputs: list[list[int]]
    """Shape of each tensor that it returns, per sample."""
    parameters: int
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


class Picture(Wire):
    """An image to look at, ``C×H×W``: bytes of its values, where 0 stands for ``low`` and 255 for ``high``."""

    shape: list[int]
    low: float
    high: float
    pixels: str
    """Base64, in the order of the axes."""


class TransformRequest(Wire):
    """Body of ``POST /api/datasets/{name}/transforms``."""

    transforms: Annotated[list[Transform], Field(max_length=32)]
    part: Literal["training", "validation"] = "training"
    count: Annotated[int, Field(ge=1, le=16)] = 6
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 0
    """Of the random numbers; another one shows other images."""


class TransformPreview(Wire):
    """The same samples before and after, and the shapes that the network is given."""

    before: list[Picture]
    after: list[Picture]
    labels: list[str] = []
    shapes: dict[Literal["training", "validation"], list[int]]


class DatasetPreview(Wire):
    """Answer of ``GET /api/datasets/{name}/preview``: a few samples as plain numbers, and the classes' counts."""

    inputs: list[Any]
    """Nested lists, one per sample."""
    targets: list[Any]
    pictures: list[Picture] = []
    """Of images: as many as there are targets, which may be more than there are lists."""
    counts: dict[str, int] = {}
    texts: list[str] = []
    """The samples' texts, of data that have some."""
    division: Division = Division()
    """The parts for training, validation and test."""
