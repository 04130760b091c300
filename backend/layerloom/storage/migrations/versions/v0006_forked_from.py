"""What a run was forked from, in its row of the table."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Two columns, filled from what the forks were told to begin with; a name is the one that is known now."""
    op.add_column("runs", sa.Column("origin_name", sa.Text()))
    op.add_column("runs", sa.Column("origin_step", sa.BigInteger()))
    runs = sa.table("runs", *map(sa.column, ("id", "name", "origin", "origin_name", "origin_step")))
    bodies = sa.table("run_bodies", sa.column("run"), sa.column("origin"))
    connection, other = op.get_bind(), runs.alias()
    forks = sa.select(runs.c.id, other.c.name, bodies.c.origin).join(bodies, bodies.c.run == runs.c.id)
    forks = forks.outerjoin(other, other.c.id == runs.c.origin).where(runs.c.origin.is_not(None))
    for run, name, origin in connection.execute(forks).all():
        told = json.loads(origin)
        values = {"origin_name": name or told["name"], "origin_step": told["report"]["step"]}
        connection.execute(runs.update().where(runs.c.id == run).values(values))
