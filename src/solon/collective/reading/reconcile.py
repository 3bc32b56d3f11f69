"""One vote per cell from two files that both have it: the votes one by one, and the matrix.

The rule, stated in the finding: where the two differ about a participant, the file whose votes give that participant's
own `n-votes`, `n-agree` and `n-disagree` decides for the cells that differ. If both do or neither does, `votes.csv`
decides where it has a vote, and a vote that only the matrix has is kept. Where `votes.csv` itself leaves open which of
two votes is the later, the matrix decides.
"""

from __future__ import annotations

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE, Bools, Ints
from solon.collective.phrases import listed, many
from solon.collective.reading.exported import Export
from solon.collective.reading.findings import Findings
from solon.collective.reading.index import Cells, Frame, among, union


def matrix_sign(log: Cells, matrix: Cells) -> int:
    """+1 if the matrix has the sign of the log, -1 if the opposite."""
    both = among(log.key, matrix.key)
    product = log.vote[both] * matrix.vote[np.searchsorted(matrix.key, log.key[both])]
    return -1 if int((product < 0).sum()) > int((product > 0).sum()) else 1


def reconcile(log: Cells, matrix: Cells, export: Export, opened: Ints, names: tuple[str, str]) -> Cells:
    """The votes that count. opened: keys of cells that the log leaves open; names: of the two files, for findings."""
    log = _closed(log, matrix, opened)
    key = union(log.key, matrix.key)
    vote_log, has_log = _spread(key, log)
    vote_matrix, has_matrix = _spread(key, matrix)
    differ = (has_log != has_matrix) | (vote_log != vote_matrix)
    if not differ.any():
        export.findings.note(names[1], f"all {many(len(key), 'vote')} agree with {names[0]}")
        return log
    row = key // len(log.frame.statement_ids)
    fits_log, fits_matrix = fits(log, export), fits(matrix, export)
    trusted = fits_matrix & ~fits_log
    matrix_wins = differ & trusted[row]
    log_wins = differ & ~trusted[row]
    _say(
        log.frame, key, (has_log, has_matrix, vote_log != vote_matrix), (log_wins, matrix_wins), names, export.findings
    )
    present = np.where(matrix_wins, has_matrix, has_log | has_matrix)
    vote = np.where(matrix_wins | ~has_log, vote_matrix, vote_log)
    # A vote that only the matrix has is dropped where the log alone fits the participant's own counts.
    present &= ~(differ & ~has_log & (fits_log & ~fits_matrix)[row])
    return Cells(frame=log.frame, key=key[present], vote=vote[present].astype(np.int8))


def _closed(log: Cells, matrix: Cells, opened: Ints) -> Cells:
    """The log with the matrix's votes in the cells that it leaves open, which are in both."""
    vote = log.vote.copy()
    vote[np.searchsorted(log.key, opened)] = matrix.vote[np.searchsorted(matrix.key, opened)]
    return Cells(frame=log.frame, key=log.key, vote=vote)


def fits(cells: Cells, export: Export) -> Bools:
    """[P]: whether the votes give the participant's own counts; False where none are stated."""
    said, ids = export.participant_counts, cells.frame.participant_ids
    found = np.zeros(len(ids), dtype=bool)
    if "n-votes" not in said:
        return found
    at = np.searchsorted(ids, export.participant_ids)
    good = said["n-votes"] >= 0
    for kind, name in ((None, "n-votes"), (AGREE, "n-agree"), (DISAGREE, "n-disagree")):
        if name in said:
            good &= (said[name] < 0) | (said[name] == cells.per_participant(kind)[at])
    found[at] = good
    return found


def _spread(key: Ints, cells: Cells) -> tuple[np.ndarray, Bools]:
    at = np.searchsorted(key, cells.key)
    vote = np.zeros(len(key), dtype=np.int8)
    has = np.zeros(len(key), dtype=bool)
    vote[at], has[at] = cells.vote, True
    return vote, has


def _say(
    frame: Frame,
    key: Ints,
    kinds: tuple[Bools, Bools, Bools],
    winners: tuple[Bools, Bools],
    names: tuple[str, str],
    findings: Findings,
) -> None:
    has_log, has_matrix, other = kinds
    log_wins, matrix_wins = winners
    width = len(frame.statement_ids)
    differ = log_wins | matrix_wins
    people = np.unique(frame.participant_ids[key[differ] // width])
    only_log, only_matrix = int((has_log & ~has_matrix).sum()), int((has_matrix & ~has_log).sum())
    what = (
        f"{many(int(differ.sum()), 'cell')} of {many(len(people), 'participant')} ({listed(people.tolist())}) "
        f"{'differs' if differ.sum() == 1 else 'differ'} from {names[0]}: {only_log:,} only there, "
        f"{only_matrix:,} only here, {int((has_log & has_matrix & other).sum()):,} with another vote"
    )
    done = (
        f"the file that gives a participant's n-votes, n-agree and n-disagree decides, else {names[0]}, and votes that "
        f"only one has are kept: {names[0]} decided {int(log_wins.sum()):,}, {names[1]} {int(matrix_wins.sum()):,}"
    )
    findings.repair(names[1], what, done)
