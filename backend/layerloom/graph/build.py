"""From a document to a module: check it, write its source, run that very source."""

from __future__ import annotations

import atexit
import hashlib
import importlib
import os
import shutil
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
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

    It is imported from a file in a private folder at the end of ``sys.path``, so that ``inspect``, tracebacks,
    ``torch.compile`` and pickling into a spawned process see an ordinary module.
    """
    name = f"layerloom_network_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    with _lock:
        if name in sys.modules:
            return sys.modules[name]
        path = _folder(os.getpid()) / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        importlib.invalidate_caches()
        return importlib.import_module(name)


_lock = threading.Lock()


@cache
def _folder(process: int) -> Path:
    """A folder of this process; a forked one makes its own, because each removes its folder when it ends."""
    folder = tempfile.mkdtemp(prefix="layerloom-")
    atexit.register(_remove, folder, process)
    sys.path.append(folder)
    return Path(folder)


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
