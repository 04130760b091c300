"""Stored documents: each save is a revision, and a save names the revision it replaces."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from layerloom.schema.document import Document
from layerloom.schema.run import Network, NetworkSummary, Revision
from layerloom.storage.database import Database
from layerloom.storage.errors import Missing, StaleRevision
from layerloom.storage.ids import LARGEST_INTEGER, known_form, label, new_id
from layerloom.storage.tables import network_revisions, networks

_newest = sa.select(
    networks.c.id, network_revisions.c.name, networks.c.revision, networks.c.updated_at, network_revisions.c.document
).join_from(
    networks,
    network_revisions,
    sa.and_(network_revisions.c.network == networks.c.id, network_revisions.c.revision == networks.c.revision),
)
_summary = _newest.with_only_columns(
    networks.c.id, network_revisions.c.name, networks.c.revision, networks.c.updated_at
)
_revision = tuple(network_revisions.c[name] for name in Revision.model_fields)


class Networks:
    """Documents with revisions 1, 2, 3… Every method raises ``Missing`` for an unknown id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, document: Document, name: str = "") -> Network:
        """Store a new network at revision 1, under a server-made id; the name defaults to the document's."""
        network, now = new_id(), time.time()
        with self._database.write() as connection:
            connection.execute(networks.insert().values(id=network, revision=1, updated_at=now))
            return _add_revision(connection, network, 1, document, name, now)

    def get(self, network: str, revision: int | None = None) -> Network:
        """The newest revision, or the one named."""
        with self._database.read() as connection:
            return _stored(connection, known_form(network, "network"), revision)

    def page(self, limit: int = 200, offset: int = 0) -> list[NetworkSummary]:
        """Newest save first."""
        query = _summary.order_by(networks.c.updated_at.desc(), networks.c.id)
        query = query.limit(max(0, min(limit, 200))).offset(max(0, min(offset, LARGEST_INTEGER)))
        with self._database.read() as connection:
            return [NetworkSummary(**row) for row in connection.execute(query).mappings()]

    def save(self, network: str, document: Document, name: str = "", expected_revision: int | None = None) -> Network:
        """Append a revision; ``StaleRevision`` unless the stored one is as expected.

        An unchanged document adds none.
        """
        with self._database.write() as connection:
            held = sa.select(networks.c.id).where(networks.c.id == known_form(network, "network")).with_for_update()
            connection.execute(held)
            current = _stored(connection, network, None)
            if expected_revision is not None and expected_revision != current.revision:
                raise StaleRevision(current)
            title = label(name or document.name)
            if title == current.name and document == current.document:
                return current
            revision, now = current.revision + 1, time.time()
            change = networks.update().where(networks.c.id == network).values(revision=revision, updated_at=now)
            connection.execute(change)
            return _add_revision(connection, network, revision, document, title, now)

    def revisions(self, network: str, limit: int = 200, offset: int = 0, *, labelled: bool = False) -> list[Revision]:
        """Newest first; on request only those that have a label."""
        table = network_revisions
        query = sa.select(*_revision).where(table.c.network == known_form(network, "network"))
        if labelled:
            query = query.where(table.c.label != "")
        query = query.order_by(table.c.revision.desc())
        query = query.limit(max(0, min(limit, 200))).offset(max(0, min(offset, LARGEST_INTEGER)))
        with self._database.read() as connection:
            known = connection.execute(sa.select(networks.c.id).where(networks.c.id == network)).first()
            rows = connection.execute(query).mappings().all()
        if known is None:
            raise Missing("there is no such network")
        return [Revision(**row) for row in rows]

    def name_revision(self, network: str, revision: int, text: str) -> Revision:
        """Give a revision a label, by which a person finds it again; an empty one takes it away."""
        if not 0 < revision <= LARGEST_INTEGER:
            raise Missing("there is no such revision")
        table = network_revisions
        which = sa.and_(table.c.network == known_form(network, "network"), table.c.revision == revision)
        with self._database.write() as connection:
            connection.execute(table.update().where(which).values(label=label(text.strip())))
            row = connection.execute(sa.select(*_revision).where(which)).mappings().first()
        if row is None:
            raise Missing("there is no such revision")
        return Revision(**row)

    def delete(self, network: str) -> None:
        """Remove a network with its revisions; runs keep their own copy of the document."""
        with self._database.write() as connection:
            gone = connection.execute(networks.delete().where(networks.c.id == known_form(network, "network")))
            if gone.rowcount == 0:
                raise Missing("there is no such network")


def _stored(connection: sa.Connection, network: str, revision: int | None) -> Network:
    if revision is None:
        query = _newest.where(networks.c.id == network)
    else:
        if not 0 < revision <= LARGEST_INTEGER:
            raise Missing("there is no such revision")
        table = network_revisions
        columns = (table.c.network.label("id"), table.c.name, table.c.revision, table.c.document)
        query = sa.select(*columns, table.c.saved_at.label("updated_at"))
        query = query.where(table.c.network == network, table.c.revision == revision)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise Missing("there is no such network" if revision is None else "there is no such revision")
    return _network(dict(row))


def _network(row: dict[str, Any]) -> Network:
    return Network(**{**row, "document": Document.model_validate_json(row["document"])})


def _add_revision(
    connection: sa.Connection, network: str, revision: int, document: Document, name: str, now: float
) -> Network:
    title = label(name or document.name)
    body = document.model_dump_json().encode()
    values = {"network": network, "revision": revision, "name": title, "document": body, "saved_at": now}
    connection.execute(network_revisions.insert().values(values))
    return Network(id=network, name=title, revision=revision, updated_at=now, document=document)
