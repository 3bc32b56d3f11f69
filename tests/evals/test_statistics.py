"""Worked arithmetic of the docstrings, laws, and coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from solon.evals.statistics import (
    Interval,
    distinct,
    effective_size,
    leaves_out_zero,
    mean,
    paired_difference,
    rate,
    unpaired_difference,
    wilson,
)


def _table(a: int, b: int, c: int, d: int) -> tuple[list[bool], list[bool]]:
    first = [True] * (a + b) + [False] * (c + d)
    second = [True] * a + [False] * b + [True] * c + [False] * d
    return first, second


def test_wilson_worked_example() -> None:
    result = wilson(8, 10)
    assert (result.rate, result.low, result.high) == pytest.approx((0.8, 0.4902, 0.9433), abs=5e-5)


def test_wilson_is_not_empty_at_the_ends() -> None:
    none, all_ = wilson(0, 500), wilson(500, 500)
    assert (none.low, all_.high) == (0.0, 1.0)
    assert none.high == pytest.approx(1.959964**2 / (500 + 1.959964**2))
    assert none.high == pytest.approx(1 - all_.low)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="a rate needs"):
        wilson(successes, n)


@pytest.mark.parametrize("share", [0.03, 0.2, 0.8])
def test_wilson_covers_95_percent(share: float) -> None:
    draws = np.random.default_rng(1).binomial(200, share, size=4000)
    intervals = {int(k): wilson(int(k), 200) for k in np.unique(draws)}
    covered = np.mean([intervals[int(k)].low <= share <= intervals[int(k)].high for k in draws])
    assert 0.93 <= covered <= 0.975


def test_mean_worked_example() -> None:
    result = mean([1.0, 2.0, 3.0])
    assert (result.mean, result.low, result.high) == pytest.approx((2.0, 0.868, 3.132), abs=5e-4)


def test_effective_size_worked_examples() -> None:
    assert effective_size([1, 1, 0, 0], ["x", "x", "y", "y"]) == pytest.approx(1.0)
    assert effective_size([1, 1, 0, 0], ["w", "x", "y", "z"]) == pytest.approx(3.0)
    assert effective_size([0, 0, 0, 0], ["x", "x", "y", "y"]) == 2.0


def test_clusters_that_repeat_themselves_count_once() -> None:
    generator = np.random.default_rng(2)
    once = [bool(x) for x in generator.random(300) < 0.3]
    eightfold = [x for x in once for _ in range(8)]
    names = [i for i in range(300) for _ in range(8)]
    naive, clustered, single = rate(eightfold), rate(eightfold, names), rate(once)
    assert clustered.high - clustered.low == pytest.approx(single.high - single.low, rel=0.01)
    assert naive.high - naive.low < 0.5 * (clustered.high - clustered.low)


def test_clustered_rate_covers_95_percent() -> None:
    generator, covered = np.random.default_rng(3), 0
    names = [i for i in range(80) for _ in range(5)]
    for _ in range(500):
        own = np.repeat(generator.beta(1.5, 3.5, size=80), 5)  # mean 0.3, strongly clustered
        result = rate([bool(x) for x in generator.random(400) < own], names)
        covered += result.low <= 0.3 <= result.high
    assert 0.92 <= covered / 500 <= 0.985


def test_paired_difference_worked_example() -> None:
    result = paired_difference(*_table(14, 5, 0, 22))
    assert result.n == 41
    assert (result.value, result.low, result.high) == pytest.approx((0.1220, 0.0113, 0.2261), abs=5e-4)


def test_paired_difference_flips_its_sign_with_the_order() -> None:
    first, second = _table(30, 41, 7, 22)
    there, back = paired_difference(first, second), paired_difference(second, first)
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))


def test_agreement_narrows_the_paired_interval() -> None:
    agreeing, opposed = paired_difference(*_table(60, 20, 0, 20)), paired_difference(*_table(40, 40, 20, 0))
    assert agreeing.value == pytest.approx(opposed.value)
    assert agreeing.high - agreeing.low < 0.8 * (opposed.high - opposed.low)


def test_paired_difference_of_equal_answers_includes_zero_with_width() -> None:
    result = paired_difference([False] * 100, [False] * 100)
    assert result.value == 0
    assert result.low == pytest.approx(-result.high)
    assert 0.02 < result.high < 0.06


@pytest.mark.parametrize("cells", [(0.1, 0.6, 0.02, 0.28), (0.7, 0.08, 0.05, 0.17), (0.01, 0.04, 0.0, 0.95)])
def test_paired_difference_covers_95_percent(cells: tuple[float, ...]) -> None:
    truth, covered = cells[1] - cells[2], 0
    for counts in np.random.default_rng(4).multinomial(200, cells, size=1500):
        result = paired_difference(*_table(*(int(k) for k in counts)))
        covered += result.low <= truth <= result.high
    assert 0.93 <= covered / 1500 <= 0.985


def test_paired_difference_with_clusters() -> None:
    first, second = _table(10, 20, 5, 15)
    names = [i for i in range(50) for _ in range(4)]
    plain = paired_difference(first, second)
    repeated = paired_difference([x for x in first for _ in range(4)], [x for x in second for _ in range(4)], names)
    assert repeated.value == pytest.approx(plain.value)
    assert repeated.high - repeated.low == pytest.approx(plain.high - plain.low, rel=0.1)


def test_paired_difference_refuses_unequal_lengths() -> None:
    with pytest.raises(ValueError, match="differ in number"):
        paired_difference([True], [True, False])


def test_unpaired_difference_worked_example() -> None:
    """Newcombe's own: 56 of 70 against 48 of 80."""
    found = [wilson(*counts) for counts in ((56, 70), (48, 80))]
    first, second = (Interval(value=one.rate, low=one.low, high=one.high) for one in found)
    result, back = unpaired_difference(first, second), unpaired_difference(second, first)
    assert (result.value, result.low, result.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert (back.value, back.low, back.high) == pytest.approx((-result.value, -result.high, -result.low))


def test_distinct_worked_example_and_white_space() -> None:
    result = distinct(["a x", "a  x\n", "b", "c"])
    assert (result.rate, result.low, result.high) == pytest.approx((0.75, 0.400, 1.0), abs=5e-4)
    assert distinct(["a"] * 50).rate == 0.02
    assert distinct([str(i) for i in range(50)]).low < 1.0


def test_distinct_interval_covers_the_expected_share() -> None:
    weights = 1.0 / np.arange(1, 401)
    weights /= weights.sum()
    expected = float(np.sum(1 - (1 - weights) ** 200)) / 200
    generator, covered = np.random.default_rng(5), 0
    for _ in range(400):
        result = distinct([str(i) for i in generator.choice(400, size=200, p=weights)])
        covered += result.low <= expected <= result.high
    assert covered / 400 >= 0.94


@pytest.mark.parametrize(("among", "expected"), [(1, True), (10, True), (100, False)])
def test_more_comparisons_ask_for_more(among: int, expected: bool) -> None:
    """2.94 standard errors, where 1.96, 2.81 and 3.48 are asked."""
    gap = Interval(value=0.3, low=0.1, high=0.6)
    assert leaves_out_zero(gap, among=among) == expected
    assert leaves_out_zero(Interval(value=-0.3, low=-0.6, high=-0.1), among=among) == expected


def test_an_interval_that_touches_zero_leaves_nothing_out() -> None:
    assert not leaves_out_zero(Interval(value=0.2, low=0.0, high=0.4))
    assert not leaves_out_zero(Interval(value=0.0, low=0.0, high=0.0))
