"""What is made of outcomes: figures, differences item by item, ratings; and the files that hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json import dumps
from math import exp
from pathlib import Path
from random import Random
from typing import Any

import pytest

from solon.config.evaluations import AnswersSection, ChoicesSection
from solon.evals.evaluation import evaluations, in_order
from solon.evals.kept import Evaluation, Metric
from solon.evals.published.bbq import scores
from solon.evals.published.bbq_items import read_items
from solon.evals.statistics import mean, paired_difference, rate
from solon.evals.tasks import Outcome, Statistic, outcome, spread
from solon.evals.tasks.answers import refusal_items
from solon.evals.tasks.choices import BBQ, bbq_items


def outcomes(values: Mapping[str, float], *, about: str = "", weight: float | None = None) -> list[Outcome]:
    weights = {} if weight is None else {"m": weight}
    return [outcome("t", name, 0.0, about, values={"m": value}, weights=weights) for name, value in values.items()]


def both(one: Sequence[Outcome], two: Sequence[Outcome], statistic: Statistic) -> tuple[Evaluation, Evaluation]:
    first, second = evaluations({"base": one, "rl": two}, {"m": statistic}, seed=0)
    return first, second


def figures(metric: Metric) -> list[float | None]:
    return [metric.value, metric.low, metric.high]


def test_rates_are_compared_on_the_items_that_both_have() -> None:
    base, rl = both(outcomes({"1": 1, "2": 0, "3": 0}), outcomes({"2": 1, "3": 0, "1": 1, "4": 1}), "rate")
    assert figures(rl.metrics[0]) == list(dict(rate([1, 0, 1, 1])).values())
    (paired,) = rl.paired
    expected = paired_difference([True, False, True], [False, False, True])
    assert (paired.against, paired.n, figures(paired)) == ("base", 3, [*dict(expected).values()][1:])
    assert paired.value == pytest.approx(1 / 3) and base.paired == ()


def test_means_are_compared_by_their_differences() -> None:
    _, rl = both(outcomes({"1": 0.25, "2": 0.5}), outcomes({"1": 0.5, "2": 1.0}), "mean")
    assert figures(rl.paired[0]) == list(dict(mean([0.25, 0.5])).values())


def test_items_about_the_same_are_not_independent() -> None:
    alone = outcomes({"1": 1, "2": 1}) + outcomes({"3": 0, "4": 0})
    together = outcomes({"1": 1, "2": 1}, about="x") + outcomes({"3": 0, "4": 0}, about="y")
    wide, narrow = (next(evaluations({"base": it}, {"m": "rate"}, seed=0)).metrics[0] for it in (together, alone))
    assert wide.value == narrow.value == 0.5
    assert (wide.low or 0) < (narrow.low or 0) and (wide.high or 0) > (narrow.high or 0)


def test_a_ratio_is_of_sums_and_a_perplexity_e_to_it() -> None:
    """(2 + 6) / (1 + 3) = 2, and not the mean of 2 and 2; twice the nats on the same tokens."""
    one = [*outcomes({"1": 2.0}, weight=1.0), *outcomes({"2": 3.0}, weight=3.0)]
    two = [*outcomes({"1": 4.0}, weight=1.0), *outcomes({"2": 6.0}, weight=3.0)]
    base, rl = both(one, two, "ratio")
    assert (base.metrics[0].value, rl.metrics[0].value, rl.paired[0].value) == (1.25, 2.5, 1.25)
    assert rl.paired[0].low == 1.0 and rl.paired[0].high == 2.0  # either item alone
    base, rl = both(one, two, "perplexity")
    assert rl.paired[0].value == pytest.approx(exp(2.5) - exp(1.25))


def test_a_difference_that_is_the_same_everywhere_is_surer_than_the_figures() -> None:
    one = outcomes({str(n): float(n) for n in range(30)}, weight=1.0)
    two = outcomes({str(n): n + 1.0 for n in range(30)}, weight=1.0)
    _, rl = both(one, two, "ratio")
    assert figures(rl.paired[0]) == pytest.approx([1.0, 1.0, 1.0]) and (rl.metrics[0].low or 0) < 14


def test_one_group_alone_has_no_interval_and_no_weight_no_figure() -> None:
    (one,) = evaluations({"base": outcomes({"1": 2.0, "2": 1.0}, about="x", weight=1.0)}, {"m": "ratio"}, seed=0)
    assert figures(one.metrics[0]) == [1.5, None, None]
    assert list(evaluations({"base": outcomes({"1": 0.0}, weight=0.0)}, {"m": "ratio"}, seed=0)) == []


def test_what_has_no_value_is_counted_by_reason() -> None:
    rows = [*outcomes({"1": 1.0}), outcome("t", "2", 0.0, unscored="blank"), outcome("t", "3", 0.0, unscored="blank")]
    (found,) = evaluations({"base": rows}, {"m": "rate"}, seed=0)
    assert (found.metrics[0].n, found.unscored) == (1, {"blank": 2})


def test_a_slice_is_from_all_over_the_file() -> None:
    """Also where kinds take turns."""
    assert spread("abc", 9) == spread("abc", None) == ["a", "b", "c"] and spread("", 3) == []
    found = spread(range(400), 100)
    assert all(one // 4 == place for place, one in enumerate(found)) and found == spread(range(400), 100)
    assert {one % 4 for one in found} == {0, 1, 2, 3}


def test_each_kind_has_its_share_of_a_slice() -> None:
    rows = [(kind, n) for n in range(50) for kind in ("ambig", "disambig")]
    found = spread(rows, 20, lambda row: row[0])
    assert [kind for kind, _ in found].count("ambig") == 10 and found == sorted(found, key=rows.index)
    assert max(n for _, n in found) > 40 > 10 > min(n for _, n in found)


BBQ_ROW: dict[str, Any] = {
    "category": "Age",
    "answer_info": {"ans0": ["gran", "old"], "ans1": ["boy", "nonOld"], "ans2": ["Unknown", "unknown"]},
    "additional_metadata": {"stereotyped_groups": ["old"]},
    "context": "A boy and his gran sat there.",
    "question": "Who forgot it?",
    "ans0": "The gran",
    "ans1": "The boy",
    "ans2": "Unknown",
}


def test_bias_is_that_of_the_authors(tmp_path: Path) -> None:
    """`published.bbq` computes it from counts, here it is a mean and a ratio."""
    rows = [
        {**BBQ_ROW, "example_id": n, "question_index": str(1 + n % 5), "context_condition": condition, "label": label}
        | {"question_polarity": ("neg", "nonneg")[n % 2]}
        for n, (condition, label) in enumerate([("ambig", 2), ("disambig", 0), ("disambig", 1)] * 8)
    ]
    path = tmp_path / "bbq.jsonl"
    path.write_text("".join(dumps(row) + "\n" for row in rows))
    items = read_items(path)
    rng = Random(1)
    chosen = {place: rng.choice([item.target, item.target, *range(3)]) for place, item in enumerate(items)}
    found = []
    for place, item in enumerate(bbq_items(ChoicesSection(), path)):
        values, weights = item.measure([float(option == chosen[place]) for option in range(3)])  # type: ignore[attr-defined]
        found.append(outcome("bbq", str(place), 0.0, values=values, weights=weights))
    (own,) = evaluations({"base": found}, BBQ, seed=0)
    told = {one.name: one.value for one in own.metrics}
    for row in scores(items, chosen).rows:
        assert told[f"accuracy, {row.condition}"] == pytest.approx(row.accuracy)
        assert told[f"bias, {row.condition}"] == pytest.approx(row.score) and row.score


def test_results_are_in_the_order_of_models() -> None:
    metric = Metric(name="m", value=0.5, low=None, high=None, n=1)
    found = {one: Evaluation(name="t", model=one, temperature=0.0, metrics=(metric,)) for one in ("z", "rl", "base")}
    assert list(in_order(found)) == ["base", "rl", "z"]


def test_rows_of_one_id_are_two_items_about_one_prompt(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,prompt,label\n1,Hi?,safe\n1,How?,unsafe\n")
    items = refusal_items(AnswersSection(temperatures=(0.0,)), tmp_path / "x.csv")
    assert [(one.item, one.about) for one in items] == [("1", "1"), ("2", "1")]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="a temperature stands there twice"):
        AnswersSection(temperatures=(1.0, 1))
