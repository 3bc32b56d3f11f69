"""Exports: kept while somebody looks at what is in them, and brought into a draft."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, cast

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.orm import Session

from solon.collective import conversation as c
from solon.web.db.audit import name_of
from solon.web.db.once import put
from solon.web.db.tables import (
    Action,
    Base,
    Conversation,
    Decision,
    Member,
    Participant,
    Stage,
    Staged,
    Standing,
    State,
    Statement,
    Vote,
    now,
)

AT_ONCE = 20_000
"""Rows that are sent to the database together."""


def is_blank(db: Session, talk: Conversation) -> bool:
    """A draft in which nobody has said anything yet."""
    there = db.scalar(select(Statement.id).where(Statement.conversation_id == talk.id).limit(1))
    return talk.state == State.DRAFT and there is None


def stage(db: Session, talk: Conversation, *, archive: bytes, sign: int | None, hash: str) -> None:
    """In the place of what was uploaded before."""
    put(db, Staged, {"conversation_id": talk.id}, archive=archive, sign=sign, hash=hash, created=now())


def staged(db: Session, talk: Conversation) -> Staged | None:
    return db.get(Staged, talk.id)


def unstage(db: Session, talk: Conversation) -> None:
    db.execute(delete(Staged).where(Staged.conversation_id == talk.id))


def bring_in(db: Session, talk: Conversation, found: c.Conversation, member: Member, reason: str) -> None:
    """All of a conversation into a blank draft: `assembled` gives its statements, people and votes back.

    reason: what the log of decisions says of statements that were rejected before.
    """
    _add(db, Statement, _statements(talk, found))
    _add(db, Participant, _people(talk, found))
    statements = _ids(db, Statement, talk)
    people = _ids(db, Participant, talk)
    written = {one.id: people[one.author] for one in found.statements if one.author is not None}
    for one in db.scalars(select(Statement).where(Statement.conversation_id == talk.id)):
        one.author_id = written.get(one.number)
    told = {"member_id": member.id, "actor": name_of(member), "action": Action.REJECT.value, "criterion": ""}
    rejected = (statements[one.id] for one in found.statements if one.moderated == -1)
    _add(db, Decision, ({"statement_id": id, "time": now(), "reason": reason} | told for id in rejected))
    _add(db, Vote, _votes(found, people, statements))
    own = select(Statement.id).where(Statement.conversation_id == talk.id)
    last = select(func.max(Vote.id)).where(Vote.statement_id.in_(own)).group_by(Vote.participant_id, Vote.statement_id)
    standing = select(Vote.participant_id, Vote.statement_id, Vote.vote, Vote.id).where(Vote.id.in_(last))
    db.execute(insert(Standing).from_select(["participant_id", "statement_id", "vote", "vote_id"], standing))


def _statements(talk: Conversation, found: c.Conversation) -> Iterator[dict[str, Any]]:
    for one in found.statements:
        yield {
            "conversation_id": talk.id,
            "number": one.id,
            "text": one.text,
            "moderated": one.moderated,
            "open": one.moderated == 0,
            "is_seed": bool(one.is_seed),
            "is_meta": one.is_meta,
            "withdrawn": False,
            "created": one.created or c.NO_TIME,
        }


def _people(talk: Conversation, found: c.Conversation) -> Iterator[dict[str, Any]]:
    """Whoever voted or wrote. Nothing leads to them: they have no browser here."""
    wrote = {one.author for one in found.statements if one.author is not None}
    voted = zip(found.participant_ids.tolist(), found.n_votes_P.tolist(), strict=True)
    for number in sorted(wrote | {person for person, votes in voted if votes}):
        yield {"conversation_id": talk.id, "number": number, "state": Stage.IN, "joined": now()}


def _votes(found: c.Conversation, people: Mapping[int, int], statements: Mapping[int, int]) -> Iterator[dict[str, Any]]:
    events = found.events()
    columns = (events.participant.tolist(), events.statement.tolist(), events.vote.tolist(), events.time.tolist())
    for nth, (person, statement, vote, time) in enumerate(zip(*columns, strict=True)):
        ids = {"participant_id": people[person], "statement_id": statements[statement]}
        yield {**ids, "vote": vote, "time": time, "token": f"import {nth}"}


def _ids(db: Session, table: type[Statement] | type[Participant], talk: Conversation) -> dict[int, int]:
    """By number."""
    query = select(table.number, table.id).where(table.conversation_id == talk.id)
    return {number: id for number, id in db.execute(query)}  # noqa: C416


def _add(db: Session, table: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    """In their order, so that later ones have higher ids."""
    rows = iter(rows)
    while part := list(islice(rows, AT_ONCE)):
        db.execute(insert(cast(Table, table.__table__)), part)
