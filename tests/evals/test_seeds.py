from __future__ import annotations

import numpy as np
import pytest

from solon.evals.seeds import SHARE, difference, half_over_seeds, over_seeds, student


def test_the_worked_examples() -> None:
    found = over_seeds({0: {"a": 1.0, "b": 0.0}, 1: {"a": 1.0, "b": 1.0}})
    assert (found.value, found.low, found.high) == (0.75, 0.0, 1.0)
    assert half_over_seeds([1.0, 2.0, 3.0]) == pytest.approx(2.484, abs=1e-3)


def test_seeds_that_agree_by_chance_are_believed_no_further_than_their_prompts() -> None:
    """Every seed has 0.5: between them nothing varies, and still 40 prompts are no certainty."""
    seed = {str(number): float(number % 2) for number in range(40)}
    found = over_seeds(dict.fromkeys(range(3), seed))
    # 20 of 40 and one value more at each end: variance 42 * 0.25 / 41, three seeds of 40
    assert found.high - found.value == pytest.approx(1.959964 * (42 * 0.25 / 41 / 40 / 3) ** 0.5)
    apart = over_seeds({0: seed, 1: seed, 2: dict.fromkeys(seed, 1.0)})
    assert apart.high - apart.value > 0.3
    assert apart.high == SHARE[1]


def test_none_of_some_is_not_none_of_all() -> None:
    found = over_seeds({0: dict.fromkeys(map(str, range(50)), 0.0)})
    assert found.value == found.low == 0.0
    assert 0.02 < found.high < 0.1


def test_a_difference_is_of_prompts_that_both_have() -> None:
    one = {0: {"a": 1.0, "b": 1.0, "c": 1.0}, 1: {"a": 0.0}}
    other = {0: {"a": 0.0, "b": 1.0, "d": 1.0}}
    assert difference(one, other).value == 0.5
    assert difference(other, one).value == -0.5


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Seeds that differ by themselves, prompts within them: at least 95%."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(300):
        rates = np.clip(0.6 + 0.1 * rng.standard_normal(3), 0, 1)
        drawn = {s: {str(i): float(x) for i, x in enumerate(rng.random(60) < p)} for s, p in enumerate(rates)}
        found = over_seeds(drawn)
        held += found.low <= 0.6 <= found.high
    assert held / 300 > 0.93


def test_students_t() -> None:
    assert student(2) == pytest.approx(4.302653)
    assert student(10) == pytest.approx(2.228139, abs=1e-5)
    assert student(1000) == pytest.approx(1.962339, abs=1e-5)
