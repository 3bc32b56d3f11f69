"""The folder that `solon collect import` writes, and how every command opens a conversation.

imported.json      what was imported, in which sign, and the sha256 of the other files
statements.csv     comment-id, author-id, moderated, is-seed, is-meta, timestamp, text
participants.csv   participant, exported-group, and xid if the export has external ids
latest.csv         participant, comment-id, vote: the vote that counts, +1 agree
events.csv         timestamp, participant, comment-id, vote: every vote by time, if the export has times
                   both with `important`, and statements.csv with `importance-votes`, where the export has such votes
findings.csv       severity, where, what, repair
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solon.artifacts.atomic import canonical_json, sha256_file
from solon.collective.conversation import Conversation
from solon.collective.output import replacing
from solon.collective.reading.assemble import assemble
from solon.collective.reading.export import read_export
from solon.collective.reading.findings import Finding, Imported
from solon.collective.reading.imported import (
    CARD,
    COLUMNS,
    EVENTS,
    FINDINGS,
    IMPORTANCE,
    IMPORTANT,
    LATEST,
    PARTICIPANTS,
    STATEMENTS,
    XID,
    Card,
    read_imported,
)
from solon.collective.reading.layout import find_files
from solon.collective.tables import csv_bytes, csv_of_numbers
from solon.errors import InputError, Where

__all__ = ["Finding", "Imported", "open_conversation", "write_imported"]


def open_conversation(path: Path, *, vote_sign: int | None = None) -> Imported:
    """The conversation in a folder: a raw export in any layout, or what `solon collect import` wrote.

    `vote_sign`: the number (+1 or -1) that means agree in a raw export; None: found from its own evidence.

    Raises:
        InputError: naming file and line, for what cannot be read or cannot be told.
    """
    try:
        if (path / CARD).is_file():
            if vote_sign is not None:
                hint = "give --vote-sign when importing the export"
                raise InputError("was imported before: +1 means agree in it", where=Where(path), hint=hint)
            return read_imported(path)
        return assemble(read_export(find_files(path)), vote_sign=vote_sign)
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise InputError(
            what, where=Where(error.filename or path), hint="check the path and its permissions"
        ) from error


def write_imported(imported: Imported, out: Path, *, force: bool = False) -> None:
    """Write the folder, whole or not at all.

    Nothing in it tells the order of rows and columns in the export, so that importing twice gives the same bytes.

    Raises:
        InputError: if `out` exists, unless it is empty, or holds an imported conversation and `force` is set.
    """
    talk = imported.conversation
    with replacing(out, marker=CARD, force=force) as folder:
        _write_people(folder, talk)
        _write_votes(folder, talk)
        found = [(one.severity, one.where, one.what, one.repair) for one in imported.findings]
        (folder / FINDINGS).write_bytes(csv_bytes(COLUMNS[FINDINGS], found))
        card = Card(
            topic=talk.topic,
            description=talk.description,
            source=talk.source,
            strict_moderation=talk.strict_moderation,
            statements=len(talk.statements),
            participants=len(talk.participants),
            votes=int(talk.seen_PS.sum()),
            events=None if talk.log is None else len(talk.log.vote),
            files={path.name: sha256_file(path) for path in sorted(folder.iterdir())},
        )
        (folder / CARD).write_bytes(canonical_json(card, indent=2))


def _write_people(folder: Path, talk: Conversation) -> None:
    """Statements and participants."""
    statements = [
        (one.id, one.author, one.moderated, one.is_seed, one.is_meta, one.created, one.text, one.importance_votes)
        for one in talk.statements
    ]
    counted = any(one.importance_votes is not None for one in talk.statements)
    (folder / STATEMENTS).write_bytes(_with_last((*COLUMNS[STATEMENTS], IMPORTANCE), statements, there=counted))
    people = [(one.id, one.exported_group, one.xid) for one in talk.participants]
    known = any(one.xid for one in talk.participants)
    (folder / PARTICIPANTS).write_bytes(_with_last((*COLUMNS[PARTICIPANTS], XID), people, there=known))


def _with_last(header: Sequence[str], rows: Iterable[Sequence[object]], *, there: bool) -> bytes:
    """A table whose last column is left out unless there is something in it."""
    return csv_bytes(header, rows) if there else csv_bytes(header[:-1], [row[:-1] for row in rows])


def _write_votes(folder: Path, talk: Conversation) -> None:
    """The votes that count, and all by time."""
    rows, columns = np.nonzero(talk.seen_PS)
    values = (talk.participant_ids[rows], talk.statement_ids[columns], talk.votes_PS[rows, columns])
    latest: dict[str, NDArray[Any]] = dict(zip(COLUMNS[LATEST], values, strict=True))
    if talk.important_PS is not None:
        latest[IMPORTANT] = talk.important_PS[rows, columns].astype(np.int8)
    (folder / LATEST).write_bytes(csv_of_numbers(latest))
    if talk.log is not None:
        log = (talk.log.time, talk.log.participant, talk.log.statement, talk.log.vote)
        events: dict[str, NDArray[Any]] = dict(zip(COLUMNS[EVENTS], log, strict=True))
        if talk.log.important is not None:
            events[IMPORTANT] = talk.log.important.astype(np.int8)
        (folder / EVENTS).write_bytes(csv_of_numbers(events))
