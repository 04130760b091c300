"""Wishes for a checkpoint, changes of a running plan, forks, and which weights a checkpoint holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Columns only; what is there has asked for nothing, changed nothing and was forked from nothing."""
    for name in ("asked", "answered", "adjusted"):
        op.add_column("runs", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("adjustment", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("runs", sa.Column("origin", sa.String(length=12)))
    op.create_index(op.f("ix_runs_origin"), "runs", ["origin"], unique=False)
    op.add_column("run_bodies", sa.Column("adjusted", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("run_bodies", sa.Column("origin", sa.Text()))
    op.add_column("checkpoints", sa.Column("weights", sa.String(length=8), nullable=False, server_default="trained"))
