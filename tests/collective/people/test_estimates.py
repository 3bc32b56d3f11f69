"""Estimates for the population: worked by hand, laws, and recovery in simulated publics."""

from __future__ import annotations

import numpy as np
import pytest
from simulated.public import draw, make_public

from collective.people.samples import a_population, a_sample
from solon.collective.conversation import Floats
from solon.collective.people.sample import Sample
from solon.collective.people.weights import Weights, agreement, estimate, rake
from talks import talk

SEX = {"sex": {"women": 0.5, "men": 0.5}}


def plain(people: int) -> Weights:
    """Equal weights, no categories."""
    sample = Sample(population=a_population({}), participant_ids=np.arange(people), categories={})
    return Weights(sample=sample, weights_N=np.ones(people), trimmed=0, remaining_gap=0.0)


def first(hits: int, people: int) -> np.ndarray:
    return (np.arange(people) < hits)[:, None]


def test_equal_weights_without_categories_by_hand() -> None:
    """40 of 100: variance 0.24 / 99, effective size 99, Wilson's interval with t = 1.984."""
    found = estimate(first(40, 100), np.ones((100, 1), dtype=bool), plain(100))
    assert found.share_S[0] == pytest.approx(0.4) and found.n_effective_S[0] == pytest.approx(99)
    assert found.low_S[0] == pytest.approx(0.308, abs=5e-4) and found.high_S[0] == pytest.approx(0.500, abs=5e-4)


def test_only_people_who_saw_a_statement_count() -> None:
    seen = np.array([[True, False, False], [True, True, False], [True, True, False]])
    hits = np.array([[True, False, False], [False, True, False], [False, True, False]])
    found = estimate(hits, seen, plain(3))
    assert found.share_S[:2].tolist() == pytest.approx([1 / 3, 1.0]) and np.isnan(found.share_S[2])
    assert found.n_S.tolist() == [3, 2, 0]
    assert np.isnan(found.low_S[2])


def test_weights_move_the_share_to_the_populations() -> None:
    """30 women who all agree, 10 men who all disagree, one half each: 75% as voted, 50% weighted."""
    weights = rake(a_sample(a_population(SEX), (30, ("women",)), (10, ("men",))))
    found = estimate(first(30, 40), np.ones((40, 1), dtype=bool), weights)
    assert found.share_S[0] == pytest.approx(0.5)
    # The categories explain every vote. What is left is rounding, not certainty.
    assert found.n_effective_S[0] == pytest.approx(weights.n_effective)
    assert 0.3 < found.low_S[0] < 0.5 < found.high_S[0] < 0.7


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_or_nobody_has_an_interval_inside_zero_and_one(share: float) -> None:
    found = estimate(first(round(20 * share), 20), np.ones((20, 1), dtype=bool), plain(20))
    assert found.share_S[0] == share and found.n_effective_S[0] == pytest.approx(20)
    assert 0 <= found.low_S[0] <= share <= found.high_S[0] <= 1 and found.high_S[0] - found.low_S[0] > 0.1


def test_one_voter_says_almost_nothing() -> None:
    found = estimate(np.array([[True]]), np.array([[True]]), plain(1))
    assert found.share_S[0] == 1 and found.low_S[0] < 0.1 and found.high_S[0] == 1


def test_agreement_counts_passes_as_votes() -> None:
    conversation = talk([[1, 1], [0, None], [-1, 1], [1, None]], people=[5, 6, 7, 8])
    weights = plain(4)
    sample = Sample(population=weights.sample.population, participant_ids=np.array([5, 6, 7, 8]), categories={})
    found = agreement(conversation, Weights(**{**weights.__dict__, "sample": sample}))
    assert found.share_S.tolist() == [0.5, 1.0] and found.n_S.tolist() == [4, 2]


def test_swapping_hits_and_misses_turns_the_interval_round() -> None:
    draws = np.random.default_rng(4)
    seen = draws.random((200, 5)) < 0.5
    hits = (draws.random((200, 5)) < 0.3) & seen
    weights = rake(a_sample(a_population(SEX), (150, ("women",)), (50, ("men",))))
    one, other = estimate(hits, seen, weights), estimate(seen & ~hits, seen, weights)
    assert one.share_S == pytest.approx(1 - other.share_S)
    assert one.low_S == pytest.approx(1 - other.high_S) and one.n_effective_S == pytest.approx(other.n_effective_S)


def errors_of(samples: int) -> tuple[Floats, Floats, float]:
    """Mean errors as voted and weighted [S], and the share of intervals that hold the truth."""
    public = make_public(groups=2, consensus=6, divisive=10, mixed=4, seed=1)
    truth_S = public.truth_S
    voted, weighted, inside = [], [], []
    for number in range(samples):
        drawn = draw(public, participants=800, seed=number)
        found = agreement(drawn.conversation, rake(drawn.sample))
        talk_ = drawn.conversation
        voted.append((talk_.votes_PS == 1).sum(axis=0) / talk_.seen_PS.sum(axis=0) - truth_S)
        weighted.append(found.share_S - truth_S)
        inside.append((found.low_S <= truth_S) & (truth_S <= found.high_S))
    return np.mean(voted, axis=0), np.mean(weighted, axis=0), float(np.mean(inside))


def test_weights_bring_a_skewed_sample_to_the_population_with_honest_intervals() -> None:
    """Thirty samples; `bench/public_simulations.py` takes two hundred."""
    voted_S, weighted_S, coverage = errors_of(30)
    assert np.abs(voted_S).max() > 0.06, "the samples are meant to be skewed"
    assert np.abs(weighted_S).max() < 0.03
    assert 0.9 <= coverage <= 0.99


def test_a_weight_matters_only_in_proportion() -> None:
    weights = rake(a_sample(a_population(SEX), (30, ("women",)), (10, ("men",))))
    doubled = Weights(**{**weights.__dict__, "weights_N": 2 * weights.weights_N})
    draws = np.random.default_rng(2)
    seen, hits = np.ones((40, 3), dtype=bool), draws.random((40, 3)) < 0.5
    one, other = estimate(hits, seen, weights), estimate(hits, seen, doubled)
    assert one.low_S == pytest.approx(other.low_S) and one.n_effective_S == pytest.approx(other.n_effective_S)
