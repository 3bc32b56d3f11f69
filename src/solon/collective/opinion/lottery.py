"""Which statement somebody sees next: a lottery in which every statement has a chance, and the chance is known.

Weights are Polis's priorities (`opinion.polis.representativeness.priority`). Some statements go first: those of the
organisers for newcomers, and those that too few people of somebody's group have seen. A share of all draws is among
these alone, the rest among all, so no chance is ever zero. It is the chance of a single draw, given the votes before;
the chance that somebody sees a statement at all is another, and follows from all of their draws.

Shapes: N statements that somebody may still vote on.
"""

from __future__ import annotations

import numpy as np

from solon.collective.conversation import Bools, Floats
from solon.seeds import generator

FIRST = 0.75
"""Share of draws among the statements that go first (assumption: they fill soon, and the others are still seen)."""


def chances(weights_N: Floats, first_N: Bools, share: float = FIRST) -> Floats:
    """[N]: the chance of each statement; they sum to 1. A weight of zero counts as 1, as in Polis.

    Weights 1, 1, 2 of which the first goes first, with a share of one half: 1/2 + 1/8, 1/8, 1/4.

    >>> chances(np.array([1.0, 1.0, 2.0]), np.array([True, False, False]), 0.5).tolist()
    [0.625, 0.125, 0.25]
    """
    weights = np.where(weights_N > 0, weights_N, 1.0)
    everywhere: Floats = weights / weights.sum()
    if not first_N.any():
        return everywhere
    early = np.where(first_N, weights, 0.0)
    return np.asarray(share * early / early.sum() + (1 - share) * everywhere, dtype=np.float64)


def draw(chances_N: Floats, seed: int, *names: str | int) -> int:
    """The place that is drawn. The same seed and names (whose draw, and which) draw the same."""
    ends = np.cumsum(chances_N)
    place = np.searchsorted(ends, generator(seed, "lottery", *names).random() * ends[-1], side="right")
    return min(int(place), len(chances_N) - 1)
