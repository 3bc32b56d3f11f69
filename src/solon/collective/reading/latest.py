"""One vote per participant and statement, out of many. The order of rows in a file decides nothing.

Times tell which vote is the latest. Where they do not (two votes in the same second, a file without times), the matrix
of the export tells, if there is one. Where nothing tells: of votes at one time the lowest counts, so that agreement is
never overstated; without any times the export is refused, for the first and the last vote would be anybody's guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from solon.collective.conversation import Bools, Ints
from solon.collective.phrases import many
from solon.collective.reading.exported import ExportedVotes
from solon.collective.reading.findings import Findings
from solon.errors import InputError, Where


@dataclass(frozen=True, kw_only=True)
class Latest:
    """The vote that counts of each participant on each statement."""

    votes: ExportedVotes
    open: Bools
    """Where other votes of the same participant on the same statement are as late as this one."""
    n_before: int
    """Votes that a later one replaced."""


def in_order(votes: ExportedVotes) -> ExportedVotes:
    """By time, participant and statement; of one participant's votes on one statement at one time, the lowest last."""
    time = () if votes.time is None else (votes.time,)
    important = () if votes.important is None else (votes.important,)
    return votes.take(np.lexsort((*important, -votes.vote, _cell(votes), *time)))


def once_each(votes: ExportedVotes, findings: Findings) -> ExportedVotes:
    """The events in order, each once.

    Two rows of the same participant, statement, vote and time are one event written twice. A file without times cannot
    tell that from voting twice, and there it makes no difference.
    """
    votes = in_order(votes)
    if votes.time is None:
        return votes
    same = np.zeros(len(votes), dtype=bool)
    same[1:] = True
    for column in (votes.participant, votes.statement, votes.time, votes.vote, votes.important):
        if column is not None:
            same[1:] &= column[1:] == column[:-1]
    if same.any():
        what = f"{many(int(same.sum()), 'vote')} written twice (same voter, statement, vote and time)"
        findings.repair(votes.path, f"{what}: {_pairs(votes, same)}", "each counted once")
    return votes.take(~same)


def latest(votes: ExportedVotes) -> Latest:
    """The last vote of each participant on each statement, of votes as `in_order` has them.

    Person 1 agrees with 7 at noon and disagrees an hour later: the vote is -1. With both at noon it is -1, and open.
    """
    time = np.zeros(len(votes), dtype=np.int64) if votes.time is None else votes.time
    cell = _cell(votes)
    order = np.argsort(cell, kind="stable")
    cell_ends, run_ends = _ends(cell[order]), _ends(cell[order], time[order])
    vote = votes.vote[order]
    run_starts = np.concatenate([np.zeros(min(1, len(order)), dtype=np.int64), run_ends[:-1] + 1])
    # Within a run votes descend: it holds one vote only if its first and its last are the same.
    split = vote[run_starts] != vote[run_ends]
    return Latest(
        votes=votes.take(order[cell_ends]),
        open=split[np.isin(run_ends, cell_ends, assume_unique=True)],
        n_before=len(votes) - len(cell_ends),
    )


def say_latest(found: Latest, *, told: Bools, names: tuple[str, str], findings: Findings) -> None:
    """A finding about re-votes, and one about those whose order nothing but the matrix tells.

    told: where the matrix has a vote [votes]; names: of the file of votes, and of the matrix.

    Raises:
        InputError: if the votes have no times, and the matrix does not tell either.
    """
    votes = found.votes
    if found.n_before:
        how = ", by the time written" if votes.time is not None else ""
        findings.note(names[0], f"{many(found.n_before, 're-vote')}; the latest vote of each voter counts{how}")
    untold = found.open & ~told
    if votes.time is None and untold.any():
        _refuse(votes, untold)
    at_once = " at the same time" if votes.time is not None else ""
    for open_, done in (
        (found.open & told, f"{names[1]} decides"),
        (untold, "the lowest counts: disagree before pass before agree"),
    ):
        if open_.any():
            cases = many(int(open_.sum()), "case")
            what = f"different votes of one voter on one statement{at_once}, {cases}: {_pairs(votes, open_)}"
            findings.repair(names[0], what, done)


def _refuse(votes: ExportedVotes, untold: Bools) -> NoReturn:
    at = int(np.flatnonzero(untold)[0])
    what = (
        f"participant {votes.participant[at]} voted in different ways on statement {votes.statement[at]}, and without "
        f"times nothing tells which vote is the later ({many(int(untold.sum()), 'case')} in all)"
    )
    line = int(votes.line[at]) if votes.path.suffix == ".csv" else None
    hint = "export the votes with their times, or add participants-votes.csv of the same export"
    raise InputError(what, where=Where(votes.path, line), hint=hint)


def _cell(votes: ExportedVotes) -> Ints:
    """A number for each pair of participant and statement, in their order. Ids are below 2^31."""
    return votes.participant * (int(votes.statement.max(initial=0)) + 1) + votes.statement


def _ends(*columns: Ints) -> Ints:
    """The last position of each run of equal rows."""
    ends = np.ones(len(columns[0]), dtype=bool)
    ends[:-1] = False
    for column in columns:
        ends[:-1] |= column[1:] != column[:-1]
    return np.flatnonzero(ends)


def _pairs(votes: ExportedVotes, chosen: Bools, most: int = 3) -> str:
    pairs = np.unique(np.stack([votes.participant[chosen], votes.statement[chosen]]), axis=1).T.tolist()
    told = ", ".join(f"voter {person} on statement {statement}" for person, statement in pairs[:most])
    return told + (", ..." if len(pairs) > most else "")
