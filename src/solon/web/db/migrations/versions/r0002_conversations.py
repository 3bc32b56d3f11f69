"""Conversations: who runs them, who takes part, what they say, what they are shown and how they vote."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _conversations()
    _people()
    _statements()
    _votes()


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("slug", sa.Text, nullable=False, unique=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("topic", "description", "organiser", "contact")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("consent", "language", "population", "state")),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("invited", "listed", "strict")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("votes_before_writing", "longest")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("least_views", "seeds_first")),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "memberships",
        sa.Column("member_id", sa.Integer, sa.ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "conversation_id", sa.Integer, sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("role", sa.Text, nullable=False),
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.Integer, primary_key=True),
        _conversation(),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("used", sa.Boolean, nullable=False),
    )


def _people() -> None:
    op.create_table(
        "participants",
        sa.Column("id", sa.Integer, primary_key=True),
        _conversation(),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("browser", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("joined", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("conversation_id", "number"),
        sa.UniqueConstraint("conversation_id", "browser"),
    )
    op.create_table(
        "answers",
        _participant(primary_key=True),
        sa.Column("question", sa.Text, primary_key=True),
        sa.Column("answer", sa.Text, nullable=False),
    )


def _statements() -> None:
    op.create_table(
        "statements",
        sa.Column("id", sa.Integer, primary_key=True),
        _conversation(),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("author_id", sa.Integer, sa.ForeignKey("participants.id", ondelete="SET NULL"), index=True),
        sa.Column("moderated", sa.SmallInteger, nullable=False),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("is_seed", "is_meta", "withdrawn")),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("conversation_id", "number"),
    )
    op.create_table(
        "showings",
        sa.Column("id", sa.Integer, primary_key=True),
        _participant(index=True),
        _statement(index=True),
        sa.Column("token", sa.Text, nullable=False, unique=True),
        sa.Column("chance", sa.Double),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("answered", sa.Boolean, nullable=False),
    )


def _votes() -> None:
    op.create_table(
        "votes",
        sa.Column("id", sa.Integer, primary_key=True),
        _participant(),
        _statement(index=True),
        sa.Column("vote", sa.SmallInteger),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.UniqueConstraint("participant_id", "token"),
    )
    op.create_table(
        "standing",
        _participant(primary_key=True),
        _statement(primary_key=True, index=True),
        sa.Column("vote", sa.SmallInteger, nullable=False),
        sa.Column("vote_id", sa.Integer, nullable=False),
    )


def _conversation() -> sa.Column[int]:
    key = sa.ForeignKey("conversations.id", ondelete="CASCADE")
    return sa.Column("conversation_id", sa.Integer, key, nullable=False, index=True)


def _participant(*, primary_key: bool = False, index: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey("participants.id", ondelete="CASCADE")
    return sa.Column("participant_id", sa.Integer, key, nullable=False, primary_key=primary_key, index=index or None)


def _statement(*, primary_key: bool = False, index: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey("statements.id", ondelete="CASCADE")
    return sa.Column("statement_id", sa.Integer, key, nullable=False, primary_key=primary_key, index=index or None)
