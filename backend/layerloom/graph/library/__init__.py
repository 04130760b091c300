"""Networks of torchvision as documents, opened and proven once: what a library does not change need not be made anew.

``torchvision.jsonl`` has a line of the versions that its documents were opened with, and a line for each network, by
name; those without a document are made when they are opened. ``docs/draw_library.py`` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

from layerloom.schema.document import Document
from layerloom.schema.importing import LibraryNetwork

FILE = Path(str(files(__name__).joinpath("torchvision.jsonl")))
SOURCE = "torchvision:"


def release(of: str) -> str:
    """A version without what tells builds apart: ``0.29.1`` of ``0.29.1+cpu``."""
    return of.partition("+")[0]


@cache
def networks() -> list[LibraryNetwork]:
    """What is listed, by name; empty where the installed torchvision is another one than the documents are of."""
    return [_network(line) for line in _lines().values()]


def kept(source: str, part: str = "") -> Document | None:
    """The document of ``torchvision:resnet152``; None where it has to be made."""
    line = _lines().get(source.removeprefix(SOURCE)) if source.startswith(SOURCE) else None
    if line is None or line["part"] != part or "document" not in line:
        return None
    return Document.model_validate(line["document"])


def _network(line: Mapping[str, Any]) -> LibraryNetwork:
    document = line.get("document")
    told = {key: value for key, value in line.items() if key != "document"}
    if document is not None:
        told["inputs"] = [example["shape"] for example in document["inputs"].values()]
    return LibraryNetwork.model_validate({**told, "kept": document is not None})


@cache
def _lines() -> dict[str, dict[str, Any]]:
    head, *rest = map(json.loads, FILE.read_text(encoding="utf-8").splitlines())
    try:
        installed = release(version("torchvision"))
    except PackageNotFoundError:
        return {}
    return {line["name"]: line for line in rest} if installed == head["torchvision"] else {}
