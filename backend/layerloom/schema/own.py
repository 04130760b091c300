"""Wire types of a person's own layers in Python: what is sent to be examined, and what is kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.catalogue import Entry
from layerloom.schema.document import InputExample, Name
from layerloom.schema.problems import Problem
from layerloom.schema.report import Result
from layerloom.schema.values import Arguments


class OwnLayerRequest(Wire):
    """Body of ``POST /api/python-layers``: an ``nn.Module`` or a ``torch.autograd.Function``, and how it is tried."""

    name: Name
    """Of the class."""
    source: Annotated[str, Field(max_length=100_000)]
    arguments: Arguments = {}
    """Examples of what a module's ``__init__``, or a function's ``forward`` beside its tensors, is given."""
    inputs: Annotated[dict[str, InputExample], Field(max_length=16)] = {}
    """Examples of what ``forward`` is given, by the names of its parameters. Small ones: gradients are computed number
    by number."""


class Examination(Wire):
    """What a layer turned out to be when it was tried."""

    kind: Literal["layer", "operation"]
    """A module is a layer, a Function an operation."""
    entry: Entry
    """Its form and ports, as in the catalogue."""
    outputs: Result | None = None
    """Shapes and dtypes of what it gives for two samples."""
    problems: list[Problem] = []
    """Errors stand in its way; warnings say what it cannot do."""


class OwnLayer(Examination):
    """A layer that is kept and offered beside torch's own."""

    source: str
    created_at: float
    """Seconds since 1970."""
