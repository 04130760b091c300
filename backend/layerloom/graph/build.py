"""From a document to a module: check it, write its source, run that very source."""

from __future__ import annotations

import hashlib
import linecache
import sys
from types import ModuleType

import torch
from torch import nn

from layerloom.graph.checking import checked
from layerloom.graph.errors import GraphError
from layerloom.graph.source import write
from layerloom.schema.document import Document


def to_python(document: Document) -> str:
    """The source of a document's module: one file that imports only torch and needs no LayerLoom.

    Raises GraphError when the document has errors.
    """
    graph = checked(document)
    if not graph.report.ok:
        raise GraphError([problem for problem in graph.report.problems if problem.severity == "error"])
    return write(graph.document)


def build(document: Document, seed: int | None = None) -> nn.Module:
    """The module that a document describes: an instance of its main class, initialized and with parameters frozen.

    With ``seed`` the global generators are set to it first, so that the parameters are those of the hand-written
    class made after ``torch.manual_seed(seed)`` and given to ``model.apply``. Raises GraphError.
    """
    module = load(to_python(document))
    if seed is not None:
        torch.manual_seed(seed)
    made = getattr(module, document.main)()
    assert isinstance(made, nn.Module)
    return made


def load(source: str) -> ModuleType:
    """The written source as a module, imported once per process and content.

    It stands in ``sys.modules`` and its lines in ``linecache``, so that ``inspect``, tracebacks, pickle and
    ``torch.compile`` see an ordinary module.
    """
    name = f"layerloom_network_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    filename = f"<{name}>"
    module = ModuleType(name)
    module.__file__ = filename
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), module.__dict__)  # noqa: S102 - our own writer's text, no document's
    sys.modules[name] = module
    return module
