"""An imported conversation in the layout of a Polis export, for publication or for the organiser.

The public version cannot be matched with people by what only they or a bystander know: participants get random ids
instead of the order in which they joined, only the latest votes are there, times are days, rows are ordered by
statement and new id, and nobody is named as the author of a statement. What people voted is all there, so the public
version gives the same groups and the same consensus.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import AGREE, DISAGREE, Conversation, Ints, Participant, VoteLog
from solon.collective.output import replacing
from solon.collective.phrases import many
from solon.collective.reading.about import STRICT
from solon.collective.reading.export import EXPORT_MARK
from solon.collective.tables import csv_bytes
from solon.seeds import generator

DAY = 86_400_000
"""Milliseconds."""
MUST_STAY_PRIVATE = (
    "this version keeps participants' ids, the authors of statements and the times of votes: it can identify people, "
    "and is for the organiser alone"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What an export says beside votes."""

    conversation: Conversation
    n_comments: dict[int, int]
    """By participant; empty: not said."""
    commenters: int


def export_conversation(
    conversation: Conversation,
    out: Path,
    *,
    organiser: bool = False,
    authors: bool = False,
    seed: int | None = None,
    force: bool = False,
) -> list[str]:
    """Write the export and return what to say about it, line by line.

    organiser: as imported, with ids, authors and times. authors: the public version with authors under their new ids.
    seed: of the new ids; None: from the operating system, so that nobody can put the old order back.

    Raises:
        InputError: if `out` exists, unless it is empty or `force` is set and it holds an export of ours.
    """
    commenters = {one.author for one in conversation.statements if one.author is not None}
    talk = conversation if organiser else public(conversation, authors=authors, seed=seed)
    wrote: dict[int, int] = {}
    for one in talk.statements:
        if one.author is not None:
            wrote[one.author] = wrote.get(one.author, 0) + 1
    known = _Known(conversation=talk, n_comments=wrote, commenters=len(commenters))
    with replacing(out, marker=EXPORT_MARK, force=force) as folder:
        _write_comments(folder / "comments.csv", talk)
        _write_matrix(folder / "participants-votes.csv", known)
        _write_summary(folder / "summary.csv", known)
        if talk.log is not None:
            _write_votes(folder / "votes.csv", talk.log)
        (folder / EXPORT_MARK).write_bytes(_mark(organiser).encode("utf-8"))
    published = 0 if talk.log is None else len(talk.log.vote)
    return _told(conversation, published, out, organiser=organiser, authors=authors)


def public(conversation: Conversation, *, authors: bool = False, seed: int | None = None) -> Conversation:
    """The conversation as it may be published: see the head of this file."""
    drawn = secrets.randbits(63) if seed is None else seed
    named = {one.author for one in conversation.statements if one.author is not None}
    old = np.array(sorted(set(conversation.participant_ids.tolist()) | named), dtype=np.int64)
    new = generator(drawn, "public ids").permutation(len(old))
    # Authors who never voted get the ids after those of participants, so that these have no gaps.
    renamed = _gapless(old, new, conversation.participant_ids)
    people = [Participant(id=renamed[one.id], exported_group=one.exported_group) for one in conversation.participants]
    order = np.argsort(np.array([one.id for one in people], dtype=np.int64))
    statements = tuple(
        one.model_copy(
            update={
                "author": renamed[one.author] if authors and one.author is not None else None,
                "created": None if one.created is None else one.created // DAY * DAY,
            }
        )
        for one in conversation.statements
    )
    return replace(
        conversation,
        statements=statements,
        participants=tuple(people[at] for at in order),
        votes_PS=conversation.votes_PS[order],
        seen_PS=conversation.seen_PS[order],
        log=_public_log(conversation, renamed),
    )


def _gapless(old: Ints, new: Ints, participants: Ints) -> dict[int, int]:
    drawn = dict(zip(old.tolist(), new.tolist(), strict=True))
    voters = sorted(participants.tolist(), key=lambda number: drawn[number])
    others = sorted(set(drawn) - set(voters), key=lambda number: drawn[number])
    return {number: at for at, number in enumerate([*voters, *others])}


def _public_log(conversation: Conversation, renamed: dict[int, int]) -> VoteLog | None:
    """The event behind each vote that counts, by day, ordered by statement and new id. None: nothing has times."""
    log = conversation.log
    if log is None:
        return None
    row = np.searchsorted(conversation.participant_ids, log.participant)
    column = np.searchsorted(conversation.statement_ids, log.statement)
    # The import may have found that another vote than the last one of the log counts.
    counts = conversation.seen_PS[row, column] & (conversation.votes_PS[row, column] == log.vote)
    log = VoteLog(
        participant=log.participant[counts],
        statement=log.statement[counts],
        vote=log.vote[counts],
        time=log.time[counts],
    )
    order = np.lexsort((np.arange(len(log.vote)), log.statement, log.participant))
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (np.diff(log.participant[order]) != 0) | (np.diff(log.statement[order]) != 0)
    kept = order[last]
    participant = np.array([renamed[number] for number in log.participant[kept].tolist()], dtype=np.int64)
    by_id = np.lexsort((participant, log.statement[kept]))
    return VoteLog(
        participant=participant[by_id],
        statement=log.statement[kept][by_id],
        vote=log.vote[kept][by_id],
        time=log.time[kept][by_id] // DAY * DAY,
    )


def _write_comments(path: Path, talk: Conversation) -> None:
    """Agrees and disagrees count events, as Polis has it, where there are events."""
    counts = []
    for kind in (AGREE, DISAGREE):
        if talk.log is None:
            counts.append(((talk.votes_PS == kind) & talk.seen_PS).sum(axis=0))
        else:
            at = np.searchsorted(talk.statement_ids, talk.log.statement[talk.log.vote == kind])
            counts.append(np.bincount(at, minlength=len(talk.statements)))
    header = [
        "timestamp",
        "comment-id",
        "author-id",
        "agrees",
        "disagrees",
        "moderated",
        "is-meta",
        "is-seed",
        "comment-body",
    ]
    rows = (
        (
            one.created,
            one.id,
            one.author,
            int(agrees),
            int(disagrees),
            one.moderated,
            one.is_meta,
            one.is_seed,
            one.text,
        )
        for one, agrees, disagrees in zip(talk.statements, *counts, strict=True)
    )
    path.write_bytes(csv_bytes(header, rows))


def _write_matrix(path: Path, known: _Known) -> None:
    talk = known.conversation
    header = ["participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree"]
    seen = talk.seen_PS
    counts = [seen.sum(axis=1), *(((talk.votes_PS == kind) & seen).sum(axis=1) for kind in (AGREE, DISAGREE))]
    rows = (
        (
            one.id,
            one.exported_group,
            known.n_comments.get(one.id, 0) if known.n_comments else None,
            *(int(count[at]) for count in counts),
            *_cells(talk.votes_PS[at], seen[at]),
        )
        for at, one in enumerate(talk.participants)
    )
    path.write_bytes(csv_bytes([*header, *(str(number) for number in talk.statement_ids.tolist())], rows))


def _cells(votes_S: NDArray[np.int8], seen_S: NDArray[np.bool_]) -> Iterator[int | None]:
    for vote, seen in zip(votes_S.tolist(), seen_S.tolist(), strict=True):
        yield vote if seen else None


def _write_votes(path: Path, log: VoteLog) -> None:
    columns: Sequence[NDArray[np.int64] | NDArray[np.int8]] = (log.time, log.statement, log.participant, log.vote)
    rows = (
        (time, words(time), statement, participant, vote)
        for time, statement, participant, vote in zip(*(column.tolist() for column in columns), strict=True)
    )
    path.write_bytes(csv_bytes(["timestamp", "datetime", "comment-id", "voter-id", "vote"], rows))


def words(milliseconds: int) -> str:
    """A time as Polis writes it, in English whatever the machine speaks.

    >>> words(1_726_860_583_813)
    'Fri Sep 20 19:29:43 UTC 2024'
    """
    at = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{_WEEKDAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at:%d %H:%M:%S} UTC {at.year}"


def _write_summary(path: Path, known: _Known) -> None:
    """Keys and values without a header: the first pair stands where a header would."""
    talk = known.conversation
    groups = {one.exported_group for one in talk.participants} - {None}
    rows: list[tuple[str, object]] = [
        ("voters", len(talk.participants)),
        ("voters-in-conv", sum(one.exported_group is not None for one in talk.participants)),
        ("commenters", known.commenters),
        ("comments", len(talk.statements)),
        ("groups", len(groups)),
        ("conversation-description", talk.description),
    ]
    if talk.strict_moderation is not None:
        rows.append((STRICT, talk.strict_moderation))
    path.write_bytes(csv_bytes(["topic", talk.topic], rows))


def _mark(organiser: bool) -> str:
    version = f"The organiser's version: {MUST_STAY_PRIVATE}." if organiser else "The public version."
    return (
        f"Written by `solon collect export`. {version}\n\n"
        "Votes: 1 agree, -1 disagree, 0 pass, empty: not seen.\n"
        "Text that a spreadsheet would take for a formula has an apostrophe in front.\n"
    )


def _told(conversation: Conversation, published: int, out: Path, *, organiser: bool, authors: bool) -> list[str]:
    """published: votes that votes.csv has."""
    people, sayings = (
        many(len(conversation.participants), "participant"),
        many(len(conversation.statements), "statement"),
    )
    told = [f"{out}: {people}, {sayings}, {many(int(conversation.seen_PS.sum()), 'vote')}"]
    if conversation.log is None:
        told.append("no votes.csv: the conversation was imported without times")
    if not organiser:
        told.append("participants have new random ids, and times are days")
        if conversation.log is not None and (again := len(conversation.log.vote) - published) > 0:
            told.append(f"left out: {many(again, 'vote')} that a later one of the same participant replaced")
        told.append("authors are named by their new ids" if authors else "left out: who wrote which statement")
    return told
