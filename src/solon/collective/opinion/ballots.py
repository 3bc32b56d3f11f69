"""A participants-votes file on its own: one row per participant, one column per statement, one that names groups.

A statement's column is headed by its id. +1 (or 1) is agree, -1 disagree, 0 pass, an empty cell not seen. Where the
file counts each participant's agrees and disagrees, they say which sign it has, and the opposite one is refused. (A
whole export is read by `reading`, which knows its other files and turns what is the wrong way round.)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE, PASS, VOTE_SIGN, Conversation, Participant, Statement
from solon.collective.opinion.given_groups import numeric_first
from solon.collective.opinion.results import Groups
from solon.collective.tables import Table, as_integer, raise_faults, read_csv, shown
from solon.errors import Fault, InputError, Where

_UNSEEN, _NO_VOTE = 9, 8
"""Codes beside the three votes while a file is read."""
_VOTES = {
    "": _UNSEEN,
    **dict.fromkeys(("1", "+1", "1.0"), AGREE),
    **dict.fromkeys(("0", "0.0", "-0", "-0.0"), PASS),
    **dict.fromkeys(("-1", "-1.0"), DISAGREE),
}
SIGN = f"{VOTE_SIGN}, empty not seen"


def read_ballots(path: Path, group_column: str) -> tuple[Conversation, Groups]:
    """The votes, people being numbered by row, and the groups that a column names.

    Raises:
        InputError: with the line, for a broken file, a cell that is no vote, a statement or participant that occurs
            twice, votes of the opposite sign, or a column that names no group.
    """
    table = read_csv(path, ours=False)
    table.require(group_column)
    columns = _statement_columns(table, group_column)
    order = sorted(columns)
    coded_PS = np.array([[_VOTES.get(cells[columns[one]].strip(), _NO_VOTE) for one in order] for cells in table.cells])
    coded_PS = coded_PS.astype(np.int8).reshape(len(table), len(order))
    faults = [
        Fault(
            f"the vote on statement {order[column]} is {shown(table.cells[row][columns[order[column]]])}",
            Where(path, table.lines[row]),
            "a vote is 1, 0, -1 or an empty cell",
        )
        for row, column in np.argwhere(coded_PS == _NO_VOTE).tolist()
    ]
    raise_faults([*faults, *_repeats(table)], path)
    seen_PS = coded_PS != _UNSEEN
    conversation = Conversation(
        statements=tuple(Statement(id=one, text="") for one in order),
        participants=tuple(Participant(id=row) for row in range(len(table))),
        votes_PS=np.where(seen_PS, coded_PS, PASS).astype(np.int8),
        seen_PS=seen_PS,
        source=str(path),
    )
    _check_sign(table, conversation)
    return conversation, _groups(table, group_column)


def _statement_columns(table: Table, group_column: str) -> dict[int, int]:
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


def _repeats(table: Table) -> Iterator[Fault]:
    """Participants with two rows: which one counts is not for us to guess."""
    first: dict[str, int] = {}
    for line, cell in zip(
        table.lines, table.column("participant") if "participant" in table.header else (), strict=False
    ):
        name = cell.strip()
        if name in first:
            hint = "keep one row per participant"
            yield Fault(f"participant {shown(name)} again, as in line {first[name]}", Where(table.path, line), hint)
        first.setdefault(name, line)


def _groups(table: Table, group_column: str) -> Groups:
    """In order of their names, numbers by value and before words. Whoever has none is in none."""
    cells = [cell.strip() for cell in table.column(group_column)]
    names = tuple(sorted({cell for cell in cells if cell}, key=numeric_first))
    if not names:
        what = f"no participant has a {group_column}"
        raise InputError(what, where=Where(table.path), hint="name another column with --group-column")
    label = {name: at for at, name in enumerate(names)}
    rows = [row for row, cell in enumerate(cells) if cell]
    return Groups(
        participant_ids=np.array(rows, dtype=np.int64),
        labels_G=np.array([label[cells[row]] for row in rows], dtype=np.int64),
        names=names,
        silhouettes={},
        method="given",
    )


def _check_sign(table: Table, conversation: Conversation) -> None:
    """Refuse a file whose own counts of agrees say that -1 is agree."""
    names = ("n-agree", "n-disagree")
    if not set(names) <= set(table.header):
        return
    said_2P = np.array(
        [[-1 if (n := as_integer(cell)) is None else n for cell in table.column(name)] for name in names]
    )
    cast = [conversation.seen_PS & (conversation.votes_PS == vote) for vote in (AGREE, DISAGREE)]
    counted_2P = np.array([cells_PS.sum(axis=1) for cells_PS in cast])
    # Only people whose two counts differ can tell the signs apart.
    telling = (said_2P >= 0).all(axis=0) & (said_2P[0] != said_2P[1])
    as_read = int((said_2P == counted_2P).all(axis=0)[telling].sum())
    turned = int((said_2P == counted_2P[::-1]).all(axis=0)[telling].sum())
    if turned > as_read and turned * 2 > int(telling.sum()):
        raise InputError(
            f"the signs are turned round: n-agree counts the -1 votes of {turned} of {int(telling.sum())} participants",
            where=Where(table.path),
            hint=f"here a vote is {SIGN}; `solon collect import` turns exports the right way",
        )
