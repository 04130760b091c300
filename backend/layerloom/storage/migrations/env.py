"""Run by Alembic, with the connection that ``layerloom.storage.schema`` hands over."""

from __future__ import annotations

from alembic import context

from layerloom.storage.tables import metadata

# SQLite cannot alter a column in place: batch mode copies the table.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
