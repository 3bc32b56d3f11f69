"""How far a statement divides people: between their groups, and overall. Both run from 0 to 1.

Shapes: K groups, S statements. A vote is +1 agree, 0 pass, -1 disagree.

*Between groups* a statement is as polarising as its two most distant groups: half the largest difference of their mean
votes, each mean taken over the votes seen plus two (one agree and one disagree, as in `opinion.polis`), so that few
votes say little. 0: all groups vote alike. 1, which only many votes come near: one agrees, another disagrees, as one. A
group without votes on a statement is left out of it.

*Overall* it is the variance of the votes, whatever the groups: 1 if half agree and half disagree, 0 if all vote alike.
"""

from __future__ import annotations

import numpy as np

from solon.collective.conversation import Floats
from solon.collective.opinion.counts import Counts


def mean_votes(counts: Counts) -> Floats:
    """[K, S]: (agrees - disagrees) / (votes + 2). 3 agrees and 1 pass: 3/6 = 0.5."""
    return np.asarray((counts.agrees - counts.disagrees) / (counts.seen + 2), dtype=np.float64)


def between_groups(counts: Counts) -> Floats:
    """[S]: half the largest difference of two groups' mean votes; 0 where fewer than two groups voted.

    Eight agrees against eight disagrees: (8/10 - (-8/10)) / 2 = 0.8.
    """
    means, voted = mean_votes(counts), counts.seen > 0
    highest = np.where(voted, means, -np.inf).max(axis=0, initial=-np.inf)
    lowest = np.where(voted, means, np.inf).min(axis=0, initial=np.inf)
    enough = voted.sum(axis=0) >= 2
    return np.asarray(np.where(enough, np.where(enough, highest, 0.0) - np.where(enough, lowest, 0.0), 0.0) / 2)


def split(counts: Counts) -> Floats:
    """[S]: variance of everybody's votes, (A + D) / S - ((A - D) / S)²; 0 where nobody voted.

    Three agrees and one disagree: 4/4 - (2/4)² = 0.75.
    """
    total = counts.total()
    agrees, disagrees, seen = total.agrees[0], total.disagrees[0], np.maximum(1, total.seen[0])
    return np.asarray((agrees + disagrees) / seen - np.square((agrees - disagrees) / seen), dtype=np.float64)


def overall(index_S: Floats, counts: Counts) -> float:
    """One figure for a conversation: the mean over statements, weighted by votes; 0 without votes.

    An index of 0.2 on 30 votes and 0.8 on 10: (0.2 · 30 + 0.8 · 10) / 40 = 0.35.
    """
    seen = counts.total().seen[0]
    return float((index_S * seen).sum() / max(1, int(seen.sum())))
