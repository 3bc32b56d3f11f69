"""The coefficient goes after the KL: worked arithmetic, and the laws of a proportional controller."""

from __future__ import annotations

import pytest

from solon.train.kl_control import next_kl_coefficient


def test_as_worked_in_the_docstring() -> None:
    assert next_kl_coefficient(0.1, 12.0, target=10.0) == pytest.approx(0.102)
    assert next_kl_coefficient(0.1, 9.0, target=10.0) == pytest.approx(0.099)


@pytest.mark.parametrize("kl", [0.0, 1.0, 5.0, 10.0, 11.0, 1e6])
def test_it_rises_above_the_target_falls_below_it_and_never_by_more_than_two_percent(kl: float) -> None:
    factor = next_kl_coefficient(0.1, kl, target=10.0) / 0.1
    assert 0.98 - 1e-9 <= factor <= 1.02 + 1e-9
    assert (factor > 1) == (kl > 10) and (factor < 1) == (kl < 10)


def test_it_brings_a_kl_that_falls_as_the_coefficient_rises_to_its_target() -> None:
    coefficient = 0.1
    for _ in range(400):
        coefficient = next_kl_coefficient(coefficient, 1.0 / coefficient, target=4.0)
    assert coefficient == pytest.approx(0.25, rel=1e-3)
