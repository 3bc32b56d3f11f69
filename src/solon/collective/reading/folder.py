"""The folder that `solon collect import` writes, and how every command opens a conversation, or one file of votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from solon.artifacts.atomic import canonical_json
from solon.artifacts.hashes import sha256_file
from solon.collective.conversation import Bools, Conversation, Ints, Statement, ids_of
from solon.collective.csv_text import Faults
from solon.collective.output import replacing
from solon.collective.reading.assemble import assemble
from solon.collective.reading.columns import Columns, read_columns
from solon.collective.reading.contents import participants_of, read_matrix, statements_of, votes_of
from solon.collective.reading.exported import About, Export, ExportedVotes, Frame, Layout, among, check_size
from solon.collective.reading.files import find_files, plain_name, read_export
from solon.collective.reading.findings import Finding, Findings, Import, Severity
from solon.collective.reading.names import COMMENTS, PEOPLE, PERSON_FIELDS, STATEMENT_FIELDS, VOTES, Column, columns_of
from solon.collective.reading.sources import Source, json_object, read_source
from solon.collective.tables import ColumnsToWrite, csv_of_columns, lacking, read_csv
from solon.errors import InputError, Where
from solon.records import Record

CARD = "imported.json"
STATEMENTS, PARTICIPANTS, LATEST = "statements.csv", "participants.csv", "latest.csv"
EVENTS, FINDINGS = "events.csv", "findings.csv"
AGAIN = "import the export again"
FORMAT = "solon conversation 1"
_OUR_NAMES = {"comment-body": "text", "group-id": "exported-group"}
"""Columns that are called otherwise here than in an export."""
_ALWAYS = ("comment-id", "comment-body", "moderated", "is-meta", "participant", "group-id", "voter-id", "vote")
"""Columns that the files have, by the names of an export; where they are not text, no cell of them is empty."""
_OF_THE_WHOLE = ("topic", "description", "source", "strict_moderation")


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
    events: int | None
    files: dict[str, str]
    """sha256 of the files of this folder, by name."""


def open_conversation(path: Path, *, vote_sign: int | None = None, most_cells: int | None = None) -> Import:
    """The conversation in a folder: a raw export in any layout, or what `solon collect import` wrote.

    `vote_sign`: the number (+1 or -1) that means agree in a raw export; None: found from its own evidence.
    `most_cells`: people times statements of a raw export, at most. Raises `InputError` naming file and line, for what
    cannot be read or cannot be told.
    """
    try:
        if (path / CARD).is_file():
            if vote_sign is not None:
                hint = "give --vote-sign when importing the export"
                raise InputError("was imported before: +1 means agree in it", where=Where(path), hint=hint)
            return _read_imported(path)
        return assemble(read_export(find_files(path)), vote_sign=vote_sign, most_cells=most_cells)
    except OSError as error:
        what, hint = f"cannot be read: {error.strerror or error}", "check the path and its permissions"
        raise InputError(what, where=Where(error.filename or path), hint=hint) from error


def read_ballots(path: Path, group_column: str) -> Import:
    """The votes; the groups that a column names are the exported ones. Without ids, people are numbered by row. Raises
    `InputError` with the line, for what an export is refused for; for a file without statements or that column.
    """
    findings = Findings()
    matrix = read_matrix(path, findings, ours=False, source=_as_exported(path, group_column))
    if not matrix.statements:
        hint = "votes stand in columns headed 0, 1, 2, ...; this may be another file of the export"
        raise InputError("no column is headed by a statement id", where=Where(path, 1), hint=hint)
    export = Export(
        layout=Layout.clojure,
        folder=path.parent,
        statements=tuple(Statement(id=one, text="") for one in sorted(matrix.statements)),
        comments_path=path,
        matrix=matrix,
        about=About(),
        findings=findings,
    )
    found = assemble(export)
    return replace(found, conversation=replace(found.conversation, source=str(path)))


def _as_exported(path: Path, group_column: str) -> Source:
    source = read_source(path, ours=False)
    if group_column not in source.header:
        raise lacking(path, [group_column], source.header)
    names = {"group-id": "other-groups", group_column: "group-id"}
    source = replace(source, header=tuple(names.get(one, one) for one in source.header))
    if PEOPLE[0].among(source.header):
        return source
    blocks = ((lines, [list(map(str, lines)), *cells]) for lines, cells in source.blocks)
    return replace(source, header=("participant", *source.header), blocks=blocks)


def read_by(path: Path) -> set[Path]:
    """Files that opening a folder may read; a file is itself. Empty: it is not there."""
    ours = {CARD, STATEMENTS, PARTICIPANTS, LATEST, EVENTS, FINDINGS}
    return {one for one in path.glob("*") if one.name in ours or plain_name(one.name)} if path.is_dir() else {path}


def write_import(imported: Import, out: Path, *, force: bool = False) -> None:
    """Write the folder, whole or not at all.

    Nothing in it tells the order of rows and columns in the export, so that importing twice gives the same bytes.
    Raises `InputError` if `out` exists, unless it is empty, or holds an imported conversation and `force` is set.
    """
    talk = imported.conversation
    with replacing(out, marker=CARD, force=force) as folder:
        for name, columns in _tables(imported).items():
            ours = {_OUR_NAMES.get(column, column): cells for column, cells in columns.items()}
            (folder / name).write_bytes(csv_of_columns(ours))
        card = Card(
            **{name: getattr(talk, name) for name in _OF_THE_WHOLE},
            statements=len(talk.statements),
            participants=len(talk.participants),
            votes=int(talk.seen_PS.sum()),
            events=None if talk.log is None else len(talk.log.vote),
            files={path.name: sha256_file(path) for path in sorted(folder.iterdir())},
        )
        (folder / CARD).write_bytes(canonical_json(card, indent=2))


def _tables(imported: Import) -> dict[str, ColumnsToWrite]:
    """The columns of every file; None: the export says no such thing."""
    talk, log = imported.conversation, imported.conversation.log
    rows, columns = np.nonzero(talk.seen_PS)
    tables: dict[str, ColumnsToWrite] = {
        STATEMENTS: columns_of(talk.statements, STATEMENT_FIELDS),
        PARTICIPANTS: columns_of(talk.participants, PERSON_FIELDS),
        FINDINGS: columns_of(imported.findings, {name: name for name in Finding.model_fields}),
        LATEST: _vote_columns(
            talk.participant_ids[rows],
            talk.statement_ids[columns],
            talk.votes_PS[rows, columns],
            None if talk.important_PS is None else talk.important_PS[rows, columns],
        ),
    }
    if log is not None:
        voted = _vote_columns(log.participant, log.statement, log.vote, log.important)
        tables[EVENTS] = {"timestamp": log.time, **voted}
    return tables


def _vote_columns(person: Ints, statement: Ints, vote: NDArray[np.int8], important: Bools | None) -> ColumnsToWrite:
    marks = None if important is None else important.astype(np.int8)
    return {"participant": person, "comment-id": statement, "vote": vote, "important": marks}


def _read_imported(path: Path) -> Import:
    card = _card(path)
    findings = Findings(found=_findings(path / FINDINGS))
    for name, sha in card.files.items():
        if not (path / name).is_file() or sha256_file(path / name) != sha:
            findings.warning(name, "was changed after the import", "read as it is now")
    statements = statements_of(_read(path / STATEMENTS, COMMENTS).once("comment-id", findings))
    participants = participants_of(_read(path / PARTICIPANTS, PEOPLE).once("participant", findings))
    check_size(len(participants), len(statements), path)
    frame = Frame(participant_ids=ids_of(participants), statement_ids=ids_of(statements))
    latest = _votes(path / LATEST, frame)
    key = frame.keys(latest)
    faults = Faults(latest.path)
    for again in np.setdiff1d(np.arange(len(key)), np.unique(key, return_index=True)[1]).tolist():
        faults.add(int(latest.line[again]), "a second vote of this participant on this statement", hint=AGAIN)
    faults.raise_any(len(key))
    conversation = Conversation(
        statements=statements,
        participants=participants,
        votes_PS=frame.dense(key, latest.vote, np.int8),
        seen_PS=frame.dense(key, True, bool),
        important_PS=None if latest.important is None else frame.dense(key, latest.important, bool),
        log=None if card.events is None else _votes(path / EVENTS, frame).log(),
        **{name: getattr(card, name) for name in _OF_THE_WHOLE},
    )
    return Import(conversation=conversation.counted(), findings=tuple(findings.found))


def _card(path: Path) -> Card:
    try:
        card = Card.model_validate(json_object(path / CARD))
    except ValidationError as error:
        first = error.errors()[0]
        what = f"cannot be read: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise InputError(what, where=Where(path / CARD), hint=AGAIN) from None
    if card.format != FORMAT:
        what = f"another format: {card.format!r} instead of {FORMAT!r}"
        raise InputError(what, where=Where(path / CARD), hint=AGAIN)
    return card


def _read(path: Path, columns: Sequence[Column]) -> Columns:
    there = _ALWAYS if path.name != EVENTS else (*_ALWAYS, "timestamp")
    ours = [replace(one, required=one.name in there, hint=AGAIN) for one in columns]
    return read_columns(read_source(path, ours=True), ours)


def _findings(path: Path) -> list[Finding]:
    table = read_csv(path)
    table.require(*Finding.model_fields)
    for row in table:
        if row["severity"] not in get_args(Severity):
            row.fail(f"severity is {row['severity']!r}", "note, repair or warning")
    return [Finding.model_validate({name: row[name] for name in Finding.model_fields}) for row in table]


def _votes(path: Path, frame: Frame) -> ExportedVotes:
    """The votes of a file; `InputError` for ids that the folder does not have."""
    found = _read(path, VOTES)
    faults = Faults(found.path)
    for name, known in (("voter-id", frame.participant_ids), ("comment-id", frame.statement_ids)):
        for at in np.flatnonzero(~among(found[name], known)).tolist():
            what = f"no {found.named[name]} {found[name][at]} in this conversation"
            faults.add(int(found.lines[at]), what, hint=AGAIN)
    faults.raise_any(len(found))
    return votes_of(found)
