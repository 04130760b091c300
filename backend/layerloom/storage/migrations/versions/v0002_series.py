"""Series as columns, beside the events that they come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Series of runs, and the rows of their values and pyramids. Those of old runs are filled by the store."""
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(length=12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("began", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_series_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
    )
    op.create_index(op.f("ix_series_run_name"), "series", ["run", "name"], unique=True)
    op.create_table(
        "chunks",
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name=op.f("fk_chunks_series"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("series", "level", "first", name=op.f("pk_chunks")),
    )
    values = sa.text("level = 0")
    columns = ["series", "step"]
    op.create_index(
        op.f("ix_chunks_series_step"), "chunks", columns, unique=False, sqlite_where=values, postgresql_where=values
    )
    if op.get_bind().dialect.name == "postgresql":
        # They are packed already: compressing them again would cost every reader and save nothing.
        op.execute("ALTER TABLE chunks ALTER COLUMN data SET STORAGE EXTERNAL")
