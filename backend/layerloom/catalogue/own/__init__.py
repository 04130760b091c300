"""Layers that a person brings as Python code: read as text anywhere, run where that is allowed and nowhere else.

A process knows none of them until ``allow`` is called in it, which sandboxed processes and trainers do, on a server
that was started with ``--allow-python``, and a person does for their own process. The process of the API never does.
From then on the classes of one set of texts at a time stand in the catalogue, under names like ``python.SwishGate``.
"""

from layerloom.catalogue.own.classes import allow, allowed, entries, known, on_change, use
from layerloom.catalogue.own.text import MODULES, PREFIX, CodeError, Imported, Text, docstring, read

__all__ = [
    "MODULES",
    "PREFIX",
    "CodeError",
    "Imported",
    "Text",
    "allow",
    "allowed",
    "docstring",
    "entries",
    "known",
    "on_change",
    "read",
    "use",
]
