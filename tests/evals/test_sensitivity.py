from __future__ import annotations

import pytest

from evals.test_bias import label
from solon.constitution.controls import blank, elsewhere, inverted, shuffled
from solon.constitution.principles import Principle
from solon.evals.bias import Better
from solon.evals.sensitivity import sensitivity
from solon.evals.statistics import wilson
from solon.records import Comparison

KIND = Principle(id="kind", title="Kind", comparison_question="Which response is kinder to the human?")


def labels(*values: float | None) -> list[Comparison]:
    return [label(str(number), p) for number, p in enumerate(values)]


def test_worked_example() -> None:
    """The truth is a, b, a and a tie."""
    truth: dict[str, Better] = {"0": "a", "1": "b", "2": "a", "3": "tie"}
    given, other = labels(0.9, 0.2, 0.6, 0.5), labels(0.7, 0.8, None, 0.9)
    found = sensitivity("m", {"given": given, "inverted": other}, lambda row: truth[row.id])
    assert (found.judge, found.pairs, found.decided) == ("m", 4, 3)
    own, turned = found.constitutions
    assert own.accuracy is not None and own.accuracy.rate == 1.0 and own.moved is None and own.turned is None
    assert (turned.n, turned.unscored) == (4, 1)
    assert turned.accuracy is not None and turned.accuracy.rate == 0.5
    assert turned.moved is not None and turned.moved.mean == pytest.approx((0.2 + 0.6 + 0.4) / 3)
    assert turned.turned is not None and turned.turned.rate == 0.5, "a tie turns nowhere"


def test_of_a_judge_without_an_opinion_the_side_of_one_half_is_noise() -> None:
    """All labels are a little on the wrong side: never right, and still at chance. The truth is always a."""
    blank, sure = [0.49, 0.48, 0.49, 0.5], [0.2, 0.8, 0.2, 0.2]
    found = sensitivity(
        "m", {"given": labels(*[0.9] * 4), "blank": labels(*blank), "other": labels(*sure)}, lambda _: "a"
    )
    own, none, other = found.constitutions
    assert (own.at_chance, none.at_chance, other.at_chance) == (False, True, False)
    assert none.accuracy is not None and none.accuracy.rate == 0.125
    assert none.p_right is not None and none.p_right.rate == pytest.approx(0.49)
    assert other.p_right is not None and other.p_right.rate == pytest.approx(0.35)
    assert own.model_dump()["at_chance"] is False
    assert "p_right" not in sensitivity("m", {"given": labels(0.9)}, None).constitutions[0].model_dump()


def test_a_label_near_one_half_turns_nowhere() -> None:
    found = sensitivity("m", {"given": labels(0.9, 0.9, 0.51), "blank": labels(0.1, 0.45, 0.1)}, None)
    assert found.constitutions[1].turned == wilson(1, 1)


def test_without_truth_only_the_labels_are_compared() -> None:
    found = sensitivity("m", {"given": labels(0.9), "blank": labels(0.5)}, None)
    assert found.decided is None and [one.accuracy for one in found.constitutions] == [None, None]
    assert found.constitutions[1].moved is not None and found.constitutions[1].moved.mean == pytest.approx(0.4)


def test_compared_are_pairs_that_were_labelled_under_every_constitution() -> None:
    """A pair may fit under a short constitution alone."""
    first, second, third = labels(0.9, 0.2, 0.7)
    found = sensitivity("m", {"given": [first, third], "blank": [first, second, third], "elsewhere": [first]}, None)
    assert (found.pairs, found.left_out) == (1, 2)
    assert [one.n for one in found.constitutions] == [1, 1, 1]


def test_other_constitutions() -> None:
    question = KIND.comparison_question or ""
    assert question not in blank(KIND)
    assert sorted(shuffled(KIND).split()) == sorted(question.split()) and shuffled(KIND) != question
    assert shuffled(KIND) == shuffled(KIND)
    assert question in inverted(KIND) and "goes against" in inverted(KIND)
    rhyme = Principle(id="r", title="R", comparison_question="Which response rhymes?")
    assert elsewhere([rhyme])(KIND) == "Which response rhymes?"
