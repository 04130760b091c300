"""Why a module stays closed."""

from __future__ import annotations


class ClosedError(Exception):
    """A module, or what it does, cannot be said in a document; the sentence says why."""
