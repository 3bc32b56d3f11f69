"""Arenas: conversations of another kind, in which people compare answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
NEVER_AGAIN = {"sqlite_autoincrement": True}


def upgrade() -> None:
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("kind", sa.Text, nullable=False, server_default="statements"))
    op.create_table(
        "arenas",
        sa.Column("conversation_id", sa.Integer, _key("conversations"), primary_key=True),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("check_percent", "enough")),
        sa.Column("live", sa.JSON, nullable=False),
        sa.Column("turns", sa.Integer, nullable=False),
    )
    op.create_table(
        "arena_prompts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.Integer, _key("conversations"), nullable=False, index=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("turns", sa.JSON, nullable=False),
        sa.Column("judge_id", sa.Integer, _key("participants"), index=True),
        sa.UniqueConstraint("conversation_id", "key"),
        **NEVER_AGAIN,
    )
    op.create_table(
        "arena_answers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("prompt_id", sa.Integer, _key("arena_prompts"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("model", "text")),
        sa.Column("spoiled", sa.Boolean, nullable=False),
        sa.UniqueConstraint("prompt_id", "model", "spoiled"),
        **NEVER_AGAIN,
    )
    op.create_table(
        "arena_showings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("participant_id", sa.Integer, _key("participants"), nullable=False, index=True),
        sa.Column("prompt_id", sa.Integer, _key("arena_prompts"), nullable=False, index=True),
        *(sa.Column(name, sa.Integer, _key("arena_answers"), nullable=False, index=True) for name in ("a_id", "b_id")),
        sa.Column("token", sa.Text, nullable=False, unique=True),
        sa.Column("chance", sa.Double, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        **NEVER_AGAIN,
    )
    op.create_table(
        "arena_votes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("showing_id", sa.Integer, _key("arena_showings"), nullable=False, unique=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("helpfulness", "harmlessness")),
        sa.Column("time", sa.BigInteger, nullable=False),
        **NEVER_AGAIN,
    )


def _key(table: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
