from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.collective.opinion.consensus import share_of
from solon.collective.opinion.counts import Counts, count_votes
from solon.collective.opinion.polis.representativeness import (
    best_agree,
    difference_z,
    majorities,
    proportion_z,
    representative_statements,
    sides,
)
from talks import random_rows, talk


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def counts(*groups: list[tuple[int, int, int]]) -> Counts:
    """By group: (agrees, disagrees, passes) on each statement."""
    agrees, disagrees, seen = ([[f(cell) for cell in group] for group in groups] for f in (first, second, sum))
    return Counts(agrees=np.array(agrees), disagrees=np.array(disagrees), seen=np.array(seen))


def votes(table: list[list[int | None]]) -> tuple[np.ndarray, np.ndarray]:
    conversation = talk(table)
    return conversation.votes_PS, conversation.seen_PS


def first(cell: tuple[int, int, int]) -> int:
    return cell[0]


def second(cell: tuple[int, int, int]) -> int:
    return cell[1]


def listed(found: Counts, *, out: tuple[int, ...] = ()) -> list[tuple[str, int, str, bool]]:
    ids = np.arange(found.seen.shape[1])
    rows = representative_statements(found, ids, [str(g) for g in range(len(found.seen))], out_S=np.isin(ids, out))
    return [(row.group, row.comment_id, row.direction, row.best_agree) for row in rows]


def test_worked_examples() -> None:
    assert share_of(ints(2, 0), ints(3, 0), smoothing=True).tolist() == [0.6, 0.5]
    assert proportion_z(ints(2), ints(3)).tolist() == [1.0]
    assert difference_z(ints(2), ints(3), ints(0), ints(3))[0] == pytest.approx(sqrt(2))
    assert difference_z(ints(4), ints(4), ints(7), ints(7)).tolist() == [0.0]


def test_z_is_negative_below_one_half_and_where_others_have_more() -> None:
    assert proportion_z(ints(0), ints(8))[0] == pytest.approx(2 * 3 * (1 / 9 - 0.5))
    assert difference_z(ints(0), ints(8), ints(8), ints(8))[0] < 0


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_sides_equal_a_naive_loop(seed: int) -> None:
    table = random_rows(seed, 12, 4)
    labels = np.random.default_rng(seed).integers(3, size=12)
    found = count_votes(*votes(table), labels, 3)
    agree, disagree = sides(found)
    for side, vote in ((agree, 1), (disagree, -1)):
        for group in range(3):
            for at in range(4):
                own = [row[at] for row, label in zip(table, labels, strict=True) if label == group]
                rest = [row[at] for row, label in zip(table, labels, strict=True) if label != group]
                n, N = own.count(vote), sum(one is not None for one in own)
                m, M = rest.count(vote), sum(one is not None for one in rest)
                assert side.p[group, at] == pytest.approx((n + 1) / (N + 2))
                assert side.p_z[group, at] == pytest.approx(2 * sqrt(N + 1) * ((n + 1) / (N + 1) - 0.5))
                assert side.ratio[group, at] == pytest.approx(((n + 1) / (N + 2)) / ((m + 1) / (M + 2)))
                a, b, pool = (n + 1) / (N + 1), (m + 1) / (M + 1), (n + m + 2) / (N + M + 2)
                spread = pool * (1 - pool) * (1 / (N + 1) + 1 / (M + 1))
                z = (a - b) / sqrt(spread) if pool < 1 else 0
                assert side.ratio_z[group, at] == pytest.approx(z)


def test_agrees_stand_before_disagrees_and_five_are_enough() -> None:
    opposed = [(0, 9, 0)] * 3 + [(9, 0, 0)] * 4
    other = [(9, 0, 0)] * 3 + [(0, 9, 0)] * 4
    found = listed(counts(opposed, other))
    # Equal ranks: ids decide. Group 0's best agree is 3; 0, 1 and 2 tie with 4, 5 and 6 for the other four places.
    assert found[:5] == [
        ("0", 3, "agree", True),
        ("0", 4, "agree", False),
        ("0", 0, "disagree", False),
        ("0", 1, "disagree", False),
        ("0", 2, "disagree", False),
    ]
    assert [row[1:3] for row in found[5:]] == [
        (0, "agree"),
        (1, "agree"),
        (2, "agree"),
        (3, "disagree"),
        (4, "disagree"),
    ]


def test_stronger_statements_come_first() -> None:
    found = listed(counts([(6, 0, 0), (9, 0, 0), (7, 0, 0)], [(0, 6, 0), (0, 9, 0), (0, 7, 0)]))
    assert [row[1] for row in found if row[0] == "0"] == [1, 2, 0]


def test_what_is_moderated_out_is_not_listed() -> None:
    found = listed(counts([(9, 0, 0), (8, 0, 0)], [(0, 9, 0), (0, 8, 0)]), out=(0,))
    assert {row[1] for row in found} == {1}
    assert listed(counts([(9, 0, 0)], [(0, 9, 0)]), out=(0,)) == []


def test_a_group_like_the_rest_gets_its_best_agree_alone() -> None:
    alike = counts([(9, 0, 0), (2, 1, 0)], [(9, 0, 0), (2, 1, 0)])
    assert listed(alike) == [("0", 0, "disagree", True), ("1", 0, "disagree", True)]


def test_without_a_best_agree_the_largest_difference_is_listed() -> None:
    """Nobody agrees with anything: no best agree. Where the group passes less than the rest, it disagrees more."""
    found = counts([(0, 1, 1), (0, 2, 1)], [(0, 1, 1), (0, 1, 3)])
    assert [row for row in listed(found) if row[0] == "0"] == [("0", 1, "disagree", False)]


def test_best_agree_gives_way_to_a_larger_value() -> None:
    agree, disagree = sides(counts([(3, 1, 0), (0, 0, 5), (8, 0, 0)], [(2, 3, 0), (0, 0, 5), (1, 7, 0)]))
    assert best_agree(agree, disagree, 0, ints(0, 1, 2)) == 2
    assert best_agree(agree, disagree, 0, ints(0, 1)) == 0
    assert best_agree(agree, disagree, 0, ints(1)) is None


def test_best_agree_compares_by_probability_where_the_incumbent_is_not_representative() -> None:
    """The incumbent's ratio is below 1, so p · z decides although the other's ratio would lose."""
    found = counts([(8, 1, 0), (20, 1, 0)], [(9, 0, 0), (20, 0, 0)])
    agree, disagree = sides(found)
    assert agree.ratio[0, 0] < 1 and agree.rank[0, 1] < agree.rank[0, 0] < 0
    assert best_agree(agree, disagree, 0, ints(0, 1)) == 1


def test_a_group_that_nobody_votes_in_has_no_list() -> None:
    assert [row for row in listed(counts([(0, 0, 0)], [(5, 0, 0)])) if row[0] == "0"] == []


def test_majorities_count_everybody_and_need_significance() -> None:
    rows: list[list[int | None]] = [[1, -1, 1, None, 1]] * 6 + [[1, -1, 0, 1, 1]] * 3 + [[-1, -1, -1, None, 1]]
    found = majorities(talk(rows, moderated={4: -1}), out_S=np.array([False] * 4 + [True]))
    assert [(row.direction, row.comment_id, row.n_success, row.n_trials) for row in found] == [
        ("agree", 0, 9, 10),
        ("agree", 3, 3, 3),
        ("disagree", 1, 10, 10),
    ]
    # 6 agrees of 10: p = 7/12, z = 2√11 (7/11 - 1/2) = 0.905
    assert found[0].p_success == 10 / 12 and found[0].p_test == pytest.approx(2 * sqrt(11) * (10 / 11 - 0.5))


def test_at_most_five_majorities_each_way() -> None:
    found = majorities(talk([[1] * 7 + [-1] * 6] * 9), out_S=np.zeros(13, dtype=bool))
    assert [row.comment_id for row in found] == [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_swapping_agree_and_disagree_swaps_the_sides(seed: int) -> None:
    found = count_votes(*votes(random_rows(seed, 14, 5)), np.arange(14) % 2, 2)
    turned = Counts(agrees=found.disagrees, disagrees=found.agrees, seen=found.seen)
    agree, disagree = sides(found)
    other_agree, other_disagree = sides(turned)
    np.testing.assert_array_equal(agree.rank, other_disagree.rank)
    np.testing.assert_array_equal(disagree.ratio_z, other_agree.ratio_z)
