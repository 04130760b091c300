"""Revisions of networks that a person has named."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """One column; nobody has named anything yet."""
    op.add_column("network_revisions", sa.Column("label", sa.Text(), nullable=False, server_default=""))
