"""The smallest networks that learn from data of a kind, to be drawn on."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from layerloom.graph.checking.trials import edited
from layerloom.graph.fitting.changing import fitting
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.document import Document


def template(entry: DatasetEntry) -> Document:
    """A network that takes the samples of an entry and gives what its targets need."""
    document = _begun(_kind(entry)).model_copy(update={"name": entry.label or entry.name})
    return edited(document, fitting(document, entry).edits)


def _kind(entry: DatasetEntry) -> str:
    """A name in the file of templates."""
    if entry.task == "tokens":
        return "tokens"
    if not entry.dtype.startswith("float"):
        return "text"
    return "images" if len(entry.shape) == 3 else "numbers"


@cache
def _begun(kind: str) -> Document:
    text = files(__name__.rpartition(".")[0]).joinpath("templates.json").read_text(encoding="utf-8")
    return Document.model_validate(json.loads(text)[kind])
