"""`participants-votes.csv`: a row for each participant, a column for each statement, named by its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solon.collective.conversation import Ints, Participant
from solon.collective.csv_text import as_integer
from solon.collective.phrases import listed, many
from solon.collective.reading.columns import Columns, read_columns
from solon.collective.reading.exported import MAX_ID, XID_KEPT, ExportedVotes, check_size
from solon.collective.reading.findings import Findings
from solon.collective.reading.names import PEOPLE, Column, by_statement
from solon.collective.reading.sources import Source, read_source
from solon.errors import InputError, Where

COUNTS = ("n-comments", "n-votes", "n-agree", "n-disagree")
_VOTES = np.array([0, 1, 0, -1], dtype=np.int8)


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """What the file says."""

    participants: tuple[Participant, ...]
    """By id."""
    counts: dict[str, Ints]
    """n-comments, n-votes, n-agree, n-disagree of each, as far as there are such columns; -1: not said."""
    statements: frozenset[int]
    """Those that have a column."""
    votes: ExportedVotes


def read_matrix(path: Path, findings: Findings, *, ours: bool, source: Source | None = None) -> Matrix:
    """The file as it is, or as `source` has it; `InputError` for what cannot be read."""

    def statements(header: Sequence[str]) -> list[Column]:
        numbers = _statement_ids(path, header)
        check_size(0, len(numbers), path)
        return [by_statement(name) for name in numbers]

    found = read_columns(source or read_source(path, ours=ours), PEOPLE, findings, key="participant", more=statements)
    check_size(len(found), 0, path)
    found = found.once("participant", findings)
    people = tuple(
        Participant(id=number, exported_group=_group(group), xid=(xid or "").strip() or None)
        for number, group, xid in zip(*map(found.get, ("participant", "group-id", "xid")), strict=True)
    )
    if count := sum(one.xid is not None for one in people):
        findings.note(path, f"external ids (xid) of {many(count, 'participant')}: {XID_KEPT}")
    numbers = _statement_ids(path, list(found.named))
    return Matrix(
        participants=people,
        counts={name: found.counts(name) for name in COUNTS if name in found},
        statements=frozenset(numbers.values()),
        votes=_votes(found, numbers),
    )


def _statement_ids(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Statements by the name of their column; `InputError` if two columns are one statement's."""
    found = {name: number for name in header if (number := as_integer(name)) is not None}
    hint = "name each column of votes by the id of its statement"
    for name, number in found.items():
        if not 0 <= number <= MAX_ID:
            what = f"statement {name} is no id: ids run from 0 to {MAX_ID:,}"
            raise InputError(what, where=Where(path, 1), hint=hint)
    numbers = list(found.values())
    if repeated := sorted({number for number in numbers if numbers.count(number) > 1}):
        what = f"columns with the same name: {listed(repeated)}"
        raise InputError(what, where=Where(path, 1), hint="keep one of each")
    return found


def _group(cell: str | None) -> str | None:
    """A group by its name; `0.0` is what a program makes of 0 in a column with gaps."""
    number = as_integer(cell or "")
    return str(number) if number is not None else (cell or "").strip() or None


def _votes(found: Columns, statements: dict[str, int]) -> ExportedVotes:
    codes_SP = np.stack([found[name] for name in statements]) if statements else np.zeros((0, len(found)), dtype=int)
    columns, rows = np.nonzero(codes_SP)
    return ExportedVotes(
        path=found.path,
        participant=found["participant"][rows],
        statement=np.array(list(statements.values()), dtype=np.int64)[columns],
        vote=_VOTES[codes_SP[columns, rows]],
        time=None,
        line=found.lines[rows],
    )
