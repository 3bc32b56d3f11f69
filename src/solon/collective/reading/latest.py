"""One vote per participant and statement, out of many. The order of rows in a file decides nothing.

Times tell which vote is the latest. Where they do not (two votes in the same second, a file without times), the matrix
of the export tells, if there is one. Where nothing tells: of votes at one time the lowest counts, so that agreement is
never overstated; without any times the export is refused, for the first and the last vote would be anybody's guess.

Two files may both have a vote, the votes one by one and the matrix. Where they differ about a participant, the file
whose votes give that participant's own `n-votes`, `n-agree` and `n-disagree` decides for the cells that differ. If both
do or neither does, `votes.csv` decides where it has a vote, and a vote that only the matrix has is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import Bools, Ints
from solon.collective.phrases import listed, many
from solon.collective.reading.counts import OF_PEOPLE
from solon.collective.reading.exported import Cells, Export, ExportedVotes, among
from solon.collective.reading.findings import Findings
from solon.collective.reading.kinds import NONE
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
    """The events in order, each once: two rows of the same participant, statement, vote and time are one written twice.
    A file without times cannot tell that from voting twice, and there it makes no difference."""
    votes = in_order(votes)
    if votes.time is None:
        return votes
    same = ~_starts(votes.participant, votes.statement, votes.time, votes.vote, votes.important)
    if same.any():
        what = f"{many(int(same.sum()), 'vote')} written twice (same voter, statement, vote and time)"
        findings.repair(votes.path, f"{what}: {_pairs(votes, same)}", "each counted once")
    return votes.take(~same)


def latest(votes: ExportedVotes) -> Latest:
    """The last vote of each participant on each statement, of votes as `in_order` has them.

    Person 1 agrees with 7 at noon and disagrees an hour later: the vote is -1. With both at noon it is -1, and open.
    """
    order = np.argsort(_cell(votes), kind="stable")
    by_cell = votes.take(order)
    in_cell = _starts(by_cell.participant, by_cell.statement)
    at_once = _starts(by_cell.participant, by_cell.statement, by_cell.time)
    # What begins after a row ends with it.
    cell_ends, ends = np.roll(in_cell, -1), np.flatnonzero(np.roll(at_once, -1))
    # Votes at one time descend: they are one vote only if the first and the last are the same.
    split = by_cell.vote[at_once] != by_cell.vote[ends]
    found = by_cell.take(cell_ends)
    return Latest(votes=found, open=split[cell_ends[ends]], n_before=len(votes) - len(found))


def say_latest(found: Latest, *, told: Bools, export: Export) -> None:
    """A finding about re-votes, and one about those whose order nothing but the matrix tells.

    told: where the matrix has a vote [votes]. Raises `InputError` if the votes have no times, and the matrix does not
    tell either.
    """
    votes, untimed = found.votes, found.votes.time is None
    if found.n_before:
        how = "" if untimed else ", by the time written"
        export.findings.note(
            votes.path, f"{many(found.n_before, 're-vote')}; the latest vote of each voter counts{how}"
        )
    untold = found.open & ~told
    if untimed and untold.any():
        _refuse(votes, untold)
    for chosen, done in (
        (found.open & told, f"{export.vote_files[1]} decides"),
        (untold, "the lowest counts: disagree before pass before agree"),
    ):
        if chosen.any():
            cases = many(int(chosen.sum()), "case")
            what = f"different votes of one voter on one statement{'' if untimed else ' at the same time'}, {cases}"
            export.findings.repair(votes.path, f"{what}: {_pairs(votes, chosen)}", done)


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


def _starts(*columns: NDArray[Any] | None) -> Bools:
    """Where a row differs from the one before it in a column."""
    there = [column for column in columns if column is not None]
    found = np.ones(len(there[0]), dtype=bool)
    found[1:] = np.any([column[1:] != column[:-1] for column in there], axis=0)
    return found


def _pairs(votes: ExportedVotes, chosen: Bools, most: int = 3) -> str:
    pairs = np.unique(np.stack([votes.participant[chosen], votes.statement[chosen]]), axis=1).T.tolist()
    told = ", ".join(f"voter {person} on statement {statement}" for person, statement in pairs[:most])
    return told + (", ..." if len(pairs) > most else "")


def matrix_sign(log: Cells, matrix: Cells) -> int:
    """+1 if the matrix has the sign of the log, -1 if the opposite."""
    both = among(log.key, matrix.key)
    product = log.vote[both] * matrix.vote[np.searchsorted(matrix.key, log.key[both])]
    return -1 if int((product < 0).sum()) > int((product > 0).sum()) else 1


def reconcile(log: Cells, matrix: Cells, export: Export, opened: Ints) -> Cells:
    """The votes that count. export: framed; opened: keys of cells that the log leaves open."""
    frame, names = log.frame, export.vote_files
    vote_log, vote_matrix = log.vote.copy(), matrix.vote
    vote_log[np.searchsorted(log.key, opened)] = vote_matrix[np.searchsorted(matrix.key, opened)]
    log = Cells(frame=frame, key=log.key, vote=vote_log)
    # Both ascend, so that sorting is merging.
    key = np.sort(np.concatenate([log.key, matrix.key]), kind="stable")
    key = key[np.diff(key, prepend=-1) != 0]
    here, there = _spread(key, matrix), _spread(key, log)
    differ = here != there
    if not differ.any():
        export.findings.note(names[1], f"all {many(len(key), 'vote')} agree with {names[0]}")
        return log
    row = key[differ] // len(frame.statement_ids)
    fits_log, fits_matrix = (_fits(cells, export)[row] for cells in (log, matrix))
    trusted = fits_matrix & ~fits_log
    _say(export, (here[differ], there[differ]), frame.participant_ids[np.unique(row)], trusted)
    # A vote that only the matrix has is dropped where the log alone fits the participant's own counts.
    kept = trusted | ((there[differ] == NONE) & (fits_matrix | ~fits_log))
    there[differ] = np.where(kept, here[differ], there[differ])
    return Cells(frame=frame, key=key[there != NONE], vote=there[there != NONE])


def _spread(key: Ints, cells: Cells) -> np.ndarray[Any, np.dtype[np.int8]]:
    found = np.full(len(key), NONE, dtype=np.int8)
    found[np.searchsorted(key, cells.key)] = cells.vote
    return found


def _fits(cells: Cells, export: Export) -> Bools:
    """[P]: whether the votes give the participant's own counts; False where none are stated."""
    said = export.matrix.counts
    good = np.asarray(said.get("n-votes", np.full(len(cells.frame.participant_ids), -1)) >= 0)
    for name, kind in OF_PEOPLE:
        if name in said:
            good = good & ((said[name] < 0) | (said[name] == cells.per_participant(kind)))
    return good


def _say(export: Export, votes: tuple[Ints, Ints], people: Ints, trusted: Bools) -> None:
    """votes: here, in the matrix, and there, in the log, where they differ; trusted: where the matrix is."""
    (here, there), names = votes, export.vote_files
    n_here, n_there = int((there == NONE).sum()), int((here == NONE).sum())
    n_matrix = int(trusted.sum())
    what = (
        f"{many(len(here), 'cell')} of {many(len(people), 'participant')} ({listed(people.tolist())}) "
        f"{'differs' if len(here) == 1 else 'differ'} from {names[0]}: {n_there:,} only there, "
        f"{n_here:,} only here, {len(here) - n_here - n_there:,} with another vote"
    )
    done = (
        f"the file that gives a participant's n-votes, n-agree and n-disagree decides, else {names[0]}, and votes that "
        f"only one has are kept: {names[0]} decided {len(here) - n_matrix:,}, {names[1]} {n_matrix:,}"
    )
    export.findings.repair(names[1], what, done)
