"""An imported conversation in the layout of a Polis export, for publication or for the organiser.

The public version has nothing that tells people apart but their votes: random ids, days for times, no authors, rows
ordered by statement and new id. So it gives the same groups and the same consensus.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE, Conversation, Ints, Participant, VoteLog
from solon.collective.output import replacing
from solon.collective.phrases import many
from solon.collective.reading.contents import STRICT
from solon.collective.reading.files import EXPORT_MARK
from solon.collective.reading.names import STATEMENT_FIELDS, columns_of
from solon.collective.tables import ColumnsToWrite, csv_bytes, csv_of_columns
from solon.seeds import generator

DAY = 86_400_000
"""Milliseconds."""
MUST_STAY_PRIVATE = (
    "this version keeps participants' ids, the authors of statements and the times of votes: it can identify people, "
    "and is for the organiser alone"
)
_COMMENTS = (
    *("timestamp", "comment-id", "author-id", "agrees", "disagrees", "moderated"),
    *("is-meta", "is-seed", "comment-body", "importance-votes"),
)
"""The columns of `comments.csv` in the order that Polis has them in."""


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
    Raises InputError if `out` exists, unless it is empty or `force` is set and it holds an export of ours.
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
    ids, authored = conversation.participant_ids, [one.author for one in conversation.statements]
    old = np.union1d(ids, np.array([author for author in authored if author is not None], dtype=np.int64))
    new = generator(secrets.randbits(63) if seed is None else seed, "public ids").permutation(len(old))
    # Authors who never voted get the ids after those of participants, so that these have no gaps.
    drawn = old[np.lexsort((new, ~np.isin(old, ids)))].tolist()
    renamed = {number: at for at, number in enumerate(drawn)}
    order = np.searchsorted(ids, drawn[: len(ids)])
    statements = tuple(
        one.model_copy(
            update={
                "author": renamed[one.author] if authors and one.author is not None else None,
                "created": None if one.created is None else one.created // DAY * DAY,
            }
        )
        for one in conversation.statements
    )
    people = (conversation.participants[row] for row in order)
    return replace(
        conversation,
        statements=statements,
        participants=tuple(Participant(id=at, exported_group=one.exported_group) for at, one in enumerate(people)),
        votes_PS=conversation.votes_PS[order],
        seen_PS=conversation.seen_PS[order],
        important_PS=None if conversation.important_PS is None else conversation.important_PS[order],
        log=None if conversation.log is None else _public_log(conversation, conversation.log, renamed),
    )


def _public_log(conversation: Conversation, log: VoteLog, renamed: dict[int, int]) -> VoteLog:
    """The event behind each vote that counts, by day, ordered by statement and new id."""
    row = np.searchsorted(conversation.participant_ids, log.participant)
    column = np.searchsorted(conversation.statement_ids, log.statement)
    # The import may have found that another vote than the last one of the log counts.
    counts = conversation.seen_PS[row, column] & (conversation.votes_PS[row, column] == log.vote)
    last_first = log.take(np.flatnonzero(counts)[::-1])
    cells = np.stack([last_first.statement, last_first.participant])
    log = last_first.take(np.unique(cells, axis=1, return_index=True)[1])
    participant = np.array([renamed[number] for number in log.participant.tolist()], dtype=np.int64)
    log = replace(log, participant=participant, time=log.time // DAY * DAY)
    return log.take(np.lexsort((log.participant, log.statement)))


def _comments(talk: Conversation) -> bytes:
    """Agrees and disagrees count events, as Polis has it, where there are events."""

    def counts(kind: int) -> Ints:
        if talk.log is None:
            return np.asarray((talk.votes_PS == kind).sum(axis=0))
        at = np.searchsorted(talk.statement_ids, talk.log.statement[talk.log.vote == kind])
        return np.bincount(at, minlength=len(talk.statements))

    columns = columns_of(talk.statements, STATEMENT_FIELDS)
    columns |= {"agrees": counts(AGREE), "disagrees": counts(DISAGREE)}
    return csv_of_columns({name: columns[name] for name in _COMMENTS})


def _matrix(talk: Conversation) -> bytes:
    wrote = Counter(one.author for one in talk.statements if one.author is not None)
    columns: ColumnsToWrite = {
        "participant": talk.participant_ids,
        "group-id": [one.exported_group for one in talk.participants],
        "n-comments": [wrote[one.id] if wrote else None for one in talk.participants],
        "n-votes": talk.n_votes_P,
        "n-agree": (talk.votes_PS == AGREE).sum(axis=1),
        "n-disagree": (talk.votes_PS == DISAGREE).sum(axis=1),
    }
    for at, number in enumerate(talk.statement_ids.tolist()):
        cells = zip(talk.votes_PS[:, at].tolist(), talk.seen_PS[:, at].tolist(), strict=True)
        columns[str(number)] = [vote if seen else None for vote, seen in cells]
    return csv_of_columns(columns)


def _votes(log: VoteLog) -> bytes:
    columns: ColumnsToWrite = {
        "timestamp": log.time,
        "datetime": [words(time) for time in log.time.tolist()],
        "comment-id": log.statement,
        "voter-id": log.participant,
        "vote": log.vote,
        "important": None if log.important is None else log.important.astype(np.int8),
    }
    return csv_of_columns(columns)


def words(milliseconds: int) -> str:
    """A time as Polis writes it, in English whatever the machine speaks.

    >>> words(1_726_860_583_813)
    'Fri Sep 20 19:29:43 UTC 2024'
    """
    weekday, month, day, clock, year = datetime.fromtimestamp(milliseconds // 1000, UTC).ctime().split()
    return f"{weekday} {month} {day:0>2} {clock} UTC {year}"


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
