"""Wire types of fitting a network to a data set: what would change of it, and what it would be begun with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.document import Document
from layerloom.schema.plan import Transform
from layerloom.schema.problems import Edit, Problem

DatasetName = Annotated[str, Field(max_length=200)]


class FittingRequest(Wire):
    """Body of ``POST /api/graphs/fit``."""

    document: Document
    dataset: DatasetName
    transforms: Annotated[list[Transform], Field(max_length=64)] = []
    """Of the plan: the network is given what they make of the samples."""


class FittingChange(Wire):
    """One thing that would change."""

    kind: Literal["input", "size", "output"]
    """What goes in; a size that follows from it; how many numbers come out."""
    name: str
    """Of the input, or of the argument with its member: ``fc.out_features``."""
    before: str
    after: str


class Fitting(Wire):
    """What makes a network fit a data set."""

    changes: list[FittingChange] = []
    """In words; empty where nothing has to change, or where it is not known what would help."""
    edits: list[Edit] = []
    """The same for the document, to be applied together."""
    problems: list[Problem] = []
    """Errors that would be left after them."""


class TemplateRequest(Wire):
    """Body of ``POST /api/graphs/template``."""

    dataset: DatasetName
