"""One vote per participant and statement, out of many."""

from __future__ import annotations

import numpy as np

from solon.collective.conversation import Ints
from solon.collective.reading.exported import ExportedVotes
from solon.collective.reading.findings import Findings, many


def by_time(votes: ExportedVotes, findings: Findings) -> ExportedVotes:
    """The events in order of time, each once. Ties keep the order of the file.

    Two rows of the same participant, statement, vote and time are one event written twice. A file without times cannot
    tell that from voting twice, and there it makes no difference.
    """
    if votes.time is None:
        return votes
    # Sorted by everything that makes an event, then by place in the file: of equals the first one is kept.
    order = np.lexsort((votes.line, votes.vote, votes.time, votes.statement, votes.participant))
    columns = (votes.participant[order], votes.statement[order], votes.time[order], votes.vote[order])
    same = np.ones(len(order), dtype=bool)
    same[:1] = False
    for column in columns:
        same[1:] &= column[1:] == column[:-1]
    if same.any():
        line = int(votes.line[order][same].min())
        what = f"{many(int(same.sum()), 'vote')} written twice (same voter, statement, vote and time)"
        findings.repair(f"{votes.path.name}:{line}", what, "each counted once")
    kept = votes.take(np.sort(order[~same]))
    assert kept.time is not None
    return kept.take(np.argsort(kept.time, kind="stable"))


def latest(votes: ExportedVotes, findings: Findings) -> ExportedVotes:
    """The last event of each participant and statement, of events in order of time.

    >>> # 1 agrees with 7 at noon and disagrees an hour later: the vote is -1
    """
    order = np.lexsort((np.arange(len(votes)), votes.statement, votes.participant))
    participant, statement = votes.participant[order], votes.statement[order]
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (participant[1:] != participant[:-1]) | (statement[1:] != statement[:-1])
    again = int((~last).sum())
    if again:
        how = "by the time written" if votes.time is not None else "by the order of the file"
        findings.note(votes.path, f"{many(again, 're-vote')}; the latest vote of each voter counts, {how}")
        _say_ties(votes, order, last, findings)
    return votes.take(order[last])


def _say_ties(votes: ExportedVotes, order: Ints, last: np.ndarray, findings: Findings) -> None:
    """Different votes of one person on one statement at one time."""
    if votes.time is None:
        return
    time, vote = votes.time[order], votes.vote[order]
    tied = ~last[:-1] & (time[1:] == time[:-1]) & (vote[1:] != vote[:-1])
    if tied.any():
        line = int(votes.line[order][1:][tied].min())
        what = f"{many(int(tied.sum()), 'vote')} at the same time as another of the same voter on the same statement"
        findings.repair(f"{votes.path.name}:{line}", what, "the one further down in the file counts")
