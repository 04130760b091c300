"""How an uploaded file is read, and what was found in it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.problems import Problem

ColumnKind = Literal["number", "category", "id", "text"]
"""``number`` is one feature, ``category`` one per value, ``id`` a whole number for an Embedding, ``text`` a sequence of
tokens."""
ColumnRole = Literal["feature", "target", "ignored"]
TokenUnit = Literal["character", "word"]
ColumnName = Annotated[str, Field(max_length=200)]


class Column(Wire):
    """A column of a table or an array of an archive, and what is made of it."""

    name: ColumnName
    kind: ColumnKind
    role: ColumnRole


class TextReading(Wire):
    """How text becomes token ids."""

    unit: TokenUnit = "word"
    lowercase: bool = True
    length: Annotated[int, Field(ge=2, le=8_192, strict=True)] = 64
    """Tokens of a sample. A longer text is cut, a shorter one is filled up with padding."""
    most: Annotated[int, Field(ge=1, le=200_000, strict=True)] = 10_000
    """Tokens that get an id of their own, the most frequent ones; padding and unknown come beside them."""
    min_count: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 1
    """A token that occurs less often in the training part is unknown."""


class ImageReading(Wire):
    """How images of one size are made of the ones that were sent."""

    height: Annotated[int, Field(ge=1, le=512, strict=True)]
    width: Annotated[int, Field(ge=1, le=512, strict=True)]
    fit: Literal["crop", "pad"] = "crop"
    """``crop`` fills the size and cuts off what sticks out on both sides, ``pad`` shows the whole image on black."""
    grey: bool = False
    """One channel in place of three."""


class Reading(Wire):
    """What is made of a file: guessed when it is uploaded, and changed by its owner."""

    columns: Annotated[list[Column], Field(max_length=10_000)] = []
    """Those that are missing here are guessed."""
    missing: Literal["drop", "mean"] = "drop"
    """Rows with a value that is missing or no number are left out, or get the training part's mean in its place. A row
    without a target, an id or a text is left out in any case."""
    text: TextReading | None = None
    """Guessed when None, and of no use where there is no text."""
    images: ImageReading | None = None
    """The same of images."""


ColumnNote = Literal["nested", "names_rows", "constant", "many_values", "days"]
"""Why a column is not what one might expect: lists and structures are not read; it names the rows; it has one value;
it is a text of too many values for a category; times count in days since 1970."""


class ColumnFacts(Column):
    """A column with what its cells say. Numbers are None where it has none."""

    stored: str
    """Type in the file."""
    kinds: list[ColumnKind]
    """What it can be read as; a column without any cannot be used."""
    note: ColumnNote | None = None
    missing: int = 0
    distinct: int | None = None
    """None for more than are counted."""
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    histogram: list[int] = []
    """Cells in equal intervals from minimum to maximum."""
    sampled: int | None = None
    """How many cells, drawn by lot, the histogram is of, where it is not of all."""
    common: dict[str, int] = {}
    """The most frequent values of a column of few, with their number."""


RowReason = Literal["missing", "no_number", "too_large", "no_target", "no_id", "empty_text"]


class RowProblem(Wire):
    """Rows with one thing wrong in one column."""

    column: str
    reason: RowReason
    treated: Literal["dropped", "filled"]
    count: int
    rows: list[int]
    """The first of them, counted from 1 without the header."""


FileReason = Literal[
    "unsafe_name",
    "link",
    "encrypted",
    "unreadable",
    "too_large",
    "no_class",
    "no_image",
    "too_many_pixels",
    "broken",
]
"""Why a file of an archive is left out: its name leads out of the archive; it is a link; it has a password; it cannot
be unpacked; it is too large; it lies in no folder that names a class; it is no image; it has too many pixels; its
pixels are broken or of an unknown scale."""


class FileProblem(Wire):
    """A file that is left out."""

    file: Annotated[str, Field(max_length=200)]
    reason: FileReason


class InputFacts(Wire):
    """A tensor that the data give to an input of the network."""

    shape: list[int]
    dtype: str
    ids: int | None = None
    """Rows that an Embedding of it needs, of token and other ids."""
    features: list[str] = []
    """What each number of a table's row is: a column, or a column's value as ``city=Rome``. The first of very many."""


class DatasetDetails(Wire):
    """Answer of ``GET /api/datasets/{name}/details``: an upload beyond its entry."""

    reading: Reading
    columns: list[ColumnFacts] = []
    rows: int = 0
    dropped: int = 0
    problems: list[RowProblem] = []
    files: list[FileProblem] = []
    """The first files of an archive that are left out; ``dropped`` counts all."""
    sizes: dict[str, int] = {}
    """Height × width of the images as they were sent, the most frequent ones."""
    inputs: dict[str, InputFacts] = {}
    """By the name that an input of the network needs, where there are several."""
    editable: bool = True
    """False when the file was not kept, so that it cannot be read anew."""


class Vocabulary(Wire):
    """Tokens of a run's text by their id. Whoever loads the weights elsewhere has to number tokens in the same way."""

    unit: TokenUnit
    pattern: str
    """Regular expression (of Python's ``re``, over Unicode) whose matches are the tokens."""
    lowercase: bool
    length: int
    padding: int | None = None
    unknown: int
    tokens: list[str]


PartName = Literal["training", "validation", "test"]


class PartFacts(Wire):
    """One part of a divided data set."""

    samples: int
    counts: dict[str, int] = {}
    """Samples of each class, where there are classes."""


class Division(Wire):
    """How a data set is divided unless a plan says otherwise."""

    parts: dict[PartName, PartFacts] = {}
    own: bool = False
    """The source itself sets the parts apart; a plan's share and seed change nothing then."""
    problem: Problem | None = None
    """Why it cannot be divided so; there are no parts then."""


VOCABULARY_FILE = "vocabulary.json"
"""Where a trainer leaves it, in the run's folder."""
