"""Stored documents: each save is a revision, and a save names the revision it replaces."""

from __future__ import annotations

from layerloom.schema.document import Document
from layerloom.schema.run import Network, NetworkSummary


class Networks:
    """Documents with revisions 1, 2, 3… Every method raises ``Missing`` for an unknown id."""

    def create(self, document: Document, name: str = "") -> Network:
        """Store a new network at revision 1, under a server-made id; the name defaults to the document's."""
        ...

    def get(self, network: str, revision: int | None = None) -> Network:
        """The newest revision, or the one named."""
        ...

    def list(self, limit: int = 200, offset: int = 0) -> list[NetworkSummary]:
        """Newest save first."""
        ...

    def save(self, network: str, document: Document, name: str = "", expected_revision: int | None = None) -> Network:
        """Append a revision; ``StaleRevision`` unless the stored one is as expected. An unchanged document adds none."""
        ...

    def revisions(self, network: str) -> list[NetworkSummary]:
        """All revisions, newest first."""
        ...

    def delete(self, network: str) -> None:
        """Remove a network with its revisions; runs keep their own copy of the document."""
        ...
