"""Moderation: what was decided on statements, by whom and why; rewrites; a second reviewer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from solon.web.db.migrations import append_only

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("statement_id", sa.Integer, sa.ForeignKey("statements.id"), nullable=False, index=True),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.Integer),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("criterion", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    append_only("decisions")
    with op.batch_alter_table("statements") as table:
        table.add_column(sa.Column("open", sa.Boolean, nullable=False, server_default=sa.true()))
        table.add_column(sa.Column("rewritten_from", sa.Integer))
    op.execute("UPDATE statements SET open = (moderated = 0)")
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("criteria", sa.Text, nullable=False, server_default=""))
        table.add_column(sa.Column("second_look", sa.Boolean, nullable=False, server_default=sa.true()))
