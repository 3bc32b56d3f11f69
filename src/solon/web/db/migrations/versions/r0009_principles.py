"""Exports that are brought in, and the way from votes to principles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "staged",
        _conversation(),
        sa.Column("archive", sa.LargeBinary, nullable=False),
        sa.Column("sign", sa.SmallInteger),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "principles",
        _conversation(),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("merges", sa.JSON, nullable=False),
        sa.Column("asked", sa.JSON, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
    )


def _conversation() -> sa.Column[int]:
    return sa.Column(
        "conversation_id", sa.Integer, sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
