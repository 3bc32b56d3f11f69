"""Which statements set a group apart, which most people agree or disagree with, and which should be shown next.

Shapes: K groups, S statements. "Rest" is everybody else who is in a group. Votes seen include passes. Probabilities
are smoothed by one vote each way, and every z has one success added, as in Polis. A statement that is rejected or about
the conversation itself is in no list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Bools, Conversation, Floats, Ints
from solon.collective.opinion.counts import Counts, everybody, share_of
from solon.collective.opinion.results import Majority, Representative

SIGNIFICANT = 1.2816
"""z above which a one-sided test at 90% is significant."""
LISTED = 5
"""Statements per group, and per direction in the majority lists."""
META_PRIORITY = 49.0
"""7², the priority of every statement about the conversation itself."""


def proportion_z(successes: Ints, trials: Ints) -> Floats:
    """z of a proportion against one half, with a success added: 2 · √(N + 1) · ((n + 1) / (N + 1) - 1/2).

    2 of 3: 2 · √4 · (3/4 - 1/2) = 1.
    """
    return np.asarray(2 * np.sqrt(trials + 1) * ((successes + 1) / (trials + 1) - 0.5), dtype=np.float64)


def difference_z(successes: Ints, trials: Ints, rest_successes: Ints, rest_trials: Ints) -> Floats:
    """z of two proportions, one added to all four counts; 0 where both are 1.

    2 of 3 against 0 of 3: π₁ = 3/4, π₂ = 1/4, π = 4/8, so (1/2) / √(1/4 · (1/4 + 1/4)) = 1.414.
    """
    n1, n2 = trials + 1, rest_trials + 1
    pi1, pi2 = (successes + 1) / n1, (rest_successes + 1) / n2
    pooled = (successes + rest_successes + 2) / (n1 + n2)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return np.asarray(np.where(spread > 0, (pi1 - pi2) / np.where(spread > 0, spread, 1.0), 0.0), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One direction, agree or disagree, of every group and statement. All arrays [K, S]."""

    direction: str
    n: Ints
    seen: Ints
    """Votes in that direction, and all votes."""
    p: Floats
    p_z: Floats
    ratio: Floats
    """Representativeness: the group's probability over that of the rest."""
    ratio_z: Floats

    @property
    def rank(self) -> Floats:
        """What statements are ordered by: ratio · its z · probability · its z."""
        return self.ratio * self.ratio_z * self.p * self.p_z

    @property
    def significant(self) -> Bools:
        return np.asarray((self.ratio_z > SIGNIFICANT) & (self.p_z > SIGNIFICANT), dtype=bool)

    def figures(self, group: int, at: int, ids_S: Ints) -> Majority:
        return Majority(
            comment_id=int(ids_S[at]),
            direction=self.direction,
            n_success=int(self.n[group, at]),
            n_trials=int(self.seen[group, at]),
            p_success=float(self.p[group, at]),
            p_test=float(self.p_z[group, at]),
        )


def sides(counts: Counts) -> tuple[Side, Side]:
    rest = counts.rest()

    def side(direction: str, n: Ints, n_rest: Ints) -> Side:
        p = share_of(n, counts.seen, smoothing=True)
        return Side(
            direction=direction,
            n=n,
            seen=counts.seen,
            p=p,
            p_z=proportion_z(n, counts.seen),
            ratio=p / share_of(n_rest, rest.seen, smoothing=True),
            ratio_z=difference_z(n, counts.seen, n_rest, rest.seen),
        )

    return side("agree", counts.agrees, rest.agrees), side("disagree", counts.disagrees, rest.disagrees)


def representative_statements(
    counts: Counts, ids_S: Ints, names: Sequence[str], *, out_S: Bools
) -> tuple[Representative, ...]:
    """Up to five statements per group, those it agrees with first.

    The one that best shows what the group agrees with comes first, whether significant or not; then statements that are
    significant in one direction, by `Side.rank`. A group without any significant one gets the first alone, or else the
    statement with the largest z of the difference. `out_S`: statements that are listed nowhere.
    """
    agree, disagree = sides(counts)
    listed = []
    for group, name in enumerate(names):
        for at, best in _chosen(agree, disagree, group, np.flatnonzero(~out_S)):
            side = agree if agree.ratio_z[group, at] > disagree.ratio_z[group, at] else disagree
            listed.append(
                Representative(
                    **side.figures(group, at, ids_S).model_dump(),
                    group=name,
                    repness=float(side.ratio[group, at]),
                    repness_test=float(side.ratio_z[group, at]),
                    best_agree=best,
                )
            )
    return tuple(listed)


def _chosen(agree: Side, disagree: Side, group: int, open_statements: Ints) -> list[tuple[int, bool]]:
    """Columns for one group, in order, and whether each is its best agree."""
    agrees = agree.ratio_z[group] > disagree.ratio_z[group]
    best = best_agree(agree, disagree, group, open_statements)
    enough = (agree.significant | disagree.significant)[group]
    rank = np.where(agrees, agree.rank[group], disagree.rank[group])
    sufficient = sorted((at for at in open_statements if enough[at]), key=lambda at: (-rank[at], at))
    first = [] if best is None else [best]
    if sufficient:
        picked = (first + [int(at) for at in sufficient if at != best])[:LISTED]
        picked.sort(key=lambda at: not agrees[at])
    elif first or not len(open_statements):
        picked = first
    else:
        larger = np.maximum(agree.ratio_z[group], disagree.ratio_z[group])
        seen = [int(at) for at in open_statements if agree.seen[group, at]]
        picked = [max(seen, key=lambda at: (larger[at], -at))] if seen else []
    return [(at, at == best) for at in picked]


def best_agree(agree: Side, disagree: Side, group: int, open_statements: Ints) -> int | None:
    """The column of the statement that best shows what a group agrees with; None if there is none.

    Statements are taken by id. The first is one that somebody voted on other than to pass and that has a significant
    share of agrees, or more than the rest's and above one half. It gives way to one with a larger value: of
    ratio · its z · p · its z where its own ratio is above 1, else of p · its z.
    """
    said = (agree.n + disagree.n)[group]
    opens = (agree.p_z[group] > SIGNIFICANT) | ((agree.ratio[group] > 1) & (agree.p[group] > 0.5))
    ratio, rank, value = ([*one[group].tolist()] for one in (agree.ratio, agree.rank, agree.p * agree.p_z))
    best: int | None = None
    for at in open_statements[said[open_statements] > 0].tolist():
        if best is None:
            best = at if opens[at] else None
            continue
        by = rank if ratio[best] > 1 else value
        if by[at] > by[best]:
            best = at
    return best


def majorities(conversation: Conversation, *, out_S: Bools) -> tuple[Majority, ...]:
    """What most of all participants agree with, then what most disagree with, up to five each.

    In it are statements whose smoothed share is above one half and significantly so, by share · its z. Everybody who
    voted counts, in a group or not.
    """
    listed: list[Majority] = []
    for side in sides(everybody(conversation)):
        p, p_z = side.p[0], side.p_z[0]
        able = np.flatnonzero((p > 0.5) & (p_z > SIGNIFICANT) & ~out_S)
        ranked = able[np.lexsort((able, -(p * p_z)[able]))]
        listed += [side.figures(0, at, conversation.statement_ids) for at in ranked[:LISTED]]
    return tuple(listed)


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
    every priority 49; `opinion.polis.stored` tells mathematics that shows it.
    """
    seen = counts.total().seen[0]
    value = np.square(importance(counts, extremity_S) * (1 + 8 * np.exp2(-seen / 5)))
    return np.asarray(np.where(meta_S, META_PRIORITY, value), dtype=np.float64)
