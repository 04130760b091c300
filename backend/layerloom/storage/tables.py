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
    sa.Column("body", sa.LargeBinary, nullable=False),
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
