"""Layers that a document carries as Python code: whether they may be run here, and whether they can be."""

from __future__ import annotations

from layerloom.catalogue import own
from layerloom.graph.checking.findings import Findings, Place, pointer, shown
from layerloom.graph.names import CLASSES, is_identifier
from layerloom.schema.document import Document
from layerloom.schema.problems import ProblemCode

DISABLED = (
    "this network carries Python code, and running it is switched off. Start the server with "
    "`layerloom serve --allow-python`; give other commands --allow-python; in Python, call `layerloom.allow_python()`."
)
CUSTOMARY = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}
"""What short names mean in every file that is written."""


def check_code(document: Document, findings: Findings) -> bool:
    """Have the catalogue know a document's own layers, and those of no other document.

    Where nothing may be run, that is the one problem, and nothing is.
    """
    if not document.code:
        own.use({})
        return True
    if not own.allowed():
        findings.add(ProblemCode.PYTHON_DISABLED, DISABLED, Place(pointer="/code"))
        return False
    if not _check_texts(document, findings):
        return False
    errors = own.use({name: layer.source for name, layer in document.code.items()})
    for name, error in errors.items():
        _report(findings, name, error)
    return findings.ok


def _check_texts(document: Document, findings: Findings) -> bool:
    """Read every text, and see that in one file none hides what another one means."""
    meanings = dict(CUSTOMARY)
    defined = dict.fromkeys(document.blocks, "a block")
    for name, layer in document.code.items():
        place = Place(pointer=pointer("/code", name))
        if not is_identifier(name) or name in CLASSES:
            reserved = name in CLASSES
            code = ProblemCode.NAME_RESERVED if reserved else ProblemCode.NAME_INVALID
            findings.add(code, f"{shown(name)} cannot be the name of a layer.", place)
            continue
        try:
            text = own.read(name, layer.source)
        except own.CodeError as error:
            _report(findings, name, error)
            continue
        for item in text.imports:
            if meanings.setdefault(item.name, item.path) != item.path:
                message = f"{item.name} means {meanings[item.name]} elsewhere in the file; import it under another name"
                _report(findings, name, own.CodeError(message))
        for label in sorted(text.names):
            if label in defined:
                message = f"{shown(label)} is the name of {defined[label]} of this network, too."
                findings.add(ProblemCode.NAME_DUPLICATE, message, place)
            elif label in CLASSES:
                findings.add(ProblemCode.NAME_RESERVED, f"{shown(label)} cannot be defined by a layer's text.", place)
            defined[label] = f"something in {name}"
    clashing = sorted((meanings.keys() - CUSTOMARY.keys()) & defined.keys())
    for label in clashing:
        message = f"{shown(label)} is imported by a layer's text, and the name of {defined[label]}, too."
        findings.add(ProblemCode.NAME_DUPLICATE, message, Place(pointer="/code"))
    return findings.ok


def _report(findings: Findings, name: str, error: own.CodeError) -> None:
    where = f", line {error.line}" if error.line else ""
    place = Place(pointer=pointer("/code", name, "source"))
    data = {"name": name, "line": error.line}
    findings.add(ProblemCode.PYTHON_INVALID, f"{shown(name)}{where}: {error}.", place, data=data)
