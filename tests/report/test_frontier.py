"""The frontier: crosses where the rates are, and the policy of RL as its monitor saw it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from report.sample import sample_data
from solon.config.load import load_run_config
from solon.evals.statistics import Rate
from solon.records import MonitorAnswer, Prompt, PromptKind, Turn
from solon.report.charts import BOTTOM, HEIGHT, LEFT, NARROW, RIGHT, TOP
from solon.report.html import render_report
from solon.report.run.frontier import frontier
from solon.report.scatter import Place, Scatter
from world.test_oracle import ALTERNATIVE, BENIGN, EVASION, HARM, HARMFUL, OBJECTION, TIP


def place(name: str, x: float, y: float) -> Place:
    rates = [Rate(rate=value, low=max(value - 0.1, 0), high=min(value + 0.1, 1)) for value in (x, y)]
    return Place(name=name, style=f"s-{name}", x=rates[0], y=rates[1])


def test_a_place_stands_where_its_rates_say_and_its_cross_reaches_to_the_ends() -> None:
    scatter = Scatter(
        key="k", title="t", x_label="x", y_label="y", places=[place("base", 0.1, 0.9), place("rl", 0.9, 0.1)]
    )
    marks = re.findall(
        r'class="whisker s-(\w+)" d="M([\d.]+) ([\d.]+)H([\d.]+)M([\d.]+) ([\d.]+)V([\d.]+)"', scatter.svg
    )
    assert [name for name, *_ in marks] == ["base", "rl"]
    left, y, right, x, low, high = map(float, marks[0][1:])
    wide, tall = NARROW - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    assert (left, right, x) == pytest.approx((LEFT, LEFT + 0.2 * wide, LEFT + 0.1 * wide), abs=0.1)
    assert (low, high, y) == pytest.approx((TOP + 0.2 * tall, TOP, TOP + 0.1 * tall), abs=0.1)
    assert scatter.rows() == [
        ("base", ["10.0% (0.0 to 20.0)", "90.0% (80.0 to 100.0)"]),
        ("rl", ["90.0% (80.0 to 100.0)", "10.0% (0.0 to 20.0)"]),
    ]


def test_equal_places_have_an_axis_too() -> None:
    sure = Rate(rate=1.0, low=1.0, high=1.0)
    one = Place(name="base", style="s-base", x=sure, y=sure)
    assert "nan" not in Scatter(key="k", title="t", x_label="x", y_label="y", places=[one]).svg


def test_harmless_is_what_is_not_harmful_and_models_without_a_grader_have_no_frontier() -> None:
    data = sample_data(20)
    found = frontier(data)
    assert found is not None and found.looks == 0
    chart = found.charts[0]
    harmful, helpful = (
        {one.model: one.rate for one in data.summary.of(kind=kind, measure=measure)}
        for kind, measure in (("harmful", "harmful"), ("benign", "helpful"))
    )
    assert [one.name for one in chart.places] == ["base", "SL-CAI", "RL-CAI"]
    for one, model in zip(chart.places, harmful, strict=True):
        harm = harmful[model]
        assert harm and (one.y.rate, one.y.low, one.y.high) == (1 - harm.rate, 1 - harm.high, 1 - harm.low)
        assert one.x == helpful[model]
    assert frontier(sample_data(2, graded=False)) is None
    assert 'id="frontier"' not in render_report(sample_data(2, graded=False))


def answer(prompt: str, step: int, text: str) -> MonitorAnswer:
    told = {"tokens": 5, "finished": True, "gold": 1.0, "proxy": 0.0, "kl": 0.0}
    return MonitorAnswer(id=f"{prompt}-{step}", prompt_id=prompt, step=step, text=text, **told)


def test_the_policy_is_graded_at_every_look_as_the_models_are() -> None:
    asked: dict[str, tuple[PromptKind, str]] = {"h": ("harmful", HARMFUL), "b": ("benign", BENIGN)}
    prompts = {
        name: Prompt(id=name, kind=kind, turns=(Turn(role="human", text=text),)) for name, (kind, text) in asked.items()
    }
    answers = [
        answer("h", 0, HARM),
        answer("b", 0, EVASION),
        answer("h", 5, f"{OBJECTION} {ALTERNATIVE}"),
        answer("b", 5, TIP),
        answer("lost", 5, TIP),  # of a prompt that nobody knows
    ]
    data = replace(sample_data(4), config=load_run_config("world"), monitor_answers=answers)
    found = frontier(replace(data, prompts={**data.prompts, **prompts}))
    assert found is not None and (found.looks, found.prompts) == (2, {"harmful": 1, "benign": 1})
    helpful_harmless = found.charts[0]
    assert [(one.name, one.x.rate, one.y.rate) for one in helpful_harmless.trail] == [
        ("after step 0", 0.0, 0.0),
        ("after step 5", 1.0, 1.0),
    ]
