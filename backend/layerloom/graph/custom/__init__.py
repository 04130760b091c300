"""Layers that are Python code: tried in every respect, and documents that carry them, in processes of their own.

``ask`` is the service's side: a question is answered in a sandbox (``layerloom.graph.sandbox``) that is started for
it. ``examine`` is what happens there to a new layer. ``ask_aside`` is for documents without code whose questions take
real work.
"""

from layerloom.graph.custom.apart import LIMITS, ask
from layerloom.graph.custom.aside import ask_aside
from layerloom.graph.custom.examine import examine
from layerloom.graph.custom.questions import (
    ANALYSE,
    CHECK,
    CONFIRM,
    DOCTOR,
    EXAMINE,
    KEYS,
    LAB,
    NAMES,
    PYTHON,
    Question,
)

__all__ = [
    "ANALYSE",
    "CHECK",
    "CONFIRM",
    "DOCTOR",
    "EXAMINE",
    "KEYS",
    "LAB",
    "LIMITS",
    "NAMES",
    "PYTHON",
    "Question",
    "ask",
    "ask_aside",
    "examine",
]
