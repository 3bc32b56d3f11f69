"""Every table. Times are milliseconds since 1970, UTC. Texts that people wrote are untrusted wherever they stand."""

from __future__ import annotations

from enum import StrEnum
from time import time
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, SmallInteger, Text, UniqueConstraint, false, true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {str: Text, dict[str, Any]: JSON}


NEVER_AGAIN = {"sqlite_autoincrement": True}
"""No id is given twice, even when the newest row is gone: logs name members by it, the analysis knows what is new."""


def now() -> int:
    return int(time() * 1000)


class Member(Base):
    """Somebody who runs the site or a part of it."""

    __tablename__ = "members"
    __table_args__ = NEVER_AGAIN
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner: Mapped[bool]
    """May do everything on the site."""
    created: Mapped[int] = mapped_column(BigInteger, default=now)


class EntryLink(Base):
    """A link that signs a member in, once."""

    __tablename__ = "entry_links"
    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    expires: Mapped[int] = mapped_column(BigInteger)
    used: Mapped[int | None] = mapped_column(BigInteger)
    used_by: Mapped[str | None]
    """Hash of the browser's session: it may use the link again for some minutes."""


class SignIn(Base):
    """A browser in which a member is signed in."""

    __tablename__ = "sign_ins"
    browser: Mapped[str] = mapped_column(primary_key=True)
    """Hash of the token that it was given."""
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    expires: Mapped[int] = mapped_column(BigInteger)


class Audited(Base):
    """Something that a member did, or the site itself. Append-only: the database refuses anything else."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    time: Mapped[int] = mapped_column(BigInteger, default=now)
    actor: Mapped[str]
    """Name and number of the member, or `site`. Never a participant."""
    action: Mapped[str]
    detail: Mapped[dict[str, Any]]


class State(StrEnum):
    """Of a conversation."""

    DRAFT = "draft"
    """Only those who run it see it."""
    OPEN = "open"
    CLOSED = "closed"
    """Nobody votes or writes any more."""


class Kind(StrEnum):
    """What people do in a conversation."""

    STATEMENTS = "statements"
    """They vote on each other's statements."""
    ARENA = "arena"
    """They compare answers of models."""


class Results(StrEnum):
    """Who sees the results while people vote."""

    EVERYBODY = "everybody"
    PARTICIPANTS = "participants"
    TEAM = "team"


class Role(StrEnum):
    """Of a member in one conversation; who organises also moderates."""

    MODERATOR = "moderator"
    ORGANISER = "organiser"


class Stage(StrEnum):
    """How far a participant has come."""

    ASKED = "asked"
    """Consented; the questions come next."""
    IN = "in"
    OUTSIDE = "outside"
    """Does not belong to the people whom the conversation asks."""
    FULL = "full"
    """Came when the seats for people like them were taken."""
    REMOVED = "removed"
    """Took part until a moderator removed them: neither their votes nor their statements count."""


class Conversation(Base):
    """One conversation and how it is run."""

    __tablename__ = "conversations"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    """Random, in its addresses."""
    kind: Mapped[str] = mapped_column(default=Kind.STATEMENTS, server_default=Kind.STATEMENTS)
    topic: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    """Markdown."""
    organiser: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    consent: Mapped[str] = mapped_column(default="")
    """What people agree to beside what the page says of itself; Markdown."""
    language: Mapped[str] = mapped_column(default="")
    """Of the statements, as a tag; empty: any."""
    population: Mapped[str] = mapped_column(default="")
    """A population file: questions and quotas."""
    state: Mapped[str] = mapped_column(default=State.DRAFT)
    invited: Mapped[bool] = mapped_column(default=False)
    """Only people with an invitation may take part."""
    listed: Mapped[bool] = mapped_column(default=False)
    """Does the front page name it?"""
    strict: Mapped[bool] = mapped_column(default=True)
    """People see accepted statements alone; else all that were not rejected."""
    votes_before_writing: Mapped[int] = mapped_column(default=10)
    longest: Mapped[int] = mapped_column(default=400)
    """Characters of a statement."""
    least_views: Mapped[int] = mapped_column(default=10)
    """People of every group who shall see a statement before others come first."""
    seeds_first: Mapped[int] = mapped_column(default=5)
    """Statements of a newcomer's first that are rather the organisers'."""
    criteria: Mapped[str] = mapped_column(default="", server_default="")
    """What statements are rejected for, one on each line; published."""
    second_look: Mapped[bool] = mapped_column(default=True, server_default=true())
    """A rejection stands when another moderator has confirmed it."""
    results: Mapped[str] = mapped_column(default=Results.EVERYBODY, server_default=Results.EVERYBODY)
    newcomers: Mapped[int] = mapped_column(default=60, server_default="60")
    """People who may join within an hour from one address; whoever has an invitation is none of them."""
    seed: Mapped[int] = mapped_column(BigInteger)
    """Of the lottery. Secret while it runs."""
    created: Mapped[int] = mapped_column(BigInteger, default=now)


class Staged(Base):
    """An export that somebody uploaded into a draft, and has looked at but not taken over. It goes either way."""

    __tablename__ = "staged"
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    archive: Mapped[bytes] = mapped_column(LargeBinary)
    sign: Mapped[int | None] = mapped_column(SmallInteger)
    """The number that means agree in it, if somebody said so."""
    hash: Mapped[str]
    """Of both: what is taken over is what was looked at."""
    created: Mapped[int] = mapped_column(BigInteger, default=now)


class PrinciplesDraft(Base):
    """The way from a conversation's votes to its principles, as far as somebody has decided it."""

    __tablename__ = "principles"
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    """One more with every change, so that nobody undoes what somebody else decided meanwhile."""
    merges: Mapped[dict[str, Any]]
    """A `MergeFile`. What a participant takes away is taken out of it, too."""
    asked: Mapped[dict[str, Any]]
    """The rule as somebody `Asked` for it."""
    title: Mapped[str]
    published: Mapped[bool] = mapped_column(default=False, server_default=false())
    """May everybody see what became of the conversation?"""
    changed: Mapped[int] = mapped_column(BigInteger, default=now)


class Membership(Base):
    """A member's role in a conversation."""

    __tablename__ = "memberships"
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str]


class Invitation(Base):
    """A link with which one person may take part. Nothing says who used it."""

    __tablename__ = "invitations"
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(unique=True)
    created: Mapped[int] = mapped_column(BigInteger, default=now)
    used: Mapped[bool] = mapped_column(default=False)


class Participant(Base):
    """Somebody who takes part in one conversation: no name, no address."""

    __tablename__ = "participants"
    __table_args__ = (UniqueConstraint("conversation_id", "number"), UniqueConstraint("conversation_id", "browser"))
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    """Random, in the organiser's export."""
    browser: Mapped[str | None]
    """Hash of the session; None: somebody who left and let their votes stand."""
    state: Mapped[str]
    joined: Mapped[int] = mapped_column(BigInteger, default=now)


class Removal(Base):
    """That somebody was removed from a conversation, or let in again. Append-only: the database refuses anything else.

    By number, which nothing leads from to a person, since whoever was removed can have everything of theirs deleted.
    """

    __tablename__ = "removals"
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    number: Mapped[int]
    """Of the participant."""
    time: Mapped[int] = mapped_column(BigInteger, default=now)
    member_id: Mapped[int]
    actor: Mapped[str]
    removed: Mapped[bool]
    """False: let in again."""
    reason: Mapped[str]


class Answer(Base):
    """What a participant answered to a question about themselves."""

    __tablename__ = "answers"
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"), primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[str]


class Statement(Base):
    """A statement to vote on."""

    __tablename__ = "statements"
    __table_args__ = (UniqueConstraint("conversation_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    """From 0, within the conversation."""
    text: Mapped[str]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("participants.id", ondelete="SET NULL"), index=True)
    moderated: Mapped[int] = mapped_column(SmallInteger, default=0)
    """1 accepted, -1 rejected, 0 not yet decided."""
    is_seed: Mapped[bool] = mapped_column(default=False)
    """By the organisers."""
    is_meta: Mapped[bool] = mapped_column(default=False)
    """About the conversation itself."""
    withdrawn: Mapped[bool] = mapped_column(default=False)
    """Nobody sees it: its author took it back, and the text is gone; or was removed, and may be let in again."""
    open: Mapped[bool] = mapped_column(default=True, server_default=true())
    """A moderator has to look at it: for the first time, or another one for the second."""
    rewritten_from: Mapped[int | None]
    """Number of the statement whose thought this says in better words."""
    appeal: Mapped[str] = mapped_column(default="", server_default="")
    """Why its author asks for another look. Here and not in the log, so that whoever leaves takes it along."""
    created: Mapped[int] = mapped_column(BigInteger, default=now)
    """0: not known, of an import."""


class Showing(Base):
    """A statement that was put before somebody, and by which chance."""

    __tablename__ = "showings"
    __table_args__ = NEVER_AGAIN
    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"), index=True)
    statement_id: Mapped[int] = mapped_column(ForeignKey("statements.id", ondelete="CASCADE"), index=True)
    token: Mapped[str] = mapped_column(unique=True)
    """Of the form in which it was shown: a vote counts once, however often the form is sent."""
    chance: Mapped[float | None]
    """None: asked for, not drawn."""
    time: Mapped[int] = mapped_column(BigInteger, default=now)
    answered: Mapped[bool] = mapped_column(default=False)


class Vote(Base):
    """A vote, or that one was taken back. Nothing here is changed; whoever leaves takes theirs along."""

    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("participant_id", "token"), NEVER_AGAIN)
    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"))
    statement_id: Mapped[int] = mapped_column(ForeignKey("statements.id", ondelete="CASCADE"), index=True)
    vote: Mapped[int | None] = mapped_column(SmallInteger)
    """1 agree, -1 disagree, 0 pass; None: taken back."""
    time: Mapped[int] = mapped_column(BigInteger, default=now)
    """0: not known, of an import."""
    token: Mapped[str]


class Standing(Base):
    """The vote that counts: one for each participant and statement, by the key of this table."""

    __tablename__ = "standing"
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id", ondelete="CASCADE"), primary_key=True)
    statement_id: Mapped[int] = mapped_column(
        ForeignKey("statements.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    vote: Mapped[int] = mapped_column(SmallInteger)
    vote_id: Mapped[int]
    """The event that it comes from."""


class Action(StrEnum):
    """What can be decided on a statement."""

    ACCEPT = "accept"
    REJECT = "reject"
    REWRITE = "rewrite"
    """Rejected, for another statement says the same thought in better words."""
    APPEAL = "appeal"
    """Its author asked for another look."""


class Decision(Base):
    """A decision on a statement, with its reason. Append-only: the database refuses anything else."""

    __tablename__ = "decisions"
    id: Mapped[int] = mapped_column(primary_key=True)
    statement_id: Mapped[int] = mapped_column(ForeignKey("statements.id"), index=True)
    time: Mapped[int] = mapped_column(BigInteger, default=now)
    member_id: Mapped[int | None]
    """None: of the author."""
    actor: Mapped[str]
    action: Mapped[str]
    criterion: Mapped[str]
    """The published one that it was rejected for; empty where it was not."""
    reason: Mapped[str]
    """Empty for an appeal: `Statement.appeal` has it, for as long as its author wants."""
