"""Wire types of imports: where a network comes from, and what comes of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from layerloom.schema.base import Wire
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.document import Document, InputExample, Name

Scalar = StrictBool | StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=10_000)] | None
Plain = Scalar | Annotated[list[Scalar], Field(max_length=10_000)]
"""What JSON and Python mean by the same."""


class ImportRequest(Wire):
    """Body of ``POST /api/graphs/import``."""

    source: Annotated[str, Field(min_length=1, max_length=1_000_000)]
    """``torchvision:resnet50``, ``timm:…``, or the text of a Python file."""
    name: Name = ""
    """Of a text: the class to open; the last one that is an ``nn.Module`` when empty."""
    arguments: dict[Name, Plain] = {}
    """Values for the constructor of that class."""
    inputs: dict[str, InputExample] = {}
    """By the names of the forward's parameters; found by trying when empty."""
    part: Annotated[str, Field(max_length=1_000)] = ""
    """Of a network: the part to open alone, ``backbone``, or those to open as one, ``backbone+head``."""


class ImportAnswer(Wire):
    """A network that was opened."""

    document: Document
    notes: list[str] = []
    """What the reader should know: what was left out, assumed or proposed."""


class OutlineRequest(Wire):
    """Body of ``POST /api/graphs/outline``."""

    source: Annotated[str, Field(max_length=1_000_000)]
    """The text of a Python file."""
    name: Name = ""
    """The class that is meant; the last one that is a module when empty."""


class SourceClass(Wire):
    """A class of a Python text that may be a network."""

    name: str
    line: int
    arguments: list[ParameterSpec] = []
    """What its constructor takes."""
    inputs: list[str] = []
    """What its ``forward`` takes and cannot do without."""


class Outline(Wire):
    """What a Python text holds, as far as it can be told without running it."""

    classes: list[SourceClass] = []
    chosen: str = ""
    """The class that would be opened."""
    readable: bool = False
    """Whether that one is read as text. It has to be run otherwise."""
    reason: str = ""
    """Why it has to be run, or why the text is no Python."""
    line: int | None = None
    """Of the text, which the reason is about."""


class LibraryNetwork(Wire):
    """A network of torchvision."""

    name: str
    """``resnet152``: opened as ``torchvision:resnet152``."""
    family: str
    """Its class: ``ResNet``."""
    task: Literal["classification", "segmentation", "detection", "video", "optical flow"]
    part: str = ""
    """What of it is opened, where that is not the whole: ``backbone+head`` of a detector."""
    parameters: int | None = None
    """None where it is not known before it is made."""
    inputs: list[list[int]]
    """Shapes that its weights were trained at, per sample."""
    kept: bool = True
    """Whether its document is kept, so that it opens at once. Others are made, given the shapes."""


class ImportSources(Wire):
    """Answer of ``GET /api/graphs/import``: what can be opened here."""

    python: bool
    """Whether code that has to be run may be run. The command line alone decides it."""
    files: list[str]
    """Suffixes of files that are opened."""
    networks: list[LibraryNetwork] = []
    """torchvision's, by name."""


class ExpressionRequest(Wire):
    """Body of ``POST /api/graphs/expression``."""

    text: Annotated[str, Field(max_length=1_000_000)]
    """``x * sigmoid(gate)``."""
    name: Name = ""
    """What the block is to be called."""
    parameters: Annotated[
        dict[Name, Annotated[list[Annotated[int, Field(strict=True)]], Field(max_length=16)]], Field(max_length=64)
    ] = {}
    """Names of the text that are parameters, and their shapes."""
