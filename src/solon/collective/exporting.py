"""An imported conversation in the layout of a Polis export, for publication or for the organiser.

The public version cannot be matched with people by what only they or a bystander know: participants get random ids
instead of the order in which they joined, only the latest votes are there, times are days, rows are ordered by
statement and new id, and nobody is named as the author of a statement. What people voted is all there, so the public
version gives the same groups and the same consensus.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import AGREE, DISAGREE, Conversation, Ints, Participant, VoteLog
from solon.collective.output import replacing
from solon.collective.phrases import many
from solon.collective.reading.about import STRICT
from solon.collective.reading.files import EXPORT_MARK
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
    with replacing(out, marker=EXPORT_MARK, force=force) as folder:
        (folder / "comments.csv").write_bytes(_comments(talk))
        (folder / "participants-votes.csv").write_bytes(_matrix(talk))
        (folder / "summary.csv").write_bytes(_summary(talk, len(commenters)))
        if talk.log is not None:
            (folder / "votes.csv").write_bytes(_votes(talk.log))
        (folder / EXPORT_MARK).write_bytes(_mark(organiser).encode("utf-8"))
    return _told(conversation, talk, out, organiser=organiser, authors=authors)


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
        important_PS=None if conversation.important_PS is None else conversation.important_PS[order],
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
    log = log.take(counts)
    order = np.lexsort((np.arange(len(log.vote)), log.statement, log.participant))
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (np.diff(log.participant[order]) != 0) | (np.diff(log.statement[order]) != 0)
    log = log.take(order[last])
    participant = np.array([renamed[number] for number in log.participant.tolist()], dtype=np.int64)
    log = replace(log, participant=participant, time=log.time // DAY * DAY)
    return log.take(np.lexsort((log.participant, log.statement)))


def _comments(talk: Conversation) -> bytes:
    """Agrees and disagrees count events, as Polis has it, where there are events."""
    columns: dict[str, Sequence[object]] = {
        "timestamp": [one.created for one in talk.statements],
        "comment-id": [one.id for one in talk.statements],
        "author-id": [one.author for one in talk.statements],
        "agrees": _counts(talk, AGREE),
        "disagrees": _counts(talk, DISAGREE),
        "moderated": [one.moderated for one in talk.statements],
        "is-meta": [one.is_meta for one in talk.statements],
        "is-seed": [one.is_seed for one in talk.statements],
        "comment-body": [one.text for one in talk.statements],
    }
    if any(one.importance_votes is not None for one in talk.statements):
        columns["importance-votes"] = [one.importance_votes for one in talk.statements]
    return csv_bytes([*columns], zip(*columns.values(), strict=True))


def _counts(talk: Conversation, kind: int) -> list[int]:
    if talk.log is None:
        return list(((talk.votes_PS == kind) & talk.seen_PS).sum(axis=0).tolist())
    at = np.searchsorted(talk.statement_ids, talk.log.statement[talk.log.vote == kind])
    return list(np.bincount(at, minlength=len(talk.statements)).tolist())


def _matrix(talk: Conversation) -> bytes:
    header = ["participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree"]
    seen = talk.seen_PS
    counts = [seen.sum(axis=1), *(((talk.votes_PS == kind) & seen).sum(axis=1) for kind in (AGREE, DISAGREE))]
    wrote = Counter(one.author for one in talk.statements if one.author is not None)
    rows = (
        (
            one.id,
            one.exported_group,
            wrote[one.id] if wrote else None,
            *(int(count[at]) for count in counts),
            *_cells(talk.votes_PS[at], seen[at]),
        )
        for at, one in enumerate(talk.participants)
    )
    return csv_bytes([*header, *(str(number) for number in talk.statement_ids.tolist())], rows)


def _cells(votes_S: NDArray[np.int8], seen_S: NDArray[np.bool_]) -> Iterator[int | None]:
    for vote, seen in zip(votes_S.tolist(), seen_S.tolist(), strict=True):
        yield vote if seen else None


def _votes(log: VoteLog) -> bytes:
    columns: dict[str, Sequence[object]] = {
        "timestamp": log.time.tolist(),
        "datetime": [words(time) for time in log.time.tolist()],
        "comment-id": log.statement.tolist(),
        "voter-id": log.participant.tolist(),
        "vote": log.vote.tolist(),
    }
    if log.important is not None:
        columns["important"] = log.important.astype(int).tolist()
    return csv_bytes([*columns], zip(*columns.values(), strict=True))


def words(milliseconds: int) -> str:
    """A time as Polis writes it, in English whatever the machine speaks.

    >>> words(1_726_860_583_813)
    'Fri Sep 20 19:29:43 UTC 2024'
    """
    at = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{_WEEKDAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at:%d %H:%M:%S} UTC {at.year}"


def _summary(talk: Conversation, commenters: int) -> bytes:
    """Keys and values without a header: the first pair stands where a header would."""
    groups = [one.exported_group for one in talk.participants if one.exported_group is not None]
    rows: list[tuple[str, object]] = [
        ("voters", len(talk.participants)),
        ("voters-in-conv", len(groups)),
        ("commenters", commenters),
        ("comments", len(talk.statements)),
        ("groups", len(set(groups))),
        ("conversation-description", talk.description),
    ]
    if talk.strict_moderation is not None:
        rows.append((STRICT, talk.strict_moderation))
    return csv_bytes(["topic", talk.topic], rows)


def _mark(organiser: bool) -> str:
    version = f"The organiser's version: {MUST_STAY_PRIVATE}." if organiser else "The public version."
    return (
        f"Written by `solon collect export`. {version}\n\n"
        "Votes: 1 agree, -1 disagree, 0 pass, empty: not seen.\n"
        "Text that a spreadsheet would take for a formula has an apostrophe in front.\n"
    )


def _told(talk: Conversation, written: Conversation, out: Path, *, organiser: bool, authors: bool) -> list[str]:
    people, sayings = many(len(talk.participants), "participant"), many(len(talk.statements), "statement")
    told = [f"{out}: {people}, {sayings}, {many(int(talk.seen_PS.sum()), 'vote')}"]
    if talk.log is None or written.log is None:
        told.append("no votes.csv: the conversation was imported without times")
        if talk.important_PS is not None:
            told.append("left out: who marked a statement as important; how many did is in comments.csv")
    if not organiser:
        told.append("participants have new random ids, and times are days")
        if talk.log and written.log and (again := len(talk.log.vote) - len(written.log.vote)) > 0:
            told.append(f"left out: {many(again, 'vote')} that a later one of the same participant replaced")
        told.append("authors are named by their new ids" if authors else "left out: who wrote which statement")
    return told
