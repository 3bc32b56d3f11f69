"""One vote per cell from two files that both have it: the votes one by one, and the matrix.

The rule, stated in the finding: where the two differ about a participant, the file whose votes give that participant's
own `n-votes`, `n-agree` and `n-disagree` decides for the cells that differ. If both do or neither does, `votes.csv`
decides where it has a vote, and a vote that only the matrix has is kept. Where `votes.csv` itself leaves open which of
two votes is the later, the matrix decides.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solon.collective.conversation import Bools, Ints
from solon.collective.phrases import listed, many
from solon.collective.reading.counts import OF_PEOPLE
from solon.collective.reading.exported import Export
from solon.collective.reading.index import Cells, among

NONE = 2
"""No vote, where votes are 1, 0 and -1."""


def matrix_sign(log: Cells, matrix: Cells) -> int:
    """+1 if the matrix has the sign of the log, -1 if the opposite."""
    both = among(log.key, matrix.key)
    product = log.vote[both] * matrix.vote[np.searchsorted(matrix.key, log.key[both])]
    return -1 if int((product < 0).sum()) > int((product > 0).sum()) else 1


def reconcile(log: Cells, matrix: Cells, export: Export, opened: Ints, names: tuple[str, str]) -> Cells:
    """The votes that count. export: framed; opened: keys of cells that the log leaves open; names: of the two files."""
    frame = log.frame
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
    _say(export, (here[differ], there[differ]), frame.participant_ids[np.unique(row)], trusted, names)
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
    said = export.participant_counts
    good = np.asarray(said.get("n-votes", np.full(len(cells.frame.participant_ids), -1)) >= 0)
    for name, kind in OF_PEOPLE:
        if name in said:
            good = good & ((said[name] < 0) | (said[name] == cells.per_participant(kind)))
    return good


def _say(export: Export, votes: tuple[Ints, Ints], people: Ints, trusted: Bools, names: tuple[str, str]) -> None:
    """votes: here, in the matrix, and there, in the log, where they differ; trusted: where the matrix is."""
    here, there = votes
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
