"""The CSV files of Clojure and server exports. Columns by name; the two layouts share their names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from solon.collective.conversation import Ints, Participant, Statement
from solon.collective.reading.cells import ids, integers, refuse, times, truth
from solon.collective.reading.datetimes import check_datetimes
from solon.collective.reading.exported import (
    Export,
    ExportedParticipant,
    ExportedStatement,
    ExportedVotes,
    Layout,
    check_size,
)
from solon.collective.reading.findings import Findings, listed, many
from solon.collective.reading.layout import Files, layout_of
from solon.collective.reading.unquoted import read_comments_table
from solon.collective.tables import Row, Table, as_integer, shown, stream_csv
from solon.errors import InputError, Where

COMMENT_COLUMNS = frozenset(
    (
        "timestamp",
        "datetime",
        "comment-id",
        "author-id",
        "agrees",
        "disagrees",
        "passes",
        "moderated",
        "is-meta",
        "is-seed",
        "importance",
        "group-informed-consensus",
        "comment-body",
    )
)
VOTE_COLUMNS = frozenset(("timestamp", "datetime", "comment-id", "voter-id", "vote"))
PARTICIPANT_COLUMNS = frozenset(("participant", "xid", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree"))
MISSING_FROM_COMMENTS = {
    "author-id": "no statement has an author",
    "moderated": "every statement counts as never moderated",
    "timestamp": "statements have no time",
    "agrees": "agrees cannot be checked",
    "disagrees": "disagrees cannot be checked",
}
CHUNK = 50_000
"""Rows of votes.csv held as text at a time."""
_VOTE_OF_CELL = {"": 0, "1": 1, "0": 2, "-1": 3, "1.0": 1, "0.0": 2, "-1.0": 3}
_VOTES = np.array([0, 1, 0, -1], dtype=np.int8)


def read_csv_export(files: Files) -> Export:
    """Everything the files say; `InputError` for what cannot be read."""
    findings = Findings()
    in_seconds = False
    events = None
    if files.votes:
        events, in_seconds = read_votes(files.votes, findings)
    layout = layout_of(files, in_seconds=in_seconds)
    summary = read_summary(files.about, findings) if files.about else {}
    ours = "solon-export" in summary
    statements, comments_in_seconds = read_comments(files.comments, layout, findings, ours=ours)
    if comments_in_seconds and layout is Layout.clojure and not files.votes:
        layout = Layout.server_csv
    participants: tuple[ExportedParticipant, ...] = ()
    columns: frozenset[int] = frozenset()
    matrix = None
    if files.matrix:
        participants, columns, matrix = read_matrix(files.matrix, findings)
    return Export(
        layout=layout,
        folder=files.folder,
        statements=statements,
        comments_path=files.comments,
        participants=participants,
        participants_path=files.matrix,
        columns=columns,
        events=events,
        matrix=matrix,
        findings=findings,
        topic=summary.get("topic", ""),
        description=summary.get("conversation-description", ""),
        stated={key: number for key, cell in summary.items() if (number := as_integer(cell)) is not None},
    )


def read_votes(path: Path, findings: Findings) -> tuple[ExportedVotes, bool]:
    """Votes one by one, and whether the file has its times in seconds."""
    header, records = stream_csv(path)
    _require(path, header, ("comment-id", "voter-id", "vote"))
    _unknown(path, set(header) - VOTE_COLUMNS, findings)
    timed = "timestamp" in header
    names = ["voter-id", "comment-id", "vote", *(["timestamp"] if timed else [])]
    parts: dict[str, list[Ints]] = {name: [np.zeros(0, dtype=np.int64)] for name in names}
    written: list[np.ndarray] = []
    all_lines: list[int] = []
    while chunk := list(islice(records, CHUNK)):
        _refuse_ragged(path, header, chunk)
        lines = [line for line, _ in chunk]
        cells = dict(zip(header, zip(*(record for _, record in chunk), strict=True), strict=True))
        for name in names:
            parts[name].append((ids if name.endswith("-id") else integers)(path, name, cells[name], lines))
        if "datetime" in header:
            written.append(np.array([cell.encode("ascii", "replace")[:40] for cell in cells["datetime"]], dtype="S40"))
        all_lines.extend(lines)
    found = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    bad = np.flatnonzero(np.abs(found["vote"]) > 1)
    refuse(path, [(all_lines[at], f"vote {found['vote'][at]} is not 1, 0 or -1") for at in bad])
    time, in_seconds = None, False
    if timed:
        time, in_seconds = times(path, found["timestamp"], all_lines)
        if written:
            check_datetimes(path, time, np.concatenate(written), all_lines, findings)
    else:
        findings.warning(path, "no column timestamp", "the file's order counts as the order of time")
    votes = ExportedVotes(
        path=path,
        participant=found["voter-id"],
        statement=found["comment-id"],
        vote=found["vote"].astype(np.int8),
        time=time,
        line=np.array(all_lines, dtype=np.int64),
    )
    return votes, in_seconds


def read_comments(
    path: Path, layout: Layout, findings: Findings, *, ours: bool
) -> tuple[tuple[ExportedStatement, ...], bool]:
    """Statements, each id once, and whether the file has its times in seconds."""
    table = read_comments_table(path, findings, ours=ours, may_be_unquoted=layout is Layout.server_csv)
    table.require("comment-id", "comment-body")
    _unknown(path, set(table.header) - COMMENT_COLUMNS - _consensus_columns(table.header), findings)
    for name, consequence in MISSING_FROM_COMMENTS.items():
        if name not in table.header:
            findings.warning(path, f"no column {name}", consequence)
    table = _once(table, "comment-id", findings)
    check_size(0, len(table), path)
    time: list[int | None] = [None] * len(table)
    in_seconds = False
    if "timestamp" in table.header and len(table):
        raw = integers(path, "timestamp", table.column("timestamp"), table.lines)
        found, in_seconds = times(path, raw, table.lines)
        time = [int(one) for one in found]
        if "datetime" in table.header:
            texts = np.array([cell.encode("ascii", "replace")[:40] for cell in table.column("datetime")], dtype="S40")
            check_datetimes(path, found, texts, table.lines, findings)
    statement_ids = ids(path, "comment-id", table.column("comment-id"), table.lines)
    statements = [
        _statement(row, int(number), created, findings)
        for row, number, created in zip(table, statement_ids, time, strict=True)
    ]
    return tuple(statements), in_seconds


def _statement(row: Row, number: int, created: int | None, findings: Findings) -> ExportedStatement:
    cells = row.cells
    author = moderated = None
    if cells.get("author-id", "").strip():
        author = int(ids(row.path, "author-id", [cells["author-id"]], [row.line])[0])
    elif "author-id" in cells:
        findings.warning(f"{row.path.name}:{row.line}", f"statement {number} has no author-id", "author unknown")
    if "moderated" in cells:
        moderated = as_integer(cells["moderated"])
        if moderated not in (-1, 0, 1):
            what = f"moderated is not 1, 0 or -1: {shown(cells['moderated'])}"
            refuse(row.path, [(row.line, what)], "1: accepted, -1: rejected, 0: never moderated")
    flags = {
        name: truth(row.path, name, cells[name], row.line) if name in cells else None for name in ("is-seed", "is-meta")
    }
    statement = Statement(
        id=number,
        text=cells["comment-body"],
        author=author,
        moderated=moderated or 0,
        is_seed=flags["is-seed"],
        is_meta=bool(flags["is-meta"]),
        created=created,
    )
    counts = [_count(row, name, findings) for name in ("agrees", "disagrees", "passes")]
    return ExportedStatement(
        statement=statement, where=row.where, agrees=counts[0], disagrees=counts[1], passes=counts[2]
    )


def read_matrix(
    path: Path, findings: Findings
) -> tuple[tuple[ExportedParticipant, ...], frozenset[int], ExportedVotes]:
    """Participants, each id once, the statements that have a column, and the votes."""
    header, records = stream_csv(path)
    _require(path, header, ("participant",))
    statement_columns = _statement_columns(path, header)
    _unknown(path, set(header) - PARTICIPANT_COLUMNS - {header[at] for at in statement_columns}, findings)
    for name in ("group-id", "n-comments", "n-votes", "n-agree", "n-disagree"):
        if name not in header:
            findings.warning(
                path, f"no column {name}", "its numbers cannot be checked" if name.startswith("n-") else "no groups"
            )
    own = [at for at, name in enumerate(header) if name in PARTICIPANT_COLUMNS]
    statement_ids = np.array(list(statement_columns.values()), dtype=np.int64)
    pick = list(statement_columns)
    heads, bodies, lines = [], [], []
    for line, record in records:
        if len(record) != len(header):
            _refuse_ragged(path, header, [(line, record)])
        heads.append([record[at] for at in own])
        bodies.append(_vote_codes(path, header, line, record, pick))
        lines.append(line)
        if len(lines) % 1000 == 0:
            check_size(len(lines), len(pick), path)
    check_size(len(lines), len(pick), path)
    table = Table(path=path, header=tuple(header[at] for at in own), cells=heads, lines=lines)
    participants, kept = _participants(table, bodies, findings)
    return participants, frozenset(statement_columns.values()), _matrix_votes(path, participants, kept, statement_ids)


def _statement_columns(path: Path, header: Sequence[str]) -> dict[int, int]:
    """Position -> statement id, of the columns whose name is a whole number."""
    found = {at: number for at, name in enumerate(header) if (number := as_integer(name)) is not None}
    names = list(found.values())
    ids(path, "statement", [str(number) for number in names], [1] * len(names))
    if len(set(names)) < len(names):
        repeated = sorted({number for number in names if names.count(number) > 1})
        raise InputError(
            f"columns with the same name: {listed(repeated)}", where=Where(path, 1), hint="keep one of each"
        )
    return found


def _vote_codes(path: Path, header: Sequence[str], line: int, record: list[str], pick: list[int]) -> bytes:
    """One byte per statement column: 0 empty, 1 agree, 2 pass, 3 disagree, in the sign of the file."""
    try:
        return bytes([_VOTE_OF_CELL[record[at]] for at in pick])
    except KeyError:
        bad = [at for at in pick if record[at].strip() not in _VOTE_OF_CELL]
        what = "{} is not 1, 0, -1 or empty, for statement {}"
        refuse(path, [(line, what.format(shown(record[at], 30), header[at])) for at in bad])
        return bytes([_VOTE_OF_CELL[record[at].strip()] for at in pick])


def _participants(
    table: Table, bodies: list[bytes], findings: Findings
) -> tuple[tuple[ExportedParticipant, ...], list[bytes]]:
    ids(table.path, "participant", table.column("participant"), table.lines)
    whole = Table(
        path=table.path,
        header=(*table.header, "votes"),
        cells=[[*cells, body.hex()] for cells, body in zip(table.cells, bodies, strict=True)],
        lines=table.lines,
    )
    whole = _once(whole, "participant", findings)
    if "xid" in whole.header and (count := sum(bool(cell.strip()) for cell in whole.column("xid"))):
        findings.repair(table.path, f"external ids (xid) of {many(count, 'participant')}", "dropped, never stored")
    participants = [
        ExportedParticipant(
            participant=Participant(
                id=row.integer("participant"), exported_group=row.cells.get("group-id", "").strip() or None
            ),
            where=row.where,
            n_comments=_count(row, "n-comments", findings),
            n_votes=_count(row, "n-votes", findings),
            n_agree=_count(row, "n-agree", findings),
            n_disagree=_count(row, "n-disagree", findings),
        )
        for row in whole
    ]
    return tuple(participants), [bytes.fromhex(cell) for cell in whole.column("votes")]


def _matrix_votes(
    path: Path, participants: tuple[ExportedParticipant, ...], bodies: list[bytes], statement_ids: Ints
) -> ExportedVotes:
    codes_PS = np.frombuffer(b"".join(bodies), dtype=np.uint8).reshape(len(bodies), len(statement_ids))
    rows, columns = np.nonzero(codes_PS)
    people = np.array([one.participant.id for one in participants], dtype=np.int64)
    lines = np.array([one.where.line for one in participants], dtype=np.int64)
    return ExportedVotes(
        path=path,
        participant=people[rows],
        statement=statement_ids[columns],
        vote=_VOTES[codes_PS[rows, columns]],
        time=None,
        line=lines[rows],
    )


def read_summary(path: Path, findings: Findings) -> dict[str, str]:
    """`summary.csv`: a key and a value per line, without a header."""
    header, records = stream_csv(path)
    found: dict[str, str] = {}
    rows = [(1, list(header)), *records]
    for line, record in rows:
        if len(record) != 2:
            what = f"{many(len(record), 'cell')} instead of a key and a value"
            findings.warning(f"{path.name}:{line}", what, "the line is ignored")
        elif record[0] in found:
            findings.warning(f"{path.name}:{line}", f"{shown(record[0], 30)} again", "the first one counts")
        else:
            found[record[0]] = record[1]
    return found


def _once(table: Table, key: str, findings: Findings) -> Table:
    """Rows of the same id once; `InputError` where they differ."""
    numbers = ids(table.path, key, table.column(key), table.lines)
    first: dict[int, int] = {}
    faults, repeated = [], []
    for at, number in enumerate(numbers.tolist()):
        before = first.setdefault(number, at)
        if before == at:
            continue
        if table.cells[before] != table.cells[at]:
            faults.append(
                (table.lines[at], f"{key} {number} again, with other cells than in line {table.lines[before]}")
            )
        repeated.append(number)
    refuse(table.path, faults, "keep the right one of the two")
    if repeated:
        what = f"{many(len(repeated), 'row')} twice over: {key} {listed(repeated)}"
        findings.repair(table.path, what, "each counted once")
    kept = sorted(first.values())
    return Table(
        path=table.path,
        header=table.header,
        cells=[table.cells[at] for at in kept],
        lines=[table.lines[at] for at in kept],
    )


def _count(row: Row, name: str, findings: Findings) -> int | None:
    """A number of votes or statements; None, and a finding, if it cannot be one."""
    if name not in row.cells:
        return None
    found = as_integer(row.cells[name])
    if found is None or found < 0:
        what = f"{name} is an impossible count: {shown(row.cells[name], 30)}"
        findings.warning(f"{row.path.name}:{row.line}", what, "ignored; counts are made from the votes")
        return None
    return found


def _consensus_columns(header: Sequence[str]) -> set[str]:
    """Columns that the cleaned file of the CCAI study adds."""
    return {name for name in header if name.startswith("group_") and name.endswith("_consensus")}


def _require(path: Path, header: Sequence[str], names: Sequence[str]) -> None:
    Table(path=path, header=tuple(header), cells=[], lines=[]).require(*names)


def _unknown(path: Path, names: set[str], findings: Findings) -> None:
    if names:
        quoted = ", ".join(shown(name, 30) for name in sorted(names)[:5]) + (", ..." if len(names) > 5 else "")
        findings.warning(path, f"{many(len(names), 'unknown column')}: {quoted}", "ignored")


def _refuse_ragged(path: Path, header: Sequence[str], records: Sequence[tuple[int, list[str]]]) -> None:
    width = len(header)
    bad = [(line, f"{len(record)} cells under {width} columns") for line, record in records if len(record) != width]
    refuse(path, bad, "the file is cut off or damaged there; export it again")
