"""A person's own layers, kept as files below the home directory: what was sent, and what it turned out to be."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from layerloom.api.refusals import Refusal, unknown
from layerloom.files import write_json
from layerloom.schema.document import Document
from layerloom.schema.own import OwnLayer
from layerloom.schema.problems import Edit, Fix, Problem, ProblemCode

PREFIX = "python."
"""What the catalogue calls them by."""
MOST = 200
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_lock = threading.Lock()


def listed(folder: Path) -> list[OwnLayer]:
    """All of them by name; a file that is none is passed over."""
    found = []
    for file in sorted(folder.glob("*.json")):
        try:
            found.append(OwnLayer.model_validate_json(file.read_bytes()))
        except (OSError, ValidationError):
            continue
    return found


def keep(folder: Path, name: str, layer: OwnLayer) -> None:
    """Keep a layer, in the place of an older one of that name. Raises Refusal where there are too many."""
    if not _NAME.fullmatch(name):
        raise Refusal(422, ProblemCode.NAME_INVALID, "This is no name for a class.")
    with _lock:
        folder.mkdir(exist_ok=True, mode=0o700)
        file = folder / f"{name}.json"
        if not file.exists() and len(list(folder.glob("*.json"))) >= MOST:
            raise Refusal(422, ProblemCode.TOO_LARGE, f"{MOST} layers are kept already; delete one.")
        write_json(file, layer)


def remove(folder: Path, name: str) -> None:
    """Forget a layer. Documents that carry it have a copy of their own. Raises Refusal where there is none."""
    if not _NAME.fullmatch(name):
        raise unknown("layer")
    try:
        (folder / f"{name}.json").unlink()
    except FileNotFoundError:
        raise unknown("layer") from None


def with_fixes(problems: Sequence[Problem], document: Document, folder: Path) -> list[Problem]:
    """Problems, those of unknown names with a fix that has the document carry the layer that is kept here."""
    missing = {ProblemCode.UNKNOWN_LAYER, ProblemCode.UNKNOWN_OPERATION}
    if not any(problem.code in missing for problem in problems):
        return list(problems)
    known = {f"{PREFIX}{layer.entry.label}": layer for layer in listed(folder)}
    found = []
    for problem in problems:
        layer = known.get(str(problem.data.get("name"))) if problem.code in missing else None
        if layer is not None:
            label, value = layer.entry.label, {"source": layer.source}
            path, given = (f"/code/{label}", value) if document.code else ("/code", {label: value})
            fix = Fix(title=f"Take {label} from your layers", edits=[Edit(op="add", path=path, value=given)])
            problem = problem.model_copy(update={"fixes": [fix, *problem.fixes]})
        found.append(problem)
    return found
