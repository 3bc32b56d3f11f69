from __future__ import annotations

from typing import Literal

import pytest

from solon.evals.labels import Better, Scaling, label_quality
from solon.records import Comparison, Verdict


def comparison(
    name: str, p: float | None, *, first: Literal["a", "b", "both"] = "a", principle: str = "p1", rater: str = "model"
) -> Comparison:
    return Comparison(
        id=name,
        prompt_id=name,
        a="x",
        b="y",
        p_a_preferred=p,
        unscored=None if p is not None else "no option named",
        rater=rater,
        objective="harmlessness",
        principle_id=principle,
        shown_first=first,
    )


CLAMPED = Scaling(clamp=(0.4, 0.6))
ROWS = [comparison("1", 0.9), comparison("2", 0.3), comparison("3", 0.6, principle="p2"), comparison("4", None)]
TRUTH: dict[str, Better] = {"1": "a", "2": "a", "3": "tie"}


def test_worked_example() -> None:
    labels = label_quality(ROWS, lambda row: TRUTH.get(row.id))
    assert (labels.n, labels.unscored, labels.ties, labels.unknown) == (4, 1, 1, 0)
    assert labels.unscored_reasons == {"no option named": 1}
    assert labels.accuracy is not None and labels.accuracy.rate == 0.5
    assert labels.ece == pytest.approx((abs(1 - 0.9) + abs(0 - 0.7)) / 2)
    assert labels.tie_confidence == pytest.approx(0.6)
    assert labels.confidence == pytest.approx((0.9 + 0.7 + 0.6) / 3)
    assert (labels.principles["p2"].ties, labels.principles["p2"].accuracy) == (1, None)
    assert labels.principles["p1"].n == 2


def test_without_truth_nothing_is_claimed() -> None:
    labels = label_quality(ROWS, None)
    assert (labels.accuracy, labels.ece, labels.ties, labels.unknown) == (None, None, 0, 3)
    assert labels.position is not None and labels.position.excess.mean == pytest.approx(0.6 - 0.5)


def test_swapping_rows_leaves_the_quality_unchanged() -> None:
    swapped_truth: dict[str, Better] = {"1": "b", "2": "b", "3": "tie"}
    swapped = label_quality([row.swap() for row in ROWS], lambda row: swapped_truth.get(row.id))
    original = label_quality(ROWS, lambda row: TRUTH.get(row.id))
    assert swapped.accuracy == original.accuracy
    assert swapped.ece == pytest.approx(original.ece)
    assert swapped.position is not None and original.position is not None
    assert swapped.position.p_first == pytest.approx(original.position.p_first)


def test_position_bias_worked_example_and_a_judge_that_always_says_first() -> None:
    one = label_quality([comparison("1", 0.8, first="b")], lambda row: "b").position
    assert one is not None and (one.p_first, one.excess.mean) == pytest.approx((0.2, -0.8))
    rows = [comparison(str(i), 0.9 if i % 2 else 0.1, first="a" if i % 2 else "b") for i in range(40)]
    biased = label_quality(rows, lambda row: "a" if int(row.id) % 4 < 2 else "b").position
    assert biased is not None and biased.excess.mean == pytest.approx(0.4)
    assert biased.excess.low > 0.1
    assert label_quality([comparison("1", 0.8, first="both")], None).position is None


def reasoned(name: str, said: float) -> Comparison:
    """The judge's own probability, and its label clamped."""
    verdicts = tuple(Verdict(principle_id="p1", shown_first=first, p_a_preferred=said) for first in ("a", "b"))
    label = comparison(name, min(max(said, 0.4), 0.6), first="both")
    return label.model_copy(update={"verdicts": verdicts})


def test_calibration_is_of_what_the_judge_said_and_not_of_clamped_labels() -> None:
    """It is right in four of five, and says 0.8: clamped to 0.6, it would seem to be unsure."""
    rows = [reasoned(str(n), 0.8 if n % 2 else 0.2) for n in range(100)]
    found = label_quality(rows, lambda row: "ab"[(int(row.id) % 2 == 0) ^ (int(row.id) % 10 < 2)], CLAMPED)
    assert found.ece == pytest.approx(0.0) and found.confidence == pytest.approx(0.6)
    assert found.reliability is not None and found.reliability.temperature.value == pytest.approx(1.0, abs=1e-6)
    assert not found.clamped


def test_of_clamped_labels_without_verdicts_no_temperature_is_told() -> None:
    rows = [comparison(str(n), 0.6 if n % 2 else 0.4) for n in range(100)]
    found = label_quality(rows, lambda row: "ab"[int(row.id) % 2 == 0], CLAMPED)
    assert found.clamped and found.reliability is None and found.ece == pytest.approx(0.4)
    assert label_quality(rows, lambda row: "a").reliability is not None


def test_the_conflicts_of_precedence_are_of_chosen_pairs_and_left_out() -> None:
    """Only pairs that the principles above pass on come to those below."""
    verdicts = tuple(Verdict(principle_id=name, shown_first="a", p_a_preferred=0.9) for name in ("p1", "p2"))
    mean = comparison("1", 0.9).model_copy(update={"principle_id": None, "verdicts": verdicts})
    decided = mean.model_copy(update={"principle_id": "p2"})
    assert label_quality([mean], None).conflicts is not None and label_quality([decided], None).conflicts is None


def test_other_raters_are_the_standard_not_the_measured() -> None:
    assert label_quality([comparison("1", 0.8, rater="human")], None).n == 0
