"""Votes counted by group and statement: what consensus, representativeness and polarisation are computed from.

Shapes: K groups, P participants, S statements. A statement that a participant has not seen counts nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import AGREE, DISAGREE, Bools, Conversation, Ints
from solon.collective.opinion.results import Groups

IN_NO_GROUP = -1
"""The label of participants who count in no group."""


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

    def rest(self) -> Counts:
        """For each group, the votes of all others together."""
        return Counts(
            agrees=self.agrees.sum(axis=0) - self.agrees,
            disagrees=self.disagrees.sum(axis=0) - self.disagrees,
            seen=self.seen.sum(axis=0) - self.seen,
        )

    def total(self) -> Counts:
        """Everybody as one group, [1, S]."""
        agrees, disagrees, seen = (part.sum(axis=0, keepdims=True) for part in (self.agrees, self.disagrees, self.seen))
        return Counts(agrees=agrees, disagrees=disagrees, seen=seen)


def count_votes(votes_PS: NDArray[np.int8], seen_PS: Bools, labels_P: Ints, k: int | None = None) -> Counts:
    """Votes by group. `labels_P` holds 0 to K - 1, or `IN_NO_GROUP`. `k`: for groups without members at the end."""
    n_groups = int(labels_P.max(initial=IN_NO_GROUP)) + 1 if k is None else k
    members = [labels_P == group for group in range(n_groups)]

    def summed(cells: Sequence[Bools]) -> Ints:
        sums = [one.sum(axis=0, dtype=np.int64) for one in cells]
        return np.array(sums, dtype=np.int64).reshape(n_groups, votes_PS.shape[1])

    return Counts(
        agrees=summed([seen_PS[rows] & (votes_PS[rows] == AGREE) for rows in members]),
        disagrees=summed([seen_PS[rows] & (votes_PS[rows] == DISAGREE) for rows in members]),
        seen=summed([seen_PS[rows] for rows in members]),
    )


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
