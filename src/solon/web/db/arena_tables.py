"""Tables of arenas. An arena is a conversation of this kind: people join and leave it as any other."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from solon.web.db.tables import NEVER_AGAIN, Base, now


class Arena(Base):
    """How answers are compared in one conversation."""

    __tablename__ = "arenas"
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    check_percent: Mapped[int] = mapped_column(default=10)
    """Of a judge's pairs that are checks of attention, while there are any that they have not seen."""
    enough: Mapped[int] = mapped_column(default=20)
    """Pairs after which a judge is thanked; they may go on."""
    live: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Models that answer what judges write themselves; empty: none do."""
    turns: Mapped[int] = mapped_column(default=4)
    """Most turns of a person in a dialogue of their own."""
    people_of: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))
    """The conversation whose participants compare here, and nobody else. None: whoever the arena's settings let in."""


class ArenaPrompt(Base):
    """What models were asked."""

    __tablename__ = "arena_prompts"
    __table_args__ = (UniqueConstraint("conversation_id", "key"), NEVER_AGAIN)
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    key: Mapped[str]
    """Of the texts, so that the same prompt of two files is one; of a judge's own, random."""
    turns: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """`role` and `text` of each; a person's is the last."""
    judge_id: Mapped[int | None] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"), index=True)
    """Who wrote it in a live arena: it is shown to nobody else."""


class ArenaAnswer(Base):
    """What one model answered."""

    __tablename__ = "arena_answers"
    __table_args__ = (UniqueConstraint("prompt_id", "model", "spoiled"), NEVER_AGAIN)
    id: Mapped[int] = mapped_column(primary_key=True)
    prompt_id: Mapped[int] = mapped_column(ForeignKey("arena_prompts.id", ondelete="CASCADE"))
    model: Mapped[str]
    text: Mapped[str]
    spoiled: Mapped[bool] = mapped_column(default=False)
    """Made bad on purpose, from this model's sound answer to the same prompt: together they are a check."""


class ArenaShowing(Base):
    """A pair that was put before somebody, in which order and by which chance."""

    __tablename__ = "arena_showings"
    __table_args__ = NEVER_AGAIN
    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"), index=True)
    prompt_id: Mapped[int] = mapped_column(ForeignKey("arena_prompts.id", ondelete="CASCADE"), index=True)
    a_id: Mapped[int] = mapped_column(ForeignKey("arena_answers.id", ondelete="CASCADE"), index=True)
    """The answer shown as A; a fair coin chose which."""
    b_id: Mapped[int] = mapped_column(ForeignKey("arena_answers.id", ondelete="CASCADE"), index=True)
    token: Mapped[str] = mapped_column(unique=True)
    chance: Mapped[float]
    """Of the pair, among all that could have been drawn for this judge then."""
    time: Mapped[int] = mapped_column(BigInteger, default=now)


class ArenaVote(Base):
    """What somebody said of a pair, once. Whoever leaves may take theirs along."""

    __tablename__ = "arena_votes"
    __table_args__ = NEVER_AGAIN
    id: Mapped[int] = mapped_column(primary_key=True)
    showing_id: Mapped[int] = mapped_column(ForeignKey("arena_showings.id", ondelete="CASCADE"), unique=True)
    helpfulness: Mapped[str]
    harmlessness: Mapped[str]
    time: Mapped[int] = mapped_column(BigInteger, default=now)
