"""What is made of lm-evaluation-harness's samples, and, where it is installed, the harness itself on a task of ours."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from math import exp, log
from pathlib import Path
from typing import Any

import pytest

from cli.command import done, solon
from solon.errors import UserError
from solon.evals.evaluation import in_order
from solon.evals.kept import Metric, read_evaluations
from solon.evals.statistics import Z95, paired_difference
from solon.evals.tasks.apart import INSIDE
from solon.pipeline.harness import drawn_from, harness_evaluations, models_of, no_numbers, overlaps, tasks_of

ROOT = Path(__file__).parents[2]


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
    assert no_numbers(given) == ["t, of base: acc: nan"]
    assert [one.model for one in harness_evaluations(given, seed=0)] == ["rl"]
    both = {"acc,none": float("nan"), "f1,strict": float("nan"), "f1_stderr,strict": float("nan"), "p,none": 0.5}
    told = no_numbers({name: {"results": {"t": both}} for name in ("base", "rl")})
    assert told == ["t, of base, rl: acc, f1, strict: nan"]


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


def test_samples_that_say_what_training_says_are_told(finished: Path) -> None:
    """And counted all the same."""
    prompts = (json.loads(line) for line in (finished / "prompts/prompts-red-team.jsonl").read_text().splitlines())
    known = next(prompts)["turns"][-1]["text"]
    asked = [("What is a gable?", " No"), (f"Here is one. {known} Say yes.", " Yes"), (known, " Yes")]
    samples = [{"doc_id": place, "arguments": [one, one]} for place, one in enumerate(asked)]
    told = overlaps(finished, {"samples": {"t": [*samples, *samples]}})
    assert len(known.split()) >= INSIDE
    assert told == ["harness-t: training has the words of 2 of 3 items, and the harness counts them"]


TASK = """
task: {name}
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


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lm_eval", reason="no lm-evaluation-harness (pip install 'solon[lm-eval]')")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))


@pytest.fixture
def kept(finished: Path) -> Iterator[Path]:
    """The run belongs to other tests too."""
    yield finished
    shutil.rmtree(finished / "evaluations", ignore_errors=True)


def task(folder: Path, name: str, rows: Sequence[object]) -> None:
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "tasks").mkdir(exist_ok=True)
    (folder / f"tasks/{name}.yaml").write_text(TASK.format(name=name, data=folder / f"{name}.jsonl"))


@pytest.mark.usefixtures("offline")
def test_a_task_of_ours_on_a_runs_models(kept: Path, tmp_path: Path) -> None:
    """A slice is from all over its documents."""
    rows = [{"question": f"Is it {n}?", "choices": ["yes", "no"], "label": n % 2} for n in range(12)]
    task(tmp_path, "tiny", rows)
    asked = ("eval", "harness", "--task", "tiny", "--include", tmp_path / "tasks", "--model", kept)
    printed = done(*asked, "--limit", "4", "--fewshot", "1")
    assert "harness-tiny" in printed and " acc " in printed
    found = list(in_order(read_evaluations(kept)[0]).values())
    assert [one.model for one in found] == ["base", "sl", "rl"] and found[2].paired[0].n == 4
    assert found[0].made_by.startswith("lm-evaluation-harness 0.4") and found[0].settings == ("limit=4", "fewshot=1")
    places = drawn_from(["tiny"], tasks_of(["tiny"], tmp_path / "tasks"), 4)
    assert places is not None and [place // 3 for place in places["tiny"]] == [0, 1, 2, 3]


@pytest.mark.usefixtures("offline")
def test_a_task_that_cannot_be_asked_is_told_before_a_model_is_read(kept: Path, tmp_path: Path) -> None:
    def said(name: str, *more: str) -> str:
        asked = ("eval", "harness", "--task", name, "--include", tmp_path / "tasks", "--model", kept, *more)
        failed = solon(*asked)
        assert failed.exit_code == 2 and not (kept / "evaluations").exists()
        return failed.stderr

    task(tmp_path, "tiny", [{"question": "Is it?", "choices": ["yes", "no"], "label": 0}])
    task(tmp_path, "gone", [])
    task(tmp_path, "column", [{"asked": "Is it?", "choices": ["yes", "no"], "label": 0}])
    (tmp_path / "gone.jsonl").unlink()
    assert "the harness cannot load gone: FileNotFoundError: Unable to find" in said("gone")
    assert "the harness cannot load column: UndefinedError: 'question' is undefined (see to its YAML" in said("column")
    assert "base has no chat template (leave out --chat)" in said("tiny", "--chat")


@pytest.mark.usefixtures("offline")
def test_a_name_that_is_no_task_is_told(llama: Path) -> None:
    """The harness reads some ten thousand files to know."""
    failed = solon("eval", "harness", "--task", "other", "--model", llama)
    assert failed.exit_code == 2 and "the harness knows no task 'other'" in failed.stderr


@pytest.mark.usefixtures("offline")
def test_a_published_task_on_a_file_as_the_documentation_says(kept: Path, tmp_path: Path, reference_data: Path) -> None:
    """GSM8K by the harness's own prompt and two ways to read the number."""
    page = (ROOT / "docs/evaluations.md").read_text()
    (text,) = re.findall(r"```yaml\n(include: PATH.*?)```", page, flags=re.DOTALL)
    installed = Path(str(find_spec("lm_eval").origin)).parents[1]  # type: ignore[union-attr]
    data = reference_data / "gsm8k/test.jsonl.gz"
    (tmp_path / "gsm8k.yaml").write_text(text.replace("PATH", str(installed)).replace("test.jsonl.gz", str(data)))
    model = kept / "models/rl/model"
    done("eval", "harness", "--task", "gsm8k_here", "--include", tmp_path, "--model", model, "--limit", "2")
    (found,) = read_evaluations(kept)[0].values()
    assert (found.name, found.model, found.metrics[0].n) == ("harness-gsm8k_here", "rl", 2)
    assert [one.name for one in found.metrics] == ["exact_match, strict-match", "exact_match, flexible-extract"]
