"""Simulated publics: the truth they state is the truth they have, and the methods find it."""

from __future__ import annotations

import numpy as np
import pytest
from simulated.public import CATEGORIES, CONSENSUS, DIVISIVE, draw, make_public
from sklearn.metrics import adjusted_rand_score

from solon.collective.conversation import AGREE
from solon.collective.opinion.consensus import group_aware_consensus
from solon.collective.opinion.counts import counts_of
from solon.collective.opinion.grouping import find_groups


def test_the_same_seed_gives_the_same_public_and_sample() -> None:
    one, other = (draw(make_public(seed=3), participants=50, seed=7) for _ in range(2))
    assert np.array_equal(one.conversation.votes_PS, other.conversation.votes_PS)
    assert one.sample.categories == other.sample.categories
    third = draw(make_public(seed=3), participants=50, seed=8)
    assert not np.array_equal(one.conversation.votes_PS, third.conversation.votes_PS)


def test_the_stated_truth_is_what_votes_tend_to() -> None:
    """Everybody recruited alike, everything seen: shares of a large sample are the population's."""
    public = make_public(groups=2, hidden_recruitment=True, seed=2)
    drawn = draw(public, participants=20_000, seen=1.0, seed=0)
    agrees_S = (drawn.conversation.votes_PS == AGREE).mean(axis=0)
    in_groups_S = np.bincount(drawn.groups_P, minlength=2) / 20_000 @ public.agree_GS
    assert agrees_S == pytest.approx(in_groups_S, abs=0.015)
    assert np.abs(agrees_S - public.truth_S).max() > 0.05, "recruitment by opinion is meant to mislead"


def test_quotas_are_the_populations_shares() -> None:
    public = make_public(seed=5)
    for name, attribute in public.population.attributes.items():
        assert tuple(attribute.shares) == CATEGORIES[name] and sum(attribute.shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("groups", [2, 3])
def test_groups_are_found_and_consensus_ranks_above_division(groups: int) -> None:
    """With 30% of votes seen and the number of groups left to the method."""
    public = make_public(groups=groups, consensus=40, divisive=120, mixed=20, seed=2)
    drawn = draw(public, participants=400, seen=0.3, seed=2)
    conversation = drawn.conversation
    found = find_groups(conversation)
    rows = np.searchsorted(conversation.participant_ids, found.participant_ids)
    assert found.k == groups
    assert adjusted_rand_score(drawn.groups_P[rows], found.labels_G) >= 0.9
    consensus_S = group_aware_consensus(counts_of(conversation, found).agreement(smoothing=True))
    kind_S = np.array(public.kind_S)
    pairs = consensus_S[kind_S == CONSENSUS][:, None] > consensus_S[kind_S == DIVISIVE][None, :]
    assert pairs.mean() >= 0.99
