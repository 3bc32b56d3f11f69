from __future__ import annotations

import doctest

import numpy as np
import pytest

from solon.collective.conversation import Conversation
from solon.collective.opinion import consensus, counts, given_groups
from solon.collective.opinion.consensus import (
    Consensus,
    consensus_of,
    geometric_mean,
    group_aware_consensus,
    product_interval,
    share_interval,
)
from solon.collective.opinion.counts import IN_NO_GROUP, count_votes
from solon.collective.opinion.given_groups import numeric_first
from solon.collective.opinion.results import Groups
from talks import talk
from voters import public


def test_the_worked_examples_hold() -> None:
    for module in (counts, consensus, given_groups):
        assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("smoothing", [True, False])
def test_consensus_equals_a_naive_recount(smoothing: bool) -> None:
    rng = np.random.default_rng(1)
    votes_PS = rng.integers(-1, 2, size=(60, 25)).astype(np.int8)
    seen_PS = rng.random((60, 25)) < 0.15
    votes_PS[~seen_PS] = 0
    labels = rng.integers(-1, 4, size=60)
    found_KS = count_votes(votes_PS, seen_PS, labels).agreement(smoothing=smoothing)
    empty = 0
    for group in range(4):
        for statement in range(25):
            cast = [
                v
                for v, s, g in zip(votes_PS[:, statement], seen_PS[:, statement], labels, strict=True)
                if s and g == group
            ]
            agrees = sum(vote == 1 for vote in cast)
            if smoothing:
                assert found_KS[group, statement] == pytest.approx((agrees + 1) / (len(cast) + 2), abs=1e-12)
            elif cast:
                assert found_KS[group, statement] == pytest.approx(agrees / len(cast), abs=1e-12)
            else:
                empty += 1
                assert np.isnan(found_KS[group, statement])
    assert smoothing or empty > 0, "the case without votes was met"


def test_an_unseen_statement_is_no_pass() -> None:
    votes_PS = np.array([[1], [0], [0]], dtype=np.int8)
    labels = np.array([0, 0, 0])
    passed, unseen = np.array([[True], [True], [True]]), np.array([[True], [False], [False]])
    assert count_votes(votes_PS, passed, labels).agreement(smoothing=False)[0, 0] == pytest.approx(1 / 3)
    assert count_votes(votes_PS, unseen, labels).agreement(smoothing=False)[0, 0] == 1.0


def test_the_product_is_zero_for_one_group_that_never_agrees_and_unknown_for_one_that_never_voted() -> None:
    assert group_aware_consensus(np.array([[0.9, 0.9], [0.0, np.nan]])).tolist()[0] == 0.0
    assert np.isnan(group_aware_consensus(np.array([[0.9], [np.nan]]))[0])


def test_the_geometric_mean_does_not_depend_on_the_number_of_groups() -> None:
    for k in (2, 3, 5):
        product = group_aware_consensus(np.full((k, 1), 0.8))
        assert geometric_mean(product, k)[0] == pytest.approx(0.8)


def test_wilson_on_paper() -> None:
    low, high = share_interval(np.array([8, 0, 0]), np.array([10, 10, 0]))
    assert (low[0], high[0]) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert (low[1], high[1]) == (0.0, pytest.approx(0.2775, abs=1e-4))
    assert np.isnan(low[2]) and np.isnan(high[2])


def test_the_interval_of_the_product_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    statements = 600
    share_KS = rng.uniform(0.2, 0.98, size=(2, statements))
    votes_KS = rng.integers(10, 90, size=(2, statements))
    agrees_KS = rng.binomial(votes_KS, share_KS)
    low_S, high_S = product_interval(agrees_KS, votes_KS, np.arange(statements), draws=1000)
    truth_S = share_KS.prod(axis=0)
    assert 0.93 <= float(((low_S <= truth_S) & (truth_S <= high_S)).mean()) <= 0.975


def test_an_interval_depends_on_the_statement_and_its_votes_alone() -> None:
    agrees, votes = np.array([[8, 3, 40], [9, 9, 7]]), np.array([[10, 10, 50], [10, 10, 9]])
    low, high = product_interval(agrees, votes, np.array([4, 7, 9]))
    alone, turned = product_interval(agrees[:, [1]], votes[:, [1]], np.array([7]))
    assert (low[1], high[1]) == (alone[0], turned[0])
    assert product_interval(agrees, votes, np.array([4, 7, 9]), seed=1)[0][1] != low[1]


def labelled(conversation: Conversation, labels_P: np.ndarray, names: tuple[str, ...]) -> Groups:
    """Everybody with a label."""
    ids = conversation.participant_ids
    return Groups(participant_ids=ids, labels_G=labels_P, names=names, silhouettes={}, method="given")


def measured(**options: int) -> Consensus:
    conversation, camp_P = public((12, 9), seed=3)
    return consensus_of(conversation, labelled(conversation, camp_P, ("0", "1")), **options)  # type: ignore[arg-type]


def test_estimates_lie_in_their_intervals() -> None:
    found = measured()
    assert ((found.low_KS <= found.groups_KS) & (found.groups_KS <= found.high_KS)).all()
    assert (found.product_low_S < found.product_high_S).all()
    raw = found.counts.agrees / found.counts.seen
    assert ((found.low_KS <= raw) & (raw <= found.high_KS)).all()


def test_few_votes_are_flagged() -> None:
    fewest_S = measured().counts.seen.min(axis=0)
    assert measured(minimum=8).few_votes_S.tolist() == (fewest_S < 8).tolist()
    assert not measured(minimum=0).few_votes_S.any()


def test_groups_of_a_conversation_leave_the_others_out() -> None:
    conversation, camp_P = public((12, 9), seed=3)
    inside = np.arange(21) % 5 != 0
    groups = Groups(
        participant_ids=conversation.participant_ids[inside],
        labels_G=camp_P[inside],
        names=("a", "b"),
        silhouettes={},
        method="exported",
    )
    found = consensus_of(conversation, groups, smoothing=False)
    labels = np.where(inside, camp_P, IN_NO_GROUP)
    expected_KS = count_votes(conversation.votes_PS, conversation.seen_PS, labels).agreement(smoothing=False)
    np.testing.assert_array_equal(found.groups_KS, expected_KS)


def test_group_names_in_order() -> None:
    names = ["10", "b", "2", "a", "2.5", "nan", "-1", "inf", "1_0", "B", "1e5"]
    expected = ["-1", "2", "2.5", "10", "1_0", "1e5", "B", "a", "b", "inf", "nan"]
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert sorted(rng.permutation(names).tolist(), key=numeric_first) == expected


def test_one_group_and_no_votes_at_all() -> None:
    silent = talk([[None, None]] * 3)
    for smoothing, expected in ((True, [0.5, 0.5]), (False, [np.nan, np.nan])):
        found = consensus_of(silent, labelled(silent, np.zeros(3, dtype=np.int64), ("all",)), smoothing=smoothing)
        np.testing.assert_array_equal(found.product_S, expected)
        np.testing.assert_array_equal(found.geometric_S, expected)
        assert np.isnan(found.low_KS).all() and np.isnan(found.product_high_S).all() and found.few_votes_S.all()


def test_a_group_without_members_has_said_nothing() -> None:
    conversation = talk([[1], [1]])
    found = consensus_of(conversation, labelled(conversation, np.array([0, 0]), ("here", "gone")), smoothing=False)
    assert found.counts.seen.tolist() == [[2], [0]] and np.isnan(found.product_S[0])
