"""The check: what a document means, node by node.

``checked`` takes any parsed document and never raises: whatever is wrong becomes a ``Problem`` with a place and, where
there is one, a fix. Torch itself is the shape checker: layers and operations run on meta tensors, one node at a time,
so no layer's shape rule is written here.
"""

from __future__ import annotations

from dataclasses import dataclass

from layerloom.schema.document import Document
from layerloom.schema.report import Report

__all__ = ["CheckedGraph", "check", "checked"]


@dataclass(frozen=True)
class CheckedGraph:
    """A document and what the check found in it.

    ``document`` has every automatic size filled in that could be determined; when ``report.ok`` there is none left,
    and the source writer may rely on every name, reference and argument.
    """

    document: Document
    report: Report


def checked(document: Document, batch: int = 2) -> CheckedGraph:
    """Judge a document at an example batch of ``batch`` samples. Never raises; thread-safe.

    Every size, FLOP count and byte count of the report is at that batch.
    """
    from layerloom.graph.checking.session import run

    return run(document, batch)


def check(document: Document, batch: int = 2) -> Report:
    """The report of ``checked`` alone: shapes, costs and problems."""
    return checked(document, batch).report
