"""Reading the folder that `solon collect import` wrote. `reading.folder` says what is in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

import numpy as np
from pydantic import ValidationError

from solon.artifacts.atomic import sha256_file
from solon.collective.conversation import Conversation, Ints, Participant, Statement, VoteLog
from solon.collective.reading.bulk import read_columns
from solon.collective.reading.cells import ids, refuse, truth
from solon.collective.reading.exported import MAX_TIME, MIN_TIME, check_size
from solon.collective.reading.findings import Finding, Imported, Severity
from solon.collective.tables import Row, read_csv, read_text
from solon.errors import InputError, Where
from solon.records import Record

CARD = "imported.json"
STATEMENTS, PARTICIPANTS, LATEST, EVENTS, FINDINGS = (
    "statements.csv",
    "participants.csv",
    "latest.csv",
    "events.csv",
    "findings.csv",
)
COLUMNS = {
    STATEMENTS: ("comment-id", "author-id", "moderated", "is-seed", "is-meta", "timestamp", "text"),
    PARTICIPANTS: ("participant", "exported-group"),
    LATEST: ("participant", "comment-id", "vote"),
    EVENTS: ("timestamp", "participant", "comment-id", "vote"),
    FINDINGS: ("severity", "where", "what", "repair"),
}
XID = "xid"
"""A column of `participants.csv` where somebody has an external id."""
AGAIN = "import the export again"
FORMAT = "solon conversation 1"


class Card(Record):
    """`imported.json`."""

    format: str = FORMAT
    topic: str = ""
    description: str = ""
    source: str = ""
    strict_moderation: bool | None = None
    vote_sign: str = "1 agree, -1 disagree, 0 pass"
    statements: int
    participants: int
    votes: int
    """Cells with a vote, re-votes resolved."""
    events: int | None
    """Votes with their times; None: the export has no times."""
    files: dict[str, str]
    """sha256 of the files of this folder, by name."""


def read_imported(path: Path) -> Imported:
    card = _card(path)
    changed = [name for name, sha in card.files.items() if not _is(path / name, sha)]
    findings = [
        Finding(severity=_severity(row), where=row["where"], what=row["what"], repair=row["repair"])
        for row in _table(path / FINDINGS)
    ]
    findings += [
        Finding(severity="warning", where=name, what="was changed after the import", repair="read as it is now")
        for name in changed
    ]
    statements = sorted(map(_statement, _each_once(path / STATEMENTS, "comment-id")), key=lambda one: one.id)
    participants = sorted(map(_participant, _each_once(path / PARTICIPANTS, "participant")), key=lambda one: one.id)
    check_size(len(participants), len(statements), path)
    people = np.array([one.id for one in participants], dtype=np.int64)
    sayings = np.array([one.id for one in statements], dtype=np.int64)
    row, column, vote, _ = _cells(path / LATEST, people, sayings)
    votes_PS = np.zeros((len(people), len(sayings)), dtype=np.int8)
    seen_PS = np.zeros(votes_PS.shape, dtype=bool)
    votes_PS[row, column], seen_PS[row, column] = vote, True
    log = None
    if card.events is not None:
        row, column, vote, time = _cells(path / EVENTS, people, sayings)
        log = VoteLog(participant=people[row], statement=sayings[column], vote=vote.astype(np.int8), time=time)
    conversation = Conversation(
        statements=tuple(statements),
        participants=tuple(participants),
        votes_PS=votes_PS,
        seen_PS=seen_PS,
        log=log,
        topic=card.topic,
        description=card.description,
        source=card.source,
        strict_moderation=card.strict_moderation,
    )
    return Imported(conversation=conversation, findings=tuple(findings))


def _card(path: Path) -> Card:
    text = read_text(path / CARD)
    try:
        card = Card.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        what = f"cannot be read: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise InputError(what, where=Where(path / CARD), hint=AGAIN) from None
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise InputError(f"broken JSON: {error}", where=Where(path / CARD, line), hint=AGAIN) from None
    if card.format != FORMAT:
        what = f"another format: {card.format!r} instead of {FORMAT!r}"
        raise InputError(what, where=Where(path / CARD), hint=AGAIN)
    return card


def _table(path: Path) -> Sequence[Row]:
    table = read_csv(path)
    table.require(*COLUMNS[path.name])
    return list(table)


def _each_once(path: Path, column: str) -> Sequence[Row]:
    """The rows of a file, of which no two have the same id."""
    rows = _table(path)
    first: dict[int, int] = {}
    for row in rows:
        number = _id(row, column)
        if first.setdefault(number, row.line) != row.line:
            row.fail(f"{column} {number} again, after line {first[number]}", AGAIN)
    return rows


def _statement(row: Row) -> Statement:
    moderated = row.integer("moderated")
    if moderated not in (-1, 0, 1):
        row.fail(f"moderated is {moderated}", "1: accepted, -1: rejected, 0: never moderated")
    return Statement(
        id=_id(row, "comment-id"),
        text=row["text"],
        author=_id(row, "author-id") if row["author-id"] else None,
        moderated=moderated,
        is_seed=truth(row.path, "is-seed", row["is-seed"], row.line) if row["is-seed"] else None,
        is_meta=truth(row.path, "is-meta", row["is-meta"], row.line),
        created=_time(row) if row["timestamp"] else None,
    )


def _participant(row: Row) -> Participant:
    return Participant(
        id=_id(row, "participant"), exported_group=row["exported-group"] or None, xid=row.cells.get(XID) or None
    )


def _id(row: Row, column: str) -> int:
    return int(ids(row.path, column, [row[column]], [row.line])[0])


def _time(row: Row) -> int:
    found = row.integer("timestamp")
    refuse(row.path, _no_times([found], [row.line]), AGAIN)
    return found


def _no_times(times: Sequence[int], lines: Sequence[int]) -> list[tuple[int, str]]:
    return [
        (line, f"timestamp {time} is no time between 2000 and 2100 in milliseconds")
        for time, line in zip(times, lines, strict=True)
        if not MIN_TIME <= time <= MAX_TIME
    ]


def _severity(row: Row) -> Severity:
    if row["severity"] not in get_args(Severity):
        row.fail(f"severity is {row['severity']!r}", "note, repair or warning")
    return cast(Severity, row["severity"])


def _cells(path: Path, people: Ints, sayings: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Row, column, vote and time of each vote in a file."""
    timed = path.name == EVENTS
    found = read_columns(path, ("participant", "comment-id"), ("vote", *(["timestamp"] if timed else [])))
    lines = found.lines.tolist()
    indices = []
    for name, known in (("participant", people), ("comment-id", sayings)):
        numbers = found.numbers[name]
        at = np.minimum(np.searchsorted(known, numbers), max(0, len(known) - 1))
        bad = np.flatnonzero(known[at] != numbers).tolist() if len(known) else list(range(len(numbers)))
        refuse(path, [(lines[one], f"no {name} {numbers[one]} in this conversation") for one in bad], AGAIN)
        indices.append(at)
    vote = found.numbers["vote"]
    bad = np.flatnonzero(np.abs(vote) > 1).tolist()
    refuse(path, [(lines[at], f"vote {vote[at]} is not 1, 0 or -1") for at in bad])
    if timed:
        refuse(path, _no_times(found.numbers["timestamp"].tolist(), lines), AGAIN)
        return indices[0], indices[1], vote, found.numbers["timestamp"]
    _, first = np.unique(indices[0] * len(sayings) + indices[1], return_index=True)
    again = np.setdiff1d(np.arange(len(lines)), first).tolist()
    refuse(path, [(lines[at], "a second vote of this participant on this statement") for at in again], AGAIN)
    return indices[0], indices[1], vote, np.zeros(0, dtype=np.int64)


def _is(path: Path, sha: str) -> bool:
    return path.is_file() and sha256_file(path) == sha
