"""What can be drawn, trained and measured, as introspection of the installed torch tells it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.problems import Problem
from layerloom.schema.values import Value

Kind = Literal["int", "float", "bool", "str", "choice", "size", "list", "dtype", "layer", "function", "tensor", "any"]
"""The control that edits a parameter.

``size`` is an int or a tuple of ints (``kernel_size``); ``choice`` is one of ``choices``; ``layer`` and ``function``
are a nested LayerCall and a FunctionRef; ``tensor`` is a port; ``any`` is free text in the value grammar.
"""


class ParameterSpec(Wire):
    """One parameter of a constructor, an operation, an initializer, an optimizer…"""

    name: str
    kinds: Annotated[list[Kind], Field(min_length=1)]
    """Preferred first: ``padding`` of Conv2d is a size or a choice."""
    required: bool = False
    default: Value = None
    nullable: bool = False
    """None is a value of its own."""
    choices: list[Value] = []
    length: int | None = None
    """How many numbers a size tuple has (2 for Conv2d), where it is known."""
    variadic: bool = False
    """Written as separate arguments: ``x.permute(0, 2, 1)``."""
    keyword: bool = False
    """Can only be given by name, though it may be required: ``torch.nonzero_static(x, size=4)``."""
    auto: bool = False
    """The incoming tensor can determine it, so that ``{"$auto": true}`` is allowed."""
    minimum: float | None = None
    doc: str = ""
    """What the docstring says of it, in one sentence."""


class Port(Wire):
    """A tensor that flows in or out of a node."""

    name: str
    path: list[int | str] = []
    """For outputs: where it stands in the result (LSTM's cell state is ``[1, 1]``)."""
    required: bool = True
    many: bool = False
    """Takes a list of tensors (``torch.cat``)."""


class Entry(Wire):
    """One thing of the catalogue. ``name`` is its full dotted path and its identity."""

    name: str
    label: str
    """Its short name: ``Conv2d``."""
    category: str
    """Group in the palette: ``convolution``, ``normalization``, ``arithmetic``…"""
    summary: str = ""
    """First paragraph of its docstring, as plain text."""
    link: str = ""
    """Its page in the torch documentation."""
    parameters: list[ParameterSpec] = []
    inputs: list[Port] = []
    outputs: list[Port] = []
    options: list[ParameterSpec] = []
    """For layers: what a call takes beside tensors (``need_weights`` of MultiheadAttention); argument of a CallNode."""
    keywords: list[str] = []
    """Further words that find it, Chinese ones among them."""
    tensors: list[str] = []
    """For layers: names of the parameters that an instance has (``weight``, ``bias``), which initializers may name."""
    parts: bool = False
    """For schedulers: made of others, which a plan lists beside the arguments."""
    tasks: list[str] = []
    """For losses, metrics and datasets: what they fit: ``classification``, ``regression``, ``tokens``."""


class DatasetEntry(Entry):
    """A data source; ``name`` is short (``digits``)."""

    task: Literal["classification", "regression", "tokens", "reconstruction"]
    shape: list[int]
    """Of one sample."""
    dtype: str = "float32"
    target_shape: list[int] = []
    target_dtype: str = "int64"
    classes: list[str] = []
    """Names of the classes, or the vocabulary of a token task."""
    vocabulary: int = 0
    """Of text that gets its vocabulary from a run's training part: how many ids a network has to be ready for."""
    samples: int = 0
    available: bool = True
    """False while its files are neither on disk nor downloaded."""
    missing: Problem | None = None
    """Why it cannot be used: its files are not here and may not be downloaded, or they are damaged."""
    uploaded: bool = False
    split: dict[Literal["training", "validation", "test"], int] = {}
    """How many samples the source itself sets apart for each part, where it does."""
    fitting: list[str] = []
    """Of uploaded images: how each was brought to the shape, as calls of torchvision.transforms.v2 on an image."""


class Catalogue(Wire):
    """Answer of ``GET /api/catalogue``."""

    torch: str
    """Version that was introspected."""
    digest: str
    """Changes whenever the content does; the ETag."""
    layers: list[Entry]
    operations: list[Entry]
    initializers: list[Entry]
    parametrizations: list[Entry]
    optimizers: list[Entry]
    schedulers: list[Entry]
    losses: list[Entry]
    metrics: list[Entry]
    transforms: list[Entry] = []
    """Of images; the category tells ``preprocessing``, the same every time, from random ``augmentation``."""
    datasets: list[DatasetEntry] = []
