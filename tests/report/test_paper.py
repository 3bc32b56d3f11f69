"""What the report says of the paper, of drops and of cost follows from the run's settings and manifests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from report.sample import manifest, sample_data
from solon.artifacts.manifest import Counts
from solon.config.load import load_run_config
from solon.lm.endpoint.spending import Tokens
from solon.report.data import ReportData
from solon.report.html import render_report
from solon.report.run.paper import steps
from solon.report.run.record import costs, losses, run_file, totals


def with_settings(*settings: str, **more: Any) -> ReportData:
    return replace(sample_data(1), config=load_run_config("world", settings), **more)


def told(data: ReportData) -> dict[str, tuple[str, bool]]:
    return {one.what: (one.run, one.follows) for one in steps(data)}


@pytest.mark.parametrize(
    ("what", "other", "as_in_the_paper"),
    [
        ("Rounds of critique and revision", "supervised.rounds=2", "supervised.rounds=4"),
        ("Critique before each revision", "supervised.critique=false", "supervised.critique=true"),
        ("Targets of finetuning", "sft.rounds='last'", "sft.rounds='all'"),
        ("Learning rate of finetuning", "sft.final_share=0.5", "sft.final_share=1"),
        ("Pairs for each red-team prompt", "pairs.per_prompt=2", "pairs.per_prompt=1"),
        ("Principles for each label", "judge.decide='first'", "judge.decide='mean'"),
        ("Order of the two answers", "judge.orders='both'", "judge.orders='random'"),
        ("Words of the question", "judge.wording='solon'", "judge.wording='paper'"),
        ("Clamp of labels", "judge.clamp=[0.4, 0.6]", "judge.method='logprob'"),
        ("Clamp of labels", "preference.clamp=0.6", "preference.clamp=1"),
        ("Labels that the preference model learns from", "preference.labels='hard'", "preference.labels='soft'"),
        ("Reward", "rl.rewards.length=0.1", "rl.rewards.preference=1.0"),
        ("Algorithm", "rl.algorithm='rloo'", "rl.algorithm='ppo'"),
        ("Clip of the policy’s ratio", "rl.clip=0.1", "rl.clip=0.2"),
    ],
)
def test_each_setting_is_held_against_the_paper(what: str, other: str, as_in_the_paper: str) -> None:
    more = ["rl.rewards.length_between=[0, 9]"] if "length" in other else []
    assert told(with_settings(other, *more))[what][1] is False
    assert told(with_settings(as_in_the_paper))[what][1] is True


def test_the_clamp_that_the_paper_has_depends_on_the_reasoning() -> None:
    reasoned = ("judge.method='cot'", "sampling.reasoning.max_new_tokens=9")
    assert told(with_settings(*reasoned))["Clamp of labels"] == ("none", False)
    for clamp in ("judge.clamp=[0.4, 0.6]", "preference.clamp=0.6"):
        assert told(with_settings(*reasoned, clamp))["Clamp of labels"] == ("0.4 to 0.6", True)
    by_dpo = (*reasoned, "alignment='dpo'", "judge.clamp=[0.3, 0.7]")
    assert told(with_settings(*by_dpo, "preference.clamp=0.6"))["Clamp of labels"] == ("0.3 to 0.7", False)
    assert told(with_settings(*by_dpo, "dpo.clamp=0.6"))["Clamp of labels"] == ("0.4 to 0.6", True)


def test_the_paper_has_a_pretrained_model_judge_at_once_and_the_assistant_after_reasoning() -> None:
    reasoned = ("judge.method='cot'", "sampling.reasoning.max_new_tokens=9")
    base, other = "models.base.path='/base'", "models.judge.path='/other'"
    by_base = "models.judge.path='/base'"
    assert told(with_settings(base))["Who judges"] == ("the assistant", False)
    assert told(with_settings(base, by_base))["Who judges"] == ("the base model", True)
    assert told(with_settings(base, other))["Who judges"] == ("a model of its own", False)
    assert told(with_settings(base, *reasoned))["Who judges"] == ("the assistant", True)
    assert told(with_settings(base, by_base, *reasoned))["Who judges"] == ("the base model", False)


def test_what_the_paper_does_not_have_is_named_only_where_it_is() -> None:
    plain = told(with_settings())
    assert not [what for what in plain if what.startswith(("Added", "What learns", "Price"))]
    found = told(with_settings("supervised.gate=true", "rl.monitor.every=3", "rl.monitor.stop=false"))
    assert found["Added to the supervised phase"][0] == "a gate that keeps only revisions that the judge prefers"
    assert found["Added to RL"] == ("a monitor that only watches", False)


def test_dpo_is_no_preference_model() -> None:
    found = told(with_settings("alignment='dpo'"))
    assert found["How the final model is trained"] == ("DPO on the comparisons (2305.18290)", False)
    assert "Algorithm" not in found


def test_temperature_and_way_to_ask_are_those_of_the_manifests() -> None:
    stage = manifest("revisions", 3).model_copy(
        update={
            "config": {
                "sampling.answers": {"temperature": 0.7},
                "sampling.reasoning": {"temperature": 0.2},
                "judge": {"temperature": 2.0},
            },
            "facts": {"asked": "one-turn"},
        }
    )
    found = told(with_settings(manifests=[stage]))
    assert found["Temperature of sampling"] == ("0.7", False)
    assert found["How critiques and revisions are asked for"] == ("one turn", False)


def test_drops_are_told_by_stage_and_reason_with_what_they_are_of() -> None:
    counts = {
        "in": 10,
        "out": 7,
        "dropped": {"identical": 3},
        "other": {"unscored: empty reasoning": 2, "answers written": 9},
    }
    stage = manifest("pairs", 7).model_copy(update={"counts": Counts.model_validate(counts)})
    found = losses(replace(sample_data(7), manifests=[stage]))
    assert [(one.where, one.why, one.n, one.of) for one in found] == [
        ("pairs", "identical", 3, 10),
        ("pairs", "unscored: empty reasoning", 2, None),
        ("labels", "unscored: no option named", 1, 21),
    ]
    assert "every row of every stage got through" in render_report(replace(sample_data(1), manifests=()))


def test_answers_that_a_grader_left_are_counted_by_reason() -> None:
    data = sample_data(3)
    left = [
        row.model_copy(update={"values": None, "unscored": "no words"})
        if (row.model, row.grader) == ("rl", "oracle") and row.item.endswith("-1")
        else row
        for row in data.scores
    ]
    n = sum(row.unscored is not None for row in left)
    of = sum((row.model, row.grader) == ("rl", "oracle") for row in left)
    found = losses(replace(data, scores=left, manifests=()))
    assert n and ("answers of rl", "not graded by oracle: no words", n, of) in [
        (one.where, one.why, one.n, one.of) for one in found
    ]


def test_what_servers_cost_is_told_with_the_prices_of_the_run_file() -> None:
    prices = ("models.judge.path='http://x/v1#y'", "models.judge.engine='endpoint'")
    priced = ("models.judge.endpoint.input_price=2.0", "models.judge.endpoint.output_price=10.0")
    spent = {"judge": Tokens(read=1_000_000, written=100_000)}
    (one,) = costs(with_settings(*prices, *priced, spent=spent))
    assert (one.role, one.read, one.price) == ("judge", 1_000_000, pytest.approx(3.0))
    (free,) = costs(with_settings(*prices, spent=spent))
    assert free.price is None
    assert totals(sample_data(1).manifests).tokens == 360_000
    assert "Server of the judge" in render_report(with_settings(*prices, *priced, spent=spent))


def test_what_looks_like_a_secret_is_not_printed_with_the_run_file() -> None:
    assert ("name", "...") in run_file(load_run_config("world", ["name='api_key=sk-1'"]))
    assert ("name", "mine") in run_file(load_run_config("world", ["name='mine'"]))
