"""A participants-votes file on its own: one row per participant, one column per statement, read by column names.

A statement's column is headed by its id. +1 (or 1) is agree, -1 disagree, 0 pass, an empty cell not seen. That is the
sign of the exports people download; Polis's own database has the opposite. Where the file counts each participant's
agrees and disagrees, the counts say which sign it has, and a file with the opposite one is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import AGREE, DISAGREE, PASS, VOTE_SIGN, Bools, Ints
from solon.collective.tables import Table, as_integer, raise_faults, read_csv, shown
from solon.errors import Fault, InputError, Where

PARTICIPANT = "participant"
_UNSEEN, _NO_VOTE = 9, 8
"""Codes beside the three votes while a file is read."""
_VOTES = {
    "": _UNSEEN,
    **dict.fromkeys(("1", "+1", "1.0"), AGREE),
    **dict.fromkeys(("0", "0.0", "-0", "-0.0"), PASS),
    **dict.fromkeys(("-1", "-1.0"), DISAGREE),
}
SIGN = f"{VOTE_SIGN}, empty not seen"


@dataclass(frozen=True, kw_only=True)
class Ballots:
    """The votes of a file: rows in the order of the file, columns by statement id, ascending."""

    table: Table
    statement_ids: Ints
    votes_PS: NDArray[np.int8]
    seen_PS: Bools

    def integers(self, column: str) -> Ints:
        """A column of whole numbers [P].

        Raises:
            InputError: that names every line where it holds something else.
        """
        self.table.require(column)
        found = [as_integer(cell) for cell in self.table.column(column)]
        faults = [
            Fault(f"{column} is not a whole number: {shown(cell)}", Where(self.table.path, line), "write digits only")
            for line, cell, number in zip(self.table.lines, self.table.column(column), found, strict=True)
            if number is None
        ]
        raise_faults(faults, self.table.path)
        return np.array(found, dtype=np.int64)

    def ids(self) -> Ints:
        """Participant ids in the order of the file, each once."""
        ids = self.integers(PARTICIPANT)
        raise_faults(list(_repeats(self.table)), self.table.path)
        return ids


def read_ballots(path: Path, *, group_column: str | None = None) -> Ballots:
    """Read a participants-votes file. `group_column` is no statement, even if its name is a number.

    Raises:
        InputError: with the line, for a broken file, a cell that is no vote, a statement or participant that occurs
            twice, or votes of the opposite sign.
    """
    table = read_csv(path, ours=False)
    if group_column is not None:
        table.require(group_column)
    columns = _statement_columns(table, group_column)
    order = sorted(columns)
    coded_PS, faults = _coded(table, [columns[one] for one in order])
    raise_faults(faults, path)
    seen_PS = coded_PS != _UNSEEN
    ballots = Ballots(
        table=table,
        statement_ids=np.array(order, dtype=np.int64),
        votes_PS=np.where(seen_PS, coded_PS, PASS).astype(np.int8),
        seen_PS=seen_PS,
    )
    raise_faults(list(_repeats(table)), path)
    _check_sign(ballots)
    return ballots


def _statement_columns(table: Table, group_column: str | None) -> dict[int, int]:
    """Position of each statement's column."""
    columns: dict[int, int] = {}
    for position, name in enumerate(table.header):
        statement = as_integer(name)
        if statement is None or statement < 0 or name == group_column:
            continue
        if statement in columns:
            twice = f"columns {shown(table.header[columns[statement]])} and {shown(name)} are the same statement"
            raise InputError(twice, where=Where(table.path, 1), hint="keep one of them")
        columns[statement] = position
    if not columns:
        raise InputError(
            "no column is headed by a statement id",
            where=Where(table.path, 1),
            hint="votes stand in columns headed 0, 1, 2, ...; this may be another file of the export",
        )
    return columns


def _coded(table: Table, positions: list[int]) -> tuple[NDArray[np.int8], list[Fault]]:
    coded_PS = np.full((len(table), len(positions)), _UNSEEN, dtype=np.int8)
    faults: list[Fault] = []
    for row, (line, cells) in enumerate(zip(table.lines, table.cells, strict=True)):
        found = [_VOTES.get(cells[position].strip(" "), _NO_VOTE) for position in positions]
        if _NO_VOTE in found:
            faults += [
                Fault(
                    f"the vote on statement {table.header[position]} is {shown(cells[position])}",
                    Where(table.path, line),
                    "a vote is 1, 0, -1 or an empty cell",
                )
                for position, vote in zip(positions, found, strict=True)
                if vote == _NO_VOTE
            ]
        else:
            coded_PS[row] = found
    return coded_PS, faults


def _repeats(table: Table) -> Iterator[Fault]:
    """Participants with two rows: which one counts is not for us to guess."""
    if PARTICIPANT not in table.header:
        return
    first: dict[str, int] = {}
    for line, cell in zip(table.lines, table.column(PARTICIPANT), strict=True):
        name = cell.strip()
        if name in first:
            hint = "keep one row per participant"
            yield Fault(f"participant {shown(name)} again, as in line {first[name]}", Where(table.path, line), hint)
        first.setdefault(name, line)


def _check_sign(ballots: Ballots) -> None:
    """Refuse a file whose own counts of agrees say that -1 is agree."""
    names = ("n-agree", "n-disagree")
    if not set(names) <= set(ballots.table.header):
        return
    stated_2P = [[as_integer(cell) for cell in ballots.table.column(name)] for name in names]
    said_2P = np.array([[-1 if one is None else one for one in column] for column in stated_2P], dtype=np.int64)
    counted_2P = np.array(
        [(ballots.seen_PS & (ballots.votes_PS == vote)).sum(axis=1) for vote in (AGREE, DISAGREE)], dtype=np.int64
    )
    # Only people whose two counts differ can tell the signs apart.
    telling = (said_2P >= 0).all(axis=0) & (said_2P[0] != said_2P[1])
    as_read = int((said_2P == counted_2P).all(axis=0)[telling].sum())
    turned = int((said_2P == counted_2P[::-1]).all(axis=0)[telling].sum())
    if turned > as_read and turned * 2 > int(telling.sum()):
        raise InputError(
            f"the signs are turned round: n-agree counts the -1 votes of {turned} of {int(telling.sum())} participants",
            where=Where(ballots.table.path),
            hint=f"here a vote is {SIGN}; `solon collect import` turns exports the right way",
        )
