"""Which statement to show next: how far each moves people apart, its priority, and a lottery by priority.

Shapes: S statements. Counts are those of the people in groups, summed over groups.
"""

from __future__ import annotations

import numpy as np

from solon.collective.conversation import Bools, Floats, Ints
from solon.collective.opinion.counts import Counts
from solon.records import Record
from solon.seeds import generator

META_PRIORITY = 49.0
"""7², the priority of every statement about the conversation itself."""


def extremity(statements_S2: Floats) -> Floats:
    """[S]: distance of each statement's place from the middle; (3, 4) gives 5."""
    return np.asarray(np.sqrt(np.square(statements_S2).sum(axis=1)), dtype=np.float64)


def importance(counts: Counts, extremity_S: Floats) -> Floats:
    """[S]: (1 - (P + 1) / (S + 2)) · (E + 1) · (A + 1) / (S + 2), with P passes, S votes and extremity E.

    6 agrees, 1 disagree and 1 pass at E = 1: (1 - 2/10) · 2 · 7/10 = 1.12.
    """
    total = counts.total()
    seen = total.seen[0] + 2
    return np.asarray((1 - (total.passes[0] + 1) / seen) * (extremity_S + 1) * (total.agrees[0] + 1) / seen)


def priority(counts: Counts, extremity_S: Floats, meta_S: Bools) -> Floats:
    """[S]: (importance · (1 + 8 · 2^(-S/5)))², so that new statements get their chance; 49 for meta statements.

    Importance 1.12 after 10 votes: (1.12 · (1 + 8/4))² = 11.29. Polis had a fault from March 2025 to mid-2026 that made
    every priority 49; `opinion.polis.stored` tells stored mathematics that shows it.
    """
    seen = counts.total().seen[0]
    value = np.square(importance(counts, extremity_S) * (1 + 8 * np.exp2(-seen / 5)))
    return np.asarray(np.where(meta_S, META_PRIORITY, value), dtype=np.float64)


class Draw(Record):
    """One draw of the lottery, with what later estimates need to be weighted by."""

    comment_id: int
    probability: float
    """Of this statement, in this draw."""
    eligible: int
    """How many statements took part."""


def probabilities(priority_S: Floats, open_S: Bools, *, first: int | None = None) -> Floats:
    """[S]: each statement's chance to be shown: its priority over the sum; 0 for statements that are not open.

    A priority of 0 weighs 1, as in Polis. Polis lets only the first 999 open statements take part (`first=999`); here
    all do unless `first` says otherwise. All zero where none is open.

    >>> probabilities(np.array([3.0, 0.0, 5.0]), np.array([True, True, False])).tolist()
    [0.75, 0.25, 0.0]
    """
    able = open_S if first is None else open_S & (np.cumsum(open_S) <= first)
    weights = np.where(able, np.where(priority_S > 0, priority_S, 1.0), 0.0)
    total = weights.sum()
    return np.asarray(weights / total if total > 0 else weights, dtype=np.float64)


def draw(ids_S: Ints, chances_S: Floats, *, seed: int, participant: int, votes_cast: int) -> Draw | None:
    """The statement to show to a participant who has cast so many votes; None where none is open.

    The same seed, participant and number of votes always draw the same, so a log of draws can be checked.
    """
    if chances_S.sum() <= 0:
        return None
    lot = generator(seed, "polis", "lottery", participant, votes_cast).random()
    bounds = np.cumsum(chances_S)
    at = int(np.searchsorted(bounds, lot * bounds[-1], side="right"))
    at = min(at, int(np.flatnonzero(chances_S)[-1]))
    return Draw(comment_id=int(ids_S[at]), probability=float(chances_S[at]), eligible=int(np.count_nonzero(chances_S)))
