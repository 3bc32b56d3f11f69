from __future__ import annotations

from math import log

import numpy as np
import pytest

from solon.evals.calibration import calibration
from solon.evals.preference import ScoredPair, preference_quality
from solon.evals.reliability import LIMIT, _reflected, fit_temperature, preference_calibration, sigmoid


def drawn(n: int, *, sureness: float, seed: int = 0) -> tuple[list[float], list[float]]:
    """Margins that are `sureness` times the log-odds of labels that come true or not."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(scale=1.5, size=n)
    return (sureness * odds).tolist(), (generator.random(n) < sigmoid(odds)).astype(float).tolist()


def test_worked_example() -> None:
    assert fit_temperature([log(9), -log(9)], [0.75, 0.25]) == pytest.approx(2)
    assert fit_temperature([log(9), log(9), -log(9), -log(9)], [1, 0.5, 0.5, 0]) == pytest.approx(2)


def test_it_is_the_least_cross_entropy_on_a_fine_grid() -> None:
    margins, labels = drawn(300, sureness=1.7)
    grid = np.linspace(0.2, 6, 5801)

    def loss(temperature: float) -> float:
        scaled = np.asarray(margins) / temperature
        return float(np.mean(np.logaddexp(0, scaled) - np.asarray(labels) * scaled))

    assert fit_temperature(margins, labels) == pytest.approx(grid[np.argmin([loss(t) for t in grid])], abs=2e-3)


@pytest.mark.parametrize(("sureness", "low", "high"), [(1.0, 0.8, 1.25), (3.0, 2.4, 3.8), (0.5, 0.4, 0.62)])
def test_a_temperature_undoes_what_makes_scores_too_sure(sureness: float, low: float, high: float) -> None:
    margins, labels = drawn(2000, sureness=sureness)
    found = preference_calibration(margins, labels, range(2000))
    assert found is not None
    assert low < found.temperature.low < found.temperature.value < found.temperature.high < high
    assert found.scaled.ece.value < 0.03
    assert (found.plain.ece.value > 0.06) == (sureness != 1.0)


def test_swapping_answers_and_labels_changes_nothing() -> None:
    margins, labels = drawn(60, sureness=2)
    found = preference_calibration(margins, labels, range(60))
    swapped = preference_calibration([-margin for margin in margins], [1 - p for p in labels], range(60))
    assert found is not None and swapped is not None
    assert swapped.temperature.value == pytest.approx(found.temperature.value)
    assert swapped.plain.ece.value == pytest.approx(found.plain.ece.value)


def test_scores_that_say_the_reverse_get_the_highest_temperature() -> None:
    assert fit_temperature([1.0, -1.0], [0.0, 1.0]) == pytest.approx(LIMIT)
    assert fit_temperature([1.0, -1.0], [1.0, 0.0]) == pytest.approx(1 / LIMIT)


def test_a_temperature_at_the_end_of_the_search_is_no_estimate() -> None:
    margins, names = [2.0, -2.0] * 10, list("abcdefghijabcdefghij")
    right = preference_calibration(margins, [1.0, 0.0] * 10, names)
    assert right is not None and right.at_limit and right.temperature.value == pytest.approx(1 / LIMIT)
    assert right.model_dump()["at_limit"] is True
    mixed = preference_calibration(margins, [1.0, 0.0] * 9 + [0.0, 0.0], names)
    assert mixed is not None and not mixed.at_limit and "at_limit" not in mixed.model_dump()


def test_pairs_of_one_prompt_are_one_piece_of_evidence() -> None:
    margins, labels = drawn(40, sureness=2)
    alone = preference_calibration(margins, labels, range(40))
    repeated = preference_calibration(margins * 5, labels * 5, [*range(40)] * 5)
    split = preference_calibration(margins * 5, labels * 5, range(200))
    assert alone is not None and repeated is not None and split is not None
    assert (repeated.n, repeated.prompts) == (200, 40)
    assert repeated.temperature == alone.temperature and repeated.plain.ece.value == pytest.approx(
        alone.plain.ece.value
    )
    widths = [one.temperature.high - one.temperature.low for one in (repeated, split)]
    assert widths[1] < 0.6 * widths[0]


def test_a_prompt_is_scaled_by_what_others_say() -> None:
    """Of five prompts four say 0.75, and one 0.5, which alone would want the highest temperature."""
    found = preference_calibration([log(9)] * 5, [0.75] * 4 + [0.5], range(5))
    assert found is not None
    assert [(one.n, one.confidence) for one in found.scaled.bins] == [
        (4, pytest.approx((3 * 0.75 + 0.5) / 4)),
        (1, pytest.approx(0.75)),
    ]


def test_an_error_that_resamples_find_larger_is_reflected() -> None:
    """Quantiles 0.12 and 0.2 around 0.1: 2 * 0.1 - 0.2 = 0, and 2 * 0.1 - 0.12 = 0.08, but never below the value."""
    interval = _reflected(0.1, np.linspace(0.12 - 0.08 / 38, 0.2 + 0.08 / 38, 1001))
    assert (interval.low, interval.high) == (pytest.approx(0, abs=1e-9), 0.1)
    assert _reflected(0.2, np.linspace(0.1, 0.25, 1001)).high == pytest.approx(0.3, abs=0.005)


def test_bins_are_those_of_labels_and_their_intervals_hold_them() -> None:
    margins, labels = drawn(100, sureness=1)
    found = preference_calibration(margins, labels, range(100))
    expected = calibration(list(zip(sigmoid(np.asarray(margins)).tolist(), labels, strict=True)))
    assert found is not None
    assert [(one.n, one.confidence, one.accuracy.rate) for one in found.plain.bins] == [
        (one.n, one.confidence, one.accuracy.rate) for one in expected.bins
    ]
    assert all(one.accuracy.low <= one.accuracy.rate <= one.accuracy.high for one in found.plain.bins)
    assert found.plain.ece.low <= expected.ece <= found.plain.ece.high


def test_too_few_prompts_are_not_calibrated() -> None:
    assert preference_calibration([1.0] * 8, [1.0] * 8, [0, 1, 2, 3] * 2) is None


def test_a_preference_model_is_held_against_labels_and_against_the_truth() -> None:
    pairs = [
        ScoredPair(margin=1.0, p_a_preferred=0.6, better="tie" if n % 2 else "a", prompt=str(n // 2)) for n in range(20)
    ]
    faults = [ScoredPair(margin=9.0, better="b", fault="rude")] * 50
    found = preference_quality([*pairs, *faults])
    assert found is not None
    assert {name: (one.n, one.prompts) for name, one in found.calibration.items()} == {
        "labels": (20, 10),
        "truth": (10, 10),
    }
    assert found.calibration["truth"].plain.ece.value == pytest.approx(1 - 1 / (1 + np.exp(-1.0)))
