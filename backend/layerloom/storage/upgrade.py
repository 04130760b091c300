"""Bringing a database to this version's schema."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from layerloom.storage.errors import StoreTooNew
from layerloom.storage.series import compact, fill

_ADVISORY_LOCK = 0x4C6F6F6D  # any number of our own: two services that start together migrate one after the other
_WITHOUT_SERIES = {"0001"}
_TWICE = {"0001", "0002"}
"""Revisions that store the values of series once more as events."""


def upgrade(connection: sa.Connection) -> None:
    """Migrate to the newest revision inside the caller's transaction; raises ``StoreTooNew`` and changes nothing."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    present = MigrationContext.configure(connection).get_current_revision()
    if present is not None and present not in known:
        raise StoreTooNew(f"the database has schema {present}, which a newer LayerLoom made; update LayerLoom")
    command.upgrade(config, "head")
    if present in _WITHOUT_SERIES:
        fill(connection)  # after every migration: it speaks of the tables as they are now
    if present in _TWICE:
        compact(connection)
