"""The tables. The runs table is narrow: a page of ten thousand runs never reads a document."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SLOW = sa.text("kind NOT IN ('metrics', 'progress')")
"""Of events: the kinds that do not come with every step."""

PLACED = sa.text("last_step IS NOT NULL")
"""Of events: those whose values the series hold."""

networks = sa.Table(
    "networks",
    metadata,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False, index=True),
)

network_revisions = sa.Table(
    "network_revisions",
    metadata,
    sa.Column("network", sa.ForeignKey("networks.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("saved_at", sa.Double, nullable=False),
    # What a person calls it, to find it again; empty for the many that are saved by themselves.
    sa.Column("label", sa.Text, nullable=False, server_default=""),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tags", sa.Text, nullable=False, server_default="[]"),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("desired", sa.String(8), nullable=False),
    # The fencing token: rises on every claim and whenever a loss is declared.
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("crashes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("device", sa.String(16), nullable=False),
    sa.Column("threads", sa.Integer),
    sa.Column("parameters", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("started_at", sa.Double),
    sa.Column("ended_at", sa.Double),
    # A crashed run waits a little before it is tried again.
    sa.Column("not_before", sa.Double, nullable=False, server_default="0"),
    sa.Column("step", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("steps", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("epochs", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("last", sa.Text, nullable=False, server_default="{}"),
    sa.Column("best", sa.Text, nullable=False, server_default="{}"),
    sa.Column("last_seq", sa.BigInteger, nullable=False, server_default="0"),
    # Wishes for a checkpoint: the number of the last one, and of the last that was fulfilled.
    sa.Column("asked", sa.Integer, nullable=False, server_default="0"),
    sa.Column("answered", sa.Integer, nullable=False, server_default="0"),
    # What is wanted to differ from the plan, and the number of the last change that took effect.
    sa.Column("adjustment", sa.Text, nullable=False, server_default="{}"),
    sa.Column("adjusted", sa.Integer, nullable=False, server_default="0"),
    # The run that this one was forked from, which may be gone: its name, and its step that this one began with.
    sa.Column("origin", sa.String(12), index=True),
    sa.Column("origin_name", sa.Text),
    sa.Column("origin_step", sa.BigInteger),
    sa.Index(None, "created_at", "id"),
    sa.Index(None, "state", "created_at"),
)

run_bodies = sa.Table(
    "run_bodies",
    metadata,
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("plan", sa.LargeBinary, nullable=False),
    sa.Column("problem", sa.LargeBinary),
    # JSON: every change that took effect, and where the run was forked from.
    sa.Column("adjusted", sa.Text, nullable=False, server_default="[]"),
    sa.Column("origin", sa.Text),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("token_hash", sa.String(64), nullable=False),
    sa.Column("handle", sa.Text),
    sa.Column("received", sa.BigInteger, nullable=False, server_default="0"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    # Of metrics whose values the series hold: the ids of these, and the steps; of all other events the text.
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("first_step", sa.BigInteger),
    sa.Column("last_step", sa.BigInteger),
    # A viewer who has read the series needs these alone; of the others there are some for each step.
    sa.Index(None, "run", "seq", sqlite_where=SLOW, postgresql_where=SLOW),
    sa.Index(None, "run", "last_step", sqlite_where=PLACED, postgresql_where=PLACED),
)

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("best", sa.Boolean, nullable=False),
    sa.Column("monitor", sa.Text, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("weights", sa.String(8), nullable=False, server_default="trained"),
    sa.Column("saved_at", sa.Double, nullable=False),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    # SHA-256 of what the client sent: any text, one length.
    sa.Column("key_hash", sa.String(64), primary_key=True),
    sa.Column("body_hash", sa.String(64), nullable=False),
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
)

series = sa.Table(
    "series",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("length", sa.BigInteger, nullable=False),
    sa.Column("first_step", sa.BigInteger, nullable=False),
    sa.Column("last_step", sa.BigInteger, nullable=False),
    # When training would have begun, had it never paused, as of the newest value.
    sa.Column("began", sa.Double, nullable=False),
    sa.Index(None, "run", "name", unique=True),
)

chunks = sa.Table(
    "chunks",
    metadata,
    sa.Column("series", sa.ForeignKey("series.id", ondelete="CASCADE"), primary_key=True),
    # 0 for values; a cell of a level stands for 16 cells of the one below.
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    # Of the values alone: beside a whole one PostgreSQL would not always choose the primary key.
    sa.Index(None, "series", "step", sqlite_where=sa.text("level = 0"), postgresql_where=sa.text("level = 0")),
)
