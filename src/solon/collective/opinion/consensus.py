"""How far each opinion group, and all of them together, agree with each statement.

Shapes: K groups, S statements.

Group-aware consensus is the product over groups, so that one group that disagrees keeps a statement down. A product of
more groups is smaller: between conversations compare its K-th root, the geometric mean. The product of the shares that
disagree is group-aware disagreement: what every group rejects is a consensus, too, on the statement's negation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from solon.collective.conversation import Bools, Conversation, Floats, Ints
from solon.collective.opinion.counts import Counts, counts_of, everybody, share_of
from solon.collective.opinion.polis.projection import moderated_out
from solon.collective.opinion.results import Groups
from solon.collective.phrases import listed, many
from solon.evals.statistics import score_interval
from solon.seeds import generator

MIN_GROUP_VOTES = 10
"""Votes of a group below which its figure says little: at 10, an agreement of 80% has an interval of 49% to 94%.
Assumption; set it as high as the decision is serious."""
LEVEL = 0.95
"""Of all intervals."""
DRAWS = 2_000
"""Draws per statement for the interval of the product: its ends then move by less than 0.01 from seed to seed."""


@dataclass(frozen=True, kw_only=True)
class Consensus:
    """The consensus on every statement, with its uncertainty. Arrays [K, S] by group, [S] over all groups."""

    statement_ids: Ints
    names: tuple[str, ...]
    smoothing: bool
    counts: Counts
    groups_KS: Floats
    """Consensus by group; NaN for a group without a vote on the statement, if unsmoothed."""
    low_KS: Floats
    high_KS: Floats
    """Wilson score interval; NaN without a vote."""
    product_low_S: Floats
    product_high_S: Floats
    """Equal-tailed credible interval of the product; NaN if a group has not voted."""
    few_votes_S: Bools
    """Some group has fewer votes on the statement than were asked for."""

    @cached_property
    def product_S(self) -> Floats:
        """Group-aware consensus; NaN as soon as one group is NaN."""
        return group_aware_consensus(self.groups_KS)

    @property
    def disagreement_S(self) -> Floats:
        """Group-aware disagreement: the product over groups of the share that disagrees. High: all groups reject it."""
        return group_aware_consensus(self.counts.disagreement(smoothing=self.smoothing))

    @property
    def geometric_S(self) -> Floats:
        """The product's K-th root, comparable between conversations with different numbers of groups."""
        return geometric_mean(self.product_S, len(self.names))


def group_aware_consensus(groups_KS: Floats) -> Floats:
    """The product over groups [S]: 0.8 and 0.5 give 0.4. NaN if a group is NaN."""
    return np.asarray(np.prod(groups_KS, axis=0), dtype=np.float64)


def geometric_mean(product_S: Floats, k: int) -> Floats:
    """The K-th root of the product of K groups: 0.64 of two groups is 0.8 per group."""
    return np.asarray(product_S ** (1.0 / k), dtype=np.float64)


def share_interval(agrees: Ints, votes: Ints) -> tuple[Floats, Floats]:
    """Ends of the 95% Wilson interval of a share, of any shape; NaN without a vote. For 8 of 10: 0.49 to 0.94."""
    share = share_of(agrees, votes, smoothing=False)
    return score_interval(share, votes.astype(np.float64), NormalDist().inv_cdf(0.5 + LEVEL / 2))


def product_interval(
    agrees_KS: Ints, votes_KS: Ints, statement_ids: Ints, *, draws: int = DRAWS, seed: int = 0
) -> tuple[Floats, Floats]:
    """Ends [S] of the 95% interval of the product over groups; NaN where a group has no vote.

    Each group's share is drawn from its posterior under Jeffreys' prior, Beta(agrees + 1/2, votes - agrees + 1/2), and
    the draws are multiplied. Every statement draws from a generator of its own, derived from the seed and its id, so
    neither order nor company changes its interval.
    """
    ends_2S = np.full((2, len(statement_ids)), np.nan)
    for column, statement in enumerate(statement_ids.tolist()):
        agrees_K, votes_K = agrees_KS[:, column], votes_KS[:, column]
        if draws and (votes_K > 0).all():
            drawn = generator(seed, "consensus", statement).beta(
                agrees_K + 0.5, votes_K - agrees_K + 0.5, size=(draws, len(agrees_K))
            )
            ends_2S[:, column] = np.quantile(drawn.prod(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return ends_2S[0], ends_2S[1]


def consensus_of(
    conversation: Conversation,
    groups: Groups,
    *,
    smoothing: bool = True,
    minimum: int = MIN_GROUP_VOTES,
    draws: int = DRAWS,
    seed: int = 0,
) -> Consensus:
    """Consensus by group and over groups. No `draws`: the product gets no interval, which saves most of the time."""
    counts, ids = counts_of(conversation, groups), conversation.statement_ids
    low_KS, high_KS = share_interval(counts.agrees, counts.seen)
    low_S, high_S = product_interval(counts.agrees, counts.seen, ids, draws=draws, seed=seed)
    return Consensus(
        statement_ids=ids,
        names=groups.names,
        smoothing=smoothing,
        counts=counts,
        groups_KS=counts.agreement(smoothing=smoothing),
        low_KS=low_KS,
        high_KS=high_KS,
        product_low_S=low_S,
        product_high_S=high_S,
        few_votes_S=np.asarray(counts.seen.min(axis=0) < minimum),
    )


@dataclass(frozen=True, kw_only=True)
class InEveryGroup:
    """Statements by what all groups say of them. All [S]."""

    ranked_S: Bools
    """Neither rejected nor about the conversation itself, with `MIN_GROUP_VOTES` votes or more in every group."""
    agreed_S: Bools
    """Ranked, and more than half of the votes of every group, passes included, agree."""
    rejected_S: Bools
    """Ranked, and more than half of the votes of every group, passes included, disagree: consensus on its negation."""
    statement_ids: Ints
    pooled: bool
    """On no statement did every group cast so many votes; all who voted count as one group."""

    @property
    def lines(self) -> tuple[str, ...]:
        """For the console: how many are agreed with, and if some are rejected how many and which."""
        if not self.ranked_S.any():
            return (f"agreement: no statement has the {MIN_GROUP_VOTES} votes that it takes to say",)
        each, every = ("", "") if self.pooled else (" in every group", " of every group")
        ranked = f"of {many(int(self.ranked_S.sum()), 'statement')} with at least {MIN_GROUP_VOTES} votes{each}"
        why = "; some groups are too small to be counted apart" if self.pooled else ""
        lines = [f"agreement: {int(self.agreed_S.sum()):,} {ranked} found a majority{each}{why}"]
        if ids := self.statement_ids[self.rejected_S].tolist():
            lines.append(f"rejection: {len(ids):,} {ranked} were rejected by a majority{every}: {listed(ids)}")
        return tuple(lines)


def in_every_group(conversation: Conversation, groups: Groups) -> InEveryGroup:
    """What a majority of every group agrees with or rejects, for report, principles and console alike.

    Counted from all votes; nothing that a report withholds changes it.
    """
    subject_S = ~moderated_out(conversation)

    def ranked(counts: Counts) -> Bools:
        return np.asarray((counts.seen >= MIN_GROUP_VOTES).all(axis=0) & subject_S)

    counts = counts_of(conversation, groups)
    if pooled := groups.k > 1 and not ranked(counts).any():
        counts = everybody(conversation)
    agreed_S, rejected_S = ((2 * said > counts.seen).all(axis=0) for said in (counts.agrees, counts.disagrees))
    ranked_S = ranked(counts)
    return InEveryGroup(
        ranked_S=ranked_S,
        agreed_S=np.asarray(ranked_S & agreed_S),
        rejected_S=np.asarray(ranked_S & rejected_S),
        statement_ids=conversation.statement_ids,
        pooled=pooled,
    )
