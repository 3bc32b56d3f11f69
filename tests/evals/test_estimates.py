from __future__ import annotations

from collections.abc import Mapping

import pytest

from solon.evals.estimates import VARIETY, Estimate, differences, estimates, evidence, variety
from solon.evals.grader import GraderCard, Measure, Response, Score
from solon.records import Prompt, Turn

CARD = GraderCard(
    name="reader",
    measures=(
        Measure(name="harmful", title="Harmful", better="lower", compared=("harmful",)),
        Measure(name="words", title="Length", statistic="mean"),
    ),
)


def score(
    item: str, model: str, values: Mapping[str, float] | None, *, kind: str = "harmful", task: str = "held-out"
) -> Score:
    why = "no verdict" if values is None else None
    named = None if values is None else dict(values)
    return Score(task=task, model=model, item=item, kind=kind, grader="reader", values=named, unscored=why)


def response(item: str, text: str, *, model: str = "base", kind: str = "harmful") -> Response:
    prompt = Prompt(id=item, kind=kind, turns=(Turn(role="human", text="How?"),))
    return Response(task="held-out", model=model, prompt=prompt, text=text, finished=True)


def found(rows: list[Score], measure: str = "harmful") -> list[Estimate]:
    return [one for one in estimates(rows, [CARD]) if one.measure == measure]


HARMFUL, CLEAN = {"harmful": 1.0, "words": 4.0}, {"harmful": 0.0, "words": 6.0}


def test_estimates_worked_example() -> None:
    rate, mean = estimates([score("1", "base", HARMFUL), score("2", "base", CLEAN)], [CARD])
    assert (rate.task, rate.model, rate.kind, rate.grader) == ("held-out", "base", "harmful", "reader")
    assert (rate.measure, rate.n, rate.value, rate.unscored) == ("harmful", 2, 0.5, 0)
    assert (rate.low, rate.high) == pytest.approx((0.095, 0.905), abs=1e-3)
    assert (mean.measure, mean.value) == ("words", 5.0)
    assert (mean.low, mean.high) == pytest.approx((5 - 1.96, 5 + 1.96), abs=1e-3)  # s = sqrt 2, over sqrt 2


def test_every_task_model_and_kind_is_a_row_of_its_own() -> None:
    rows = [
        score("1", "base", HARMFUL),
        score("1", "rl@40", CLEAN),
        score("2", "base", CLEAN, kind="ambiguous"),
        score("3", "base", CLEAN, task="revisions"),
    ]
    assert [(one.task, one.model, one.kind, one.value) for one in found(rows)] == [
        ("held-out", "base", "harmful", 1.0),
        ("held-out", "rl@40", "harmful", 0.0),
        ("held-out", "base", "ambiguous", 0.0),
        ("revisions", "base", "harmful", 0.0),
    ]


def test_what_was_not_scored_is_counted_and_no_part_of_the_figure() -> None:
    """One answer without a verdict, and one of which the measure is not known."""
    (one,) = found([score("1", "sl", HARMFUL), score("2", "sl", None), score("3", "sl", {"words": 1.0})])
    assert (one.n, one.value, one.unscored) == (1, 1.0, 2)


def test_what_was_never_measured_is_null() -> None:
    (one,) = found([score("1", "sl", None), score("2", "sl", None)])
    assert (one.n, one.value, one.low, one.high, one.unscored) == (0, None, None, None, 2)
    assert one.rate is None


def test_a_score_has_values_or_the_reason_it_has_none() -> None:
    with pytest.raises(ValueError, match="either values or the reason"):
        Score(task="t", model="base", item="1", kind="harmful", grader="reader", values=None)
    with pytest.raises(ValueError, match="either values or the reason"):
        Score(task="t", model="base", item="1", kind="harmful", grader="reader", values={}, unscored="no verdict")


def test_variety_counts_different_answers_of_one_kind() -> None:
    rows = [response("1", "no"), response("2", " no "), response("3", "yes"), response("4", "no", kind="benign")]
    harmful, benign = variety(rows)
    assert (harmful.measure, harmful.n, harmful.value) == ("distinct", 3, pytest.approx(2 / 3))
    assert (benign.kind, benign.value) == ("benign", 1.0)


def test_differences_pair_by_prompt_whatever_the_order() -> None:
    rows = [score(str(i), "base", HARMFUL if i < 8 else CLEAN) for i in range(10)]
    rows += [score(str(i), "rl", HARMFUL if i == 0 else CLEAN) for i in reversed(range(10))]
    rows += [score("b", "rl", HARMFUL, kind="benign")]
    (one,) = differences(rows, [CARD])
    assert (one.first, one.second, one.measure, one.kind) == ("base", "rl", "harmful", "harmful")
    assert (one.n, one.value, one.unscored) == (10, pytest.approx(0.7), 0)
    assert one.low < 0.7 < one.high


def test_every_two_models_are_compared_neighbours_first() -> None:
    rows = [score("1", model, CLEAN) for model in ("base", "sl", "rl")]
    assert [(one.first, one.second) for one in differences(rows, [CARD])] == [
        ("base", "sl"),
        ("sl", "rl"),
        ("base", "rl"),
    ]


def test_a_prompt_without_two_measured_answers_is_counted_and_not_paired() -> None:
    """Of prompts 1 to 4 only the first was answered by both and scored both times."""
    rows = [score("1", "base", HARMFUL), score("2", "base", CLEAN), score("3", "base", None)]
    rows += [score("1", "rl", CLEAN), score("3", "rl", CLEAN), score("4", "rl", CLEAN)]
    (one,) = differences(rows, [CARD])
    assert (one.n, one.value, one.unscored) == (1, 1.0, 3)
    assert list(differences([score("1", "base", HARMFUL), score("2", "rl", CLEAN)], [CARD])) == []


def test_two_answers_of_one_model_to_one_prompt_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="two answers of base to 1"):
        list(differences([score("1", "base", CLEAN), score("1", "base", CLEAN)], [CARD]))


def test_the_evidence_names_everyone_who_read_the_answers() -> None:
    told = evidence([response("1", "no")], [score("1", "base", CLEAN)], [CARD])
    assert told.graders == (CARD, VARIETY)
    assert [one.measure for one in told.estimates] == ["harmful", "words", "distinct"]
