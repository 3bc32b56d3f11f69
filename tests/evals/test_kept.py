"""Results of evaluations in a run's folder: figures are found by their form, whoever wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from solon.errors import UserError
from solon.evals.elo import elo
from solon.evals.kept import FOLDER, evaluation_of, figures_in, keep, read_evaluations
from solon.evals.published.gsm8k import GradedAnswer, summed
from solon.evals.published.opinions import Survey, opinions
from solon.evals.published.refusals import Completion
from solon.evals.published.refusals import summed as refusals


def named(result: Any) -> dict[str, tuple[float, int]]:
    return {one.name: (one.value, one.n) for one in figures_in(result.model_dump(mode="json"))}


def test_every_result_tells_its_figures_with_what_they_are_of() -> None:
    answers = [GradedAnswer(id=str(n), completion="", correct=n > 0, extracted="1", expected="1") for n in range(4)]
    assert named(summed(answers)) == {"accuracy": (0.75, 4)}
    rows = [
        Completion(id="1", completion="No.", label="full_refusal", prompt_label="safe"),
        Completion(id="2", completion="Yes.", label="full_compliance", prompt_label="unsafe"),
    ]
    found = named(refusals(rows))
    assert found["by label: safe: full refusal"] == (1.0, 1)
    assert found["shares: full refusal"] == (0.5, 2)
    games: list[Any] = [("sl", "base", "a")] * 3 + [("sl", "base", "b")]
    assert named(elo(games)) == {
        "sl": (pytest.approx(1095.4, abs=0.1), 4),
        "base": (pytest.approx(904.6, abs=0.1), 4),
    }


def test_a_figure_may_lack_an_interval_but_not_a_value() -> None:
    (one,) = figures_in({"groups": [{"group": "all", "n": 1, "likeness": {"mean": 0.5, "low": None, "high": None}}]})
    assert (one.name, one.value, one.low, one.high, one.n) == ("all: likeness", 0.5, None, None, 1)
    rows = [{"category": "Age", "n": 2, "score": None, "score_low": None, "score_high": None}]
    assert figures_in({"rows": rows}) == []
    assert figures_in({"accuracy": {"rate": float("nan"), "low": 0, "high": 1}}) == []
    (score,) = figures_in({"rows": [{"category": "Age", "n": 2, "score": 0.5, "score_low": 0.1, "score_high": 0.9}]})
    assert (score.name, score.low, score.high, score.n) == ("Age: score", 0.1, 0.9, 2)


def test_what_no_figure_counts_is_told_by_reason() -> None:
    accuracy = {"rate": 0.5, "low": 0.1, "high": 0.9}
    result = {"accuracy": accuracy, "lost": {"too long": 2}, "rows": [{"unparsed": 3}, {"unparsed": 1}], "blank": 0}
    assert evaluation_of("x", "rl", result).unscored == {"too long": 2, "unparsed": 4}


def test_what_was_kept_is_read_back_and_what_is_no_result_is_named(tmp_path: Path) -> None:
    result = {"n": 4, "accuracy": {"rate": 0.5, "low": 0.15, "high": 0.85}}
    path = keep(tmp_path, "hhh-rl", evaluation_of("hhh", "rl", result))
    assert path == tmp_path / FOLDER / "hhh-rl.json"
    (path.parent / "alone.json").write_text(json.dumps(result))
    bad = {"cut.json": "{", "list.json": "[]", "none.json": "{}", "deep.json": "[" * 100_000}
    for name, text in bad.items():
        (path.parent / name).write_text(text)
    found, faults = read_evaluations(tmp_path)
    assert {file: (one.name, one.model) for file, one in found.items()} == {
        "alone": ("alone", ""),
        "hhh-rl": ("hhh", "rl"),
    }
    assert found["alone"].metrics == found["hhh-rl"].metrics != ()
    assert sorted(faults) == sorted(bad)
    assert read_evaluations(tmp_path / "nowhere") == ({}, {})


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "a b"])
def test_a_name_is_the_name_of_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="no result can be called"):
        keep(tmp_path, name, evaluation_of("hhh", "rl", {"accuracy": {"rate": 0.5, "low": 0.1, "high": 0.9}}))
    assert list(tmp_path.iterdir()) == []


def test_opinions_of_one_question_are_a_figure_without_an_interval() -> None:
    survey = Survey(text="?", options=("no", "yes"), places=(0.0, 1.0), people={"all": (0.5, 0.5)}, model=None)
    assert named(opinions([survey], [(0.25, 0.75)])) == {"all: representativeness": (0.75, 1)}
