from __future__ import annotations

from typing import Any

import pytest

from evals.test_labels import comparison
from solon.evals.bias import Better, length_bias, position_bias, prefers, self_preference
from solon.evals.labels import label_quality
from solon.records import Comparison, Verdict


def label(name: str, p: float | None, **more: Any) -> Comparison:
    return comparison(name, p).model_copy(update=more)


def verdict(first: str, p: float | None, principle: str = "p1") -> Verdict:
    return Verdict.model_validate({"principle_id": principle, "shown_first": first, "p_a_preferred": p})


def both(name: str, p_a_first: float, p_b_first: float) -> Comparison:
    """Shown in both orders; what is given to a in each."""
    verdicts = (verdict("a", p_a_first), verdict("b", p_b_first))
    return label(name, (p_a_first + p_b_first) / 2, shown_first="both", verdicts=verdicts)


def test_of_both_orders_position_bias_is_what_was_said_in_each() -> None:
    """A judge that gives 0.8 to whatever stands first: its labels are even, its favor is 0.3."""
    found = position_bias([both("1", 0.8, 0.2), both("2", 0.8, 0.2)], ["a", "b"])
    assert found is not None and (found.n, found.p_first) == (4, pytest.approx(0.8))
    assert found.excess.mean == pytest.approx(0.3)
    assert found.turned is not None and found.turned.rate == 1.0


def test_a_turn_is_between_orders_that_both_prefer_an_answer() -> None:
    rows = [both("1", 0.9, 0.7), both("2", 0.9, 0.1), both("3", 0.55, 0.2)]
    found = position_bias(rows, [None, None, None])
    assert found is not None and found.turned is not None and found.turned.rate == pytest.approx(1 / 2)
    assert [prefers(p) for p in (0.6, 0.59, 0.41, 0.4)] == [1, 0, 0, -1]


def test_of_both_orders_the_favor_is_known_as_well_as_pairs_tell_it() -> None:
    """Each pair gives three points to the first place, whatever it thinks of the answers."""
    rows = [both(str(n), 0.5 + n / 250 + 0.03, 0.5 + n / 250 - 0.03) for n in range(100)]
    found = position_bias(rows, ["a", "b"] * 50)
    assert found is not None and found.n == 200
    assert [found.excess.low, found.excess.mean, found.excess.high] == pytest.approx([0.03, 0.03, 0.03])


def test_a_verdict_that_could_not_be_read_leaves_its_pair_to_the_other_order() -> None:
    lost = label("2", None, unscored="why", shown_first="both", verdicts=(verdict("a", 0.9), verdict("b", None)))
    found = position_bias([both("1", 0.8, 0.2), lost], [None, None])
    assert found is not None and (found.n, found.excess.mean) == (3, pytest.approx((0.3 + 0.4) / 2))


@pytest.mark.parametrize(("better", "excess"), [("a", -0.2), ("b", 0.8), ("tie", 0.3), (None, 0.3)])
def test_length_bias_worked_example(better: Better | None, excess: float) -> None:
    rows = [label("1", 0.8, a="two words", b="one"), label("2", 0.9, a="the same", b="two words")]
    found = length_bias(rows, [better, "a"])
    assert found is not None and (found.n, found.p) == (1, 0.8)
    assert found.excess.mean == pytest.approx(excess)


def test_a_judge_that_likes_the_longer_answer_is_found_out_with_or_without_truth() -> None:
    rows = [
        label(str(n), 0.68, a="a b c", b="d") if n % 2 else label(str(n), 0.32, a="d", b="a b c") for n in range(40)
    ]
    truths: list[Better | None] = ["a" if n % 4 < 2 else "b" for n in range(40)]
    for known in (truths, [None] * 40):
        found = length_bias(rows, known)
        assert found is not None and found.p == pytest.approx(0.68) and found.excess.mean == pytest.approx(0.18)
        assert found.excess.low > 0


def test_self_preference_needs_judge_and_writers_by_name() -> None:
    names = {"rater_id": "m", "model_a": "m", "model_b": "other"}
    rows = [label("1", 0.9, **names), label("2", 0.2, rater_id="m", model_a="other", model_b="m"), label("3", 0.9)]
    found = self_preference(rows, ["b", "b", None])
    assert found is not None and (found.n, found.p) == (2, pytest.approx(0.85))
    assert found.excess.mean == pytest.approx(((0.9 - 0) + (0.8 - 1)) / 2)
    own = label("4", 0.9, rater_id="m", model_a="m", model_b="m")
    assert self_preference([rows[2], own], [None, None]) is None


def test_the_quality_of_labels_has_brier_bias_and_bootstrap_by_prompt() -> None:
    rows = [label(str(n), 0.9 if n % 2 else 0.2, prompt_id=f"p{n // 4}", a="a b", b="c") for n in range(40)]
    found = label_quality(rows, lambda row: "a" if int(row.id) % 2 else "b")
    assert found.brier is not None and found.brier.mean == pytest.approx((0.01 + 0.04) / 2)
    assert found.reliability is not None and (found.reliability.n, found.reliability.prompts) == (40, 10)
    assert found.reliability.plain.ece.value == pytest.approx(found.ece)
    assert found.reliability.temperature.value < 1, "surer labels would be as right"
    assert found.length is not None and found.length.n == 40
    assert found.self_preference is None and "self_preference" not in found.model_dump()
    assert label_quality([label("1", 0.5)], None).undecided == 1
