"""Which pair a judge sees next: balanced, by lot, and with a known chance.

Of the pairs that the judge has not seen, those go first whose two models met least often, and of these those that were
shown least; the lottery of statements (`collective.opinion.lottery`) leaves every other pair a chance too. Checks of
attention have a share of the draws, each of them the same chance. Which answer is A is a fair coin.

Shapes: N pairs that a judge may still see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from itertools import combinations
from typing import NamedTuple

import numpy as np

from solon.collective.conversation import Floats
from solon.collective.opinion.lottery import chances, draw
from solon.evals.statistics import grouped
from solon.seeds import generator
from solon.web.db.arenas import Ids, Written, pair_of


class Pair(NamedTuple):
    """Two answers to one prompt."""

    prompt: int
    ids: Ids
    models: frozenset[str]
    """One model alone: a check."""

    @property
    def is_check(self) -> bool:
        return len(self.models) == 1


class Drawn(NamedTuple):
    """A pair in the order in which it is shown."""

    prompt: int
    a: int
    b: int
    chance: float


def pairs_of(answers: Sequence[Written]) -> tuple[Pair, ...]:
    """Every two models on a prompt that both have answered otherwise, and every answer with what it was spoiled to."""
    found = []
    for prompt, own in grouped(answers, lambda one: one.prompt).items():
        for one, other in combinations(own, 2):
            check = one.model == other.model
            if one.text != other.text and (check or not (one.spoiled or other.spoiled)):
                found.append(Pair(prompt, pair_of(one.id, other.id), frozenset((one.model, other.model))))
    return tuple(found)


def draw_pair(
    pairs: Sequence[Pair], shown: Mapping[Ids, int], seen: Set[Ids], *, check_share: float, seed: int, judge: int
) -> Drawn | None:
    """The next one. shown: how often each pair was shown to anybody. None: this judge has seen all that there is."""
    left = [one for one in pairs if one.ids not in seen]
    if all(one.is_check for one in left):
        return None
    chance_N = _chances(left, shown, _met(pairs, shown), check_share)
    at = draw(chance_N, seed, "arena", judge, len(seen))
    a, b = left[at].ids if generator(seed, "side", judge, len(seen)).random() < 0.5 else left[at].ids[::-1]
    return Drawn(left[at].prompt, a, b, float(chance_N[at]))


def _met(pairs: Sequence[Pair], shown: Mapping[Ids, int]) -> Counter[frozenset[str]]:
    """How often each two models met."""
    met: Counter[frozenset[str]] = Counter()
    for one in pairs:
        met[one.models] += shown.get(one.ids, 0)
    return met


def _chances(
    left: Sequence[Pair], shown: Mapping[Ids, int], met: Mapping[frozenset[str], int], check_share: float
) -> Floats:
    """[N]; they sum to 1."""
    check_N = np.array([one.is_check for one in left])
    rank = [(one.is_check, met[one.models], shown.get(one.ids, 0)) for one in left]
    least = min(rank)
    first_N = np.array([one == least for one in rank])
    chance_N = np.zeros(len(left))
    chance_N[~check_N] = chances(np.ones(int((~check_N).sum())), first_N[~check_N])
    if check_N.any():
        chance_N *= 1 - check_share
        chance_N[check_N] = check_share / check_N.sum()
    return chance_N
