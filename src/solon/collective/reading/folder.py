"""The folder that `solon collect import` writes, and how every command opens a conversation.

imported.json      what was imported, in which sign, and the sha256 of the other files
statements.csv     comment-id, author-id, moderated, is-seed, is-meta, timestamp, text
participants.csv   participant, exported-group, and xid if the export has external ids
latest.csv         participant, comment-id, vote: the vote that counts, +1 agree
events.csv         timestamp, participant, comment-id, vote: every vote by time, if the export has times
findings.csv       severity, where, what, repair
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solon.artifacts.atomic import canonical_json, sha256_file
from solon.collective.conversation import Participant, Statement
from solon.collective.output import replacing
from solon.collective.reading.assemble import assemble
from solon.collective.reading.csv_export import read_csv_export
from solon.collective.reading.findings import Finding, Imported
from solon.collective.reading.imported import (
    CARD,
    COLUMNS,
    EVENTS,
    FINDINGS,
    LATEST,
    PARTICIPANTS,
    STATEMENTS,
    XID,
    Card,
    read_imported,
)
from solon.collective.reading.layout import find_files
from solon.collective.reading.server_json import read_server_json
from solon.collective.tables import csv_bytes
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
        files = find_files(path)
        export = read_server_json(files) if files.is_json else read_csv_export(files)
        return assemble(export, vote_sign=vote_sign)
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
        _write(folder / STATEMENTS, map(_statement_row, talk.statements))
        (folder / PARTICIPANTS).write_bytes(_participants(talk.participants))
        rows, columns = np.nonzero(talk.seen_PS)
        cells = (talk.participant_ids[rows], talk.statement_ids[columns], talk.votes_PS[rows, columns])
        _write(folder / LATEST, _rows(cells))
        if talk.log is not None:
            events = (talk.log.time, talk.log.participant, talk.log.statement, talk.log.vote)
            _write(folder / EVENTS, _rows(events))
        found = ((one.severity, one.where, one.what, one.repair) for one in imported.findings)
        _write(folder / FINDINGS, found)
        card = Card(
            topic=talk.topic,
            description=talk.description,
            source=talk.source,
            strict_moderation=talk.strict_moderation,
            statements=len(talk.statements),
            participants=len(talk.participants),
            votes=len(rows),
            events=None if talk.log is None else len(talk.log.vote),
            files={path.name: sha256_file(path) for path in sorted(folder.iterdir())},
        )
        (folder / CARD).write_bytes(canonical_json(card, indent=2))


def _write(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """A file of the folder, which is made lasting as a whole."""
    path.write_bytes(csv_bytes(COLUMNS[path.name], rows))


def _participants(participants: Sequence[Participant]) -> bytes:
    """With a column of external ids where anybody has one."""
    rows = [(one.id, one.exported_group, one.xid) for one in participants]
    if any(one.xid for one in participants):
        return csv_bytes((*COLUMNS[PARTICIPANTS], XID), rows)
    return csv_bytes(COLUMNS[PARTICIPANTS], [row[:2] for row in rows])


def _statement_row(one: Statement) -> tuple[object, ...]:
    return one.id, one.author, one.moderated, one.is_seed, one.is_meta, one.created, one.text


def _rows(arrays: Sequence[NDArray[Any]]) -> Iterator[tuple[int, ...]]:
    return zip(*(array.tolist() for array in arrays), strict=True)
