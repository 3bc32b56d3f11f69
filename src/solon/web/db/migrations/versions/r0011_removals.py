"""People can be removed from a conversation, and let in again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from solon.web.db.migrations import append_only

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "removals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.Integer, sa.ForeignKey("conversations.id"), nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.Integer, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    append_only("removals")
