"""What is made of lm-evaluation-harness's samples, and, where it is installed, the harness itself on a task of ours."""

from __future__ import annotations

import json
from math import exp, log
from pathlib import Path
from typing import Any

import pytest

from cli.command import done, solon
from solon.errors import UserError
from solon.evals.evaluation import in_order
from solon.evals.kept import Metric, read_evaluations
from solon.evals.statistics import Z95, paired_difference
from solon.pipeline.harness import harness_evaluations, models_of, no_numbers


def found(metric: str, values: list[Any], told: float, stderr: Any = "N/A") -> dict[str, Any]:
    samples = [
        {"doc_id": place, "metrics": [metric], "filter": "none", metric: value} for place, value in enumerate(values)
    ]
    result = {"alias": "t", f"{metric},none": told, f"{metric}_stderr,none": stderr}
    return {"lm_eval_version": "9", "results": {"t": result}, "samples": {"t": samples}}


def test_models_are_compared_sample_by_sample() -> None:
    base, rl = harness_evaluations(
        {"base": found("acc", [1.0, 0.0, 0.0], 1 / 3), "rl": found("acc", [1.0, 1.0, 0.0], 2 / 3)}, seed=0
    )
    assert (rl.name, rl.model, rl.made_by, rl.temperature) == ("harness-t", "rl", "lm-evaluation-harness 9", None)
    assert (base.metrics[0].name, base.metrics[0].value, base.metrics[0].n) == ("acc", 1 / 3, 3)
    expected = paired_difference([True, True, False], [True, False, False])
    (paired,) = rl.paired
    assert (paired.value, paired.low, paired.high) == (expected.value, expected.low, expected.high)


def test_log_likelihoods_add_up_to_a_perplexity() -> None:
    words = found("word_perplexity", [(-6.0, 2), (-9.0, 3)], exp(15 / 5))
    (one,) = harness_evaluations({"base": words}, seed=0)
    assert one.metrics[0].value == pytest.approx(exp(3)) and one.metrics[0].low is not None
    (one,) = harness_evaluations({"base": found("bits_per_byte", [(-6.0, 4)], 6 / 4 / log(2))}, seed=0)
    assert one.metrics[0].value == pytest.approx(1.5 / log(2))


def test_a_figure_that_is_no_mean_is_the_harness_s_own() -> None:
    base, rl = harness_evaluations(
        {"base": found("f1", [1.0, 0.0], 0.7, 0.1), "rl": found("f1", [1.0, 1.0], 0.9)}, seed=0
    )
    low, high = 0.7 - Z95 * 0.1, 0.7 + Z95 * 0.1
    assert base.metrics == (Metric(name="f1", value=0.7, low=low, high=high, n=2),)
    assert (rl.metrics[0].value, rl.metrics[0].low, rl.paired) == (0.9, None, ())


def test_a_pair_that_is_no_likelihood_is_no_perplexity() -> None:
    (one,) = harness_evaluations({"base": found("span", [(0.0, 2), (1.0, 3)], 0.5)}, seed=0)
    assert (one.metrics[0].value, one.metrics[0].low) == (0.5, None)


def test_a_measure_is_a_mean_if_it_is_one_of_any_model() -> None:
    _, rl = harness_evaluations({"base": found("f", [1.0, 0.0], 0.5), "rl": found("f", [0.5, 0.0], 0.25)}, seed=0)
    assert rl.metrics[0].value == 0.25 and rl.paired[0].value == -0.25


def test_what_is_no_number_is_said_and_no_result() -> None:
    given = {"base": found("acc", [float("nan")], float("nan")), "rl": found("acc", [1.0], 1.0)}
    assert no_numbers(given) == ["base, t: acc,none is nan"]
    assert [one.model for one in harness_evaluations(given, seed=0)] == ["rl"]


def test_a_document_under_two_filters_is_one() -> None:
    given = found("f1", [1.0, 0.0], 0.7)
    given["samples"]["t"] += [{**one, "filter": "strict"} for one in given["samples"]["t"]]
    (one,) = harness_evaluations({"base": given}, seed=0)
    assert one.metrics[0].n == 2


def test_which_models_are_meant(finished: Path, llama: Path, tmp_path: Path) -> None:
    run, models = models_of(finished)
    assert run == finished and list(models) == ["base", "sl", "rl"]
    assert models["base"] == llama and models["rl"] == finished / "models/rl/model"
    assert models_of(models["sl"]) == (finished, {"sl": models["sl"]})
    assert models_of(llama) == (None, {llama.name: llama})
    with pytest.raises(UserError, match="holds neither a run nor a model"):
        models_of(tmp_path)


def test_without_the_harness_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, llama: Path) -> None:
    monkeypatch.setattr("solon.pipeline.harness.find_spec", lambda name: None)
    failed = solon("eval", "harness", "--task", "t", "--model", llama)
    assert (failed.exit_code, failed.stderr) == (
        2,
        "error: lm-evaluation-harness is missing (pip install 'solon[lm-eval]')\n",
    )


TASK = """
task: tiny
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{label}}}}"
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
"""


def test_a_task_of_ours_on_a_runs_models(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline."""
    pytest.importorskip("lm_eval", reason="no lm-evaluation-harness (pip install 'solon[lm-eval]')")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    rows = [{"question": f"Is it {n}?", "choices": [" yes", " no"], "label": n % 2} for n in range(4)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/tiny.yaml").write_text(TASK.format(data=tmp_path / "data.jsonl"))
    asked = ("eval", "harness", "--task", "tiny", "--include", tmp_path / "tasks", "--model", finished)
    printed = done(*asked)
    assert "harness-tiny" in printed and " acc " in printed
    kept = list(in_order(read_evaluations(finished)[0]).values())
    for path in (finished / "evaluations").iterdir():
        path.unlink()  # the run belongs to other tests too
    (finished / "evaluations").rmdir()
    assert [one.model for one in kept] == ["base", "sl", "rl"] and kept[2].paired[0].n == 4
    assert kept[0].made_by.startswith("lm-evaluation-harness 0.4")
    failed = solon(*asked[:3], "other", *asked[4:])
    assert failed.exit_code == 2 and "the harness knows no task 'other'" in failed.stderr
