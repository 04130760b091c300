"""Metrics are stored once, in the series; who has read these is told of the rest without a look at every step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Where an event's values lie, and indexes of the events of both sorts. Old events are moved by the store."""
    op.add_column("events", sa.Column("first_step", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("last_step", sa.BigInteger(), nullable=True))
    slow, placed = sa.text("kind NOT IN ('metrics', 'progress')"), sa.text("last_step IS NOT NULL")
    op.create_index("ix_events_run_seq", "events", ["run", "seq"], sqlite_where=slow, postgresql_where=slow)
    op.create_index(
        "ix_events_run_last_step", "events", ["run", "last_step"], sqlite_where=placed, postgresql_where=placed
    )
