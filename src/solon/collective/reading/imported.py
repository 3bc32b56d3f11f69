"""Reading the folder that `solon collect import` wrote. `reading.folder` says what is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast, get_args

import numpy as np
from pydantic import ValidationError

from solon.artifacts.atomic import sha256_file
from solon.collective.conversation import Conversation, Ints, Participant, Statement, VoteLog
from solon.collective.csv_text import Faults, read_text
from solon.collective.reading.columns import Columns, read_columns
from solon.collective.reading.exported import MAX_COUNT, check_size
from solon.collective.reading.findings import Finding, Findings, Imported, Severity
from solon.collective.reading.kinds import Kind, ids, moments, texts, truths, votes, within
from solon.collective.reading.names import Column
from solon.collective.reading.sources import read_source
from solon.collective.tables import Row, Table, read_csv
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
XID, IMPORTANCE, IMPORTANT = "xid", "importance-votes", "important"
"""Last columns of participants.csv, statements.csv, latest.csv and events.csv where the export says such things."""
AGAIN = "import the export again"
FORMAT = "solon conversation 1"
_KINDS: dict[str, Kind] = {
    "comment-id": ids,
    "participant": ids,
    "author-id": ids,
    "moderated": votes,
    "vote": votes,
    "is-seed": truths,
    "is-meta": truths,
    IMPORTANT: truths,
    IMPORTANCE: within(0, MAX_COUNT, "is no count"),
    "timestamp": moments,
}
_MAY_BE_EMPTY = ("author-id", "is-seed", "timestamp")


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
    findings = Findings(found=[_finding(row) for row in _findings_table(path / FINDINGS)])
    for name in changed:
        findings.warning(name, "was changed after the import", "read as it is now")
    statements = _statements(_read(path / STATEMENTS, IMPORTANCE).once("comment-id", findings))
    participants = _participants(_read(path / PARTICIPANTS, XID).once("participant", findings))
    check_size(len(participants), len(statements), path)
    people = np.array([one.id for one in participants], dtype=np.int64)
    sayings = np.array([one.id for one in statements], dtype=np.int64)
    latest = _read(path / LATEST, IMPORTANT)
    row, column = _places(latest, people, sayings)
    _refuse_twice(latest, row * len(sayings) + column)
    votes_PS = np.zeros((len(people), len(sayings)), dtype=np.int8)
    seen_PS, important_PS = np.zeros(votes_PS.shape, dtype=bool), np.zeros(votes_PS.shape, dtype=bool)
    votes_PS[row, column], seen_PS[row, column] = latest["vote"], True
    if IMPORTANT in latest:
        important_PS[row, column] = latest[IMPORTANT] == 1
    conversation = Conversation(
        statements=statements,
        participants=participants,
        votes_PS=votes_PS,
        seen_PS=seen_PS,
        important_PS=important_PS if IMPORTANT in latest else None,
        log=None if card.events is None else _log(path, people, sayings),
        topic=card.topic,
        description=card.description,
        source=card.source,
        strict_moderation=card.strict_moderation,
    )
    return Imported(conversation=conversation.counted(), findings=tuple(findings.found))


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


def _read(path: Path, last: str) -> Columns:
    """One file of the folder. last: the column that it may have besides."""
    columns = [
        Column(names=(name,), kind=_KINDS.get(name, texts), required=name not in (last, *_MAY_BE_EMPTY), hint=AGAIN)
        for name in (*COLUMNS[path.name], last)
    ]
    return read_columns(read_source(path, ours=True), columns)


def _findings_table(path: Path) -> Table:
    table = read_csv(path)
    table.require(*COLUMNS[FINDINGS])
    return table


def _finding(row: Row) -> Finding:
    if row["severity"] not in get_args(Severity):
        row.fail(f"severity is {row['severity']!r}", "note, repair or warning")
    severity = cast(Severity, row["severity"])
    return Finding(severity=severity, where=row["where"], what=row["what"], repair=row["repair"])


def _statements(found: Columns) -> tuple[Statement, ...]:
    return tuple(
        Statement(
            id=number,
            text=text or "",
            author=author,
            moderated=moderated,
            is_seed=None if seed is None else bool(seed),
            is_meta=bool(meta),
            created=created,
            importance_votes=important,
        )
        for number, author, moderated, seed, meta, created, text, important in zip(
            *map(found.get, (*COLUMNS[STATEMENTS], IMPORTANCE)), strict=True
        )
    )


def _participants(found: Columns) -> tuple[Participant, ...]:
    rows = zip(*map(found.get, (*COLUMNS[PARTICIPANTS], XID)), strict=True)
    return tuple(Participant(id=number, exported_group=group, xid=xid) for number, group, xid in rows)


def _log(path: Path, people: Ints, sayings: Ints) -> VoteLog:
    found = _read(path / EVENTS, IMPORTANT)
    row, column = _places(found, people, sayings)
    return VoteLog(
        participant=people[row],
        statement=sayings[column],
        vote=found["vote"].astype(np.int8),
        time=found["timestamp"],
        important=found[IMPORTANT] == 1 if IMPORTANT in found else None,
    )


def _places(found: Columns, people: Ints, sayings: Ints) -> tuple[Ints, Ints]:
    """Row and column of each vote in a file."""
    faults = Faults(found.path)
    places = []
    for name, known in (("participant", people), ("comment-id", sayings)):
        numbers = found[name]
        at = np.minimum(np.searchsorted(known, numbers), max(0, len(known) - 1))
        bad = np.flatnonzero(known[at] != numbers) if len(known) else np.arange(len(numbers))
        for one in bad.tolist():
            faults.add(int(found.lines[one]), f"no {name} {numbers[one]} in this conversation", hint=AGAIN)
        places.append(at)
    faults.raise_any(len(found))
    return places[0], places[1]


def _refuse_twice(found: Columns, cell: Ints) -> None:
    if bool(np.all(np.diff(cell) > 0)):
        return
    _, first = np.unique(cell, return_index=True)
    faults = Faults(found.path)
    for line in found.lines[np.setdiff1d(np.arange(len(cell)), first)].tolist():
        faults.add(line, "a second vote of this participant on this statement", hint=AGAIN)
    faults.raise_any(len(found))


def _is(path: Path, sha: str) -> bool:
    return path.is_file() and sha256_file(path) == sha
