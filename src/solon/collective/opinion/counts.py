"""Votes counted by group and statement, and how far a statement divides people, between their groups and overall.

Shapes: K groups, P participants, S statements. A statement that a participant has not seen counts nowhere. Both
measures of division run from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import AGREE, DISAGREE, Bools, Conversation, Floats, Ints
from solon.collective.opinion.results import Groups

IN_NO_GROUP = -1
"""The label of participants who count in no group."""
BLOCK = 255
"""Rows that are counted together: as many as a byte can count, so that a million cells take a millisecond."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Votes per group and statement. All arrays [K, S]."""

    agrees: Ints
    disagrees: Ints
    seen: Ints
    """Agrees, disagrees and passes."""

    @property
    def passes(self) -> Ints:
        return self.seen - self.agrees - self.disagrees

    def agreement(self, *, smoothing: bool) -> Floats:
        """Share of votes that agree [K, S]."""
        return share_of(self.agrees, self.seen, smoothing=smoothing)

    def disagreement(self, *, smoothing: bool) -> Floats:
        """Share of votes that disagree [K, S]."""
        return share_of(self.disagrees, self.seen, smoothing=smoothing)

    def rest(self) -> Counts:
        """For each group, the votes of all others together."""
        agrees, disagrees, seen = (part.sum(axis=0) - part for part in (self.agrees, self.disagrees, self.seen))
        return Counts(agrees=agrees, disagrees=disagrees, seen=seen)

    def total(self) -> Counts:
        """Everybody as one group, [1, S]."""
        agrees, disagrees, seen = (part.sum(axis=0, keepdims=True) for part in (self.agrees, self.disagrees, self.seen))
        return Counts(agrees=agrees, disagrees=disagrees, seen=seen)


def share_of(said: Ints, votes: Ints, *, smoothing: bool) -> Floats:
    """Shares from counts of any one shape: smoothed (Polis), one half without a vote; or not (CCAI study), then NaN.

    >>> share_of(np.array([3, 0]), np.array([4, 0]), smoothing=True).tolist()
    [0.6666666666666666, 0.5]
    >>> share_of(np.array([3, 0]), np.array([4, 0]), smoothing=False).tolist()
    [0.75, nan]
    """
    if smoothing:
        return np.asarray((said + 1) / (votes + 2), dtype=np.float64)
    return np.asarray(np.divide(said, votes, out=np.full(said.shape, np.nan), where=votes > 0))


def count_votes(votes_PS: NDArray[np.int8], seen_PS: Bools, labels_P: Ints, k: int | None = None) -> Counts:
    """Votes by group. `labels_P` holds 0 to K - 1, or `IN_NO_GROUP`. `k`: for groups without members at the end."""
    n_groups = int(labels_P.max(initial=IN_NO_GROUP)) + 1 if k is None else k
    counts_3KS = np.zeros((3, n_groups, votes_PS.shape[1]), dtype=np.int64)
    for group in range(n_groups):
        for rows in blocks(np.flatnonzero(labels_P == group)):
            said, seen = votes_PS[rows], seen_PS[rows]
            for kind, cells in enumerate((seen & (said == AGREE), seen & (said == DISAGREE), seen)):
                counts_3KS[kind, group] += column_sums(cells)
    agrees, disagrees, seen_KS = counts_3KS
    return Counts(agrees=agrees, disagrees=disagrees, seen=seen_KS)


def blocks(rows_R: Ints) -> Iterator[Ints]:
    """Rows in their order, at most `BLOCK` at a time."""
    return (rows_R[at : at + BLOCK] for at in range(0, len(rows_R), BLOCK))


def column_sums(cells_BS: Bools) -> NDArray[np.uint8]:
    """[S]: how many cells of each column are True, of at most `BLOCK` rows."""
    assert len(cells_BS) <= BLOCK, "a byte counts no further"
    return np.asarray(cells_BS.view(np.uint8).sum(axis=0, dtype=np.uint8))


def labels_of(conversation: Conversation, groups: Groups) -> Ints:
    """The group of every participant of the conversation [P], `IN_NO_GROUP` for those in none."""
    ids_P = conversation.participant_ids
    labels_P = np.full(len(ids_P), IN_NO_GROUP, dtype=np.int64)
    here = np.isin(groups.participant_ids, ids_P)
    labels_P[np.searchsorted(ids_P, groups.participant_ids[here])] = groups.labels_G[here]
    return labels_P


def counts_of(conversation: Conversation, groups: Groups) -> Counts:
    """Votes by group, rejected statements included. People who are in no group count nowhere."""
    known = np.isin(groups.participant_ids, conversation.participant_ids)
    assert known.all(), "groups of people who are in the conversation"
    return count_votes(conversation.votes_PS, conversation.seen_PS, labels_of(conversation, groups), groups.k)


def everybody(conversation: Conversation) -> Counts:
    """Votes of all participants as one group, [1, S]; those in no opinion group count too."""
    labels_P = np.zeros(len(conversation.participants), dtype=np.int64)
    return count_votes(conversation.votes_PS, conversation.seen_PS, labels_P, 1)


def mean_votes(counts: Counts) -> Floats:
    """[K, S]: (agrees - disagrees) / (votes + 2), so that few votes say little. 3 agrees and 1 pass: 3/6 = 0.5."""
    return np.asarray((counts.agrees - counts.disagrees) / (counts.seen + 2), dtype=np.float64)


def between_groups(counts: Counts) -> Floats:
    """[S]: half the largest difference of two groups' mean votes; 0 where fewer than two groups voted.

    0: all groups vote alike. 1, which only many votes come near: one agrees, another disagrees, as one.

    Eight agrees against eight disagrees: (8/10 - (-8/10)) / 2 = 0.8.
    """
    means, voted = mean_votes(counts), counts.seen > 0
    highest = np.where(voted, means, -np.inf).max(axis=0, initial=-np.inf)
    lowest = np.where(voted, means, np.inf).min(axis=0, initial=np.inf)
    enough = voted.sum(axis=0) >= 2
    return np.asarray(np.where(enough, np.where(enough, highest, 0.0) - np.where(enough, lowest, 0.0), 0.0) / 2)


def split(counts: Counts) -> Floats:
    """[S]: variance of everybody's votes, (A + D) / S - ((A - D) / S)²; 0 if all vote alike or nobody votes.

    Three agrees and one disagree: 4/4 - (2/4)² = 0.75.
    """
    total = counts.total()
    agrees, disagrees, seen = total.agrees[0], total.disagrees[0], np.maximum(1, total.seen[0])
    return np.asarray((agrees + disagrees) / seen - np.square((agrees - disagrees) / seen), dtype=np.float64)


def overall(index_S: Floats, votes_S: Ints) -> float:
    """One figure for a conversation: the mean over statements, weighted by votes; 0 without votes.

    An index of 0.2 on 30 votes and 0.8 on 10: (0.2 · 30 + 0.8 · 10) / 40 = 0.35.
    """
    return float((index_S * votes_S).sum() / max(1, int(votes_S.sum())))
