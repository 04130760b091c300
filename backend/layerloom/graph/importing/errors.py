"""Why a module stays closed."""

from __future__ import annotations


class ClosedError(Exception):
    """A module, or what it does, cannot be said in a document; the sentence says why."""

    def __init__(self, message: str, path: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        """Qualified name of the module that is meant, where it is not the one that was being read."""
