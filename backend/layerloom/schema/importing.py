"""Wire types of imports: where a network comes from, and what comes of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from layerloom.schema.base import Wire
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
