"""How likely a pattern of votes is by chance."""

from __future__ import annotations

from itertools import groupby
from math import comb

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import Floats


def at_least(count: int, chances: Floats) -> float:
    """Probability of `count` or more successes in independent trials of different chances (Poisson binomial).

    Two coins and a sure thing: at least two of three has probability 0.75.

    >>> at_least(2, np.array([0.5, 0.5, 1.0]))
    0.75
    """
    # [missing so many]: counting failures keeps the table as short as the few failures that are allowed.
    failures = np.zeros(len(chances) - count + 1)
    failures[0] = 1.0
    for chance in chances:
        failures[1:] = failures[1:] * chance + failures[:-1] * (1 - chance)
        failures[0] *= chance
    return float(failures.sum())


def longest_run(votes: NDArray[np.int8]) -> tuple[int, int]:
    """Length and answer of the longest run; the first if there are several.

    >>> longest_run(np.array([1, -1, -1, -1, 1, 1]))
    (3, -1)
    """
    runs = ((len([*run]), answer) for answer, run in groupby(votes.tolist()))
    return max(runs, key=lambda run: run[0])


def run_chance(run: int, count: int, votes: int) -> float:
    """An upper bound of the probability of a run of `run`, if `count` of `votes` answers are alike, in random order.

    A run of 2 with 2 of 4 alike: at most 3 · C(2, 0) / C(4, 2) = 0.5.
    """
    return min(1.0, (votes - run + 1) * comb(votes - run, count - run) / comb(votes, count))
