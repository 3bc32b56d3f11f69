"""`participants-votes.csv`: a row for each participant, a column for each statement, named by its id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solon.collective.conversation import Ints, Participant
from solon.collective.phrases import listed, many
from solon.collective.reading.bulk import refuse_ragged
from solon.collective.reading.cells import ids, refuse
from solon.collective.reading.exported import XID_KEPT, ExportedParticipant, ExportedVotes, check_size
from solon.collective.reading.findings import Findings
from solon.collective.reading.rows import counts_of, once, say_blanks, say_unknown
from solon.collective.tables import Table, as_integer, shown, stream_csv, unguarded
from solon.errors import InputError, Where

PARTICIPANT_COLUMNS = frozenset(("participant", "xid", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree"))
_VOTE_OF_CELL = {"": 0, "1": 1, "0": 2, "-1": 3, "1.0": 1, "0.0": 2, "-1.0": 3}
_VOTES = np.array([0, 1, 0, -1], dtype=np.int8)


def read_matrix(
    path: Path, findings: Findings, *, ours: bool
) -> tuple[tuple[ExportedParticipant, ...], frozenset[int], ExportedVotes]:
    """Participants, each id once, the statements that have a column, and the votes."""
    header, records = stream_csv(path)
    Table(path=path, header=header, cells=[], lines=[]).require("participant")
    statement_columns = _statement_columns(path, header)
    say_unknown(path, set(header) - PARTICIPANT_COLUMNS - {header[at] for at in statement_columns}, findings)
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
            refuse_ragged(path, header, [(line, record)])
        heads.append([unguarded(record[at]) if ours else record[at] for at in own])
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
    whole = once(whole, "participant", findings)
    names = ("n-comments", "n-votes", "n-agree", "n-disagree")
    say_blanks(whole, findings, names, "participant")
    if "xid" in whole.header and (count := sum(bool(cell.strip()) for cell in whole.column("xid"))):
        findings.note(table.path, f"external ids (xid) of {many(count, 'participant')}: {XID_KEPT}")
    counts = [counts_of(whole, name, "participant", findings) for name in names]
    participants = [
        ExportedParticipant(
            participant=Participant(
                id=row.integer("participant"),
                exported_group=row.cells.get("group-id", "").strip() or None,
                xid=row.cells.get("xid", "").strip() or None,
            ),
            where=row.where,
            n_comments=n_comments,
            n_votes=n_votes,
            n_agree=n_agree,
            n_disagree=n_disagree,
        )
        for row, n_comments, n_votes, n_agree, n_disagree in zip(whole, *counts, strict=True)
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
