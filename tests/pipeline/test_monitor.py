"""A run whose RL is looked at from outside: what it keeps, what it says, and that a kill changes no byte of it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from transformers import GPT2Config, GPT2LMHeadModel

from pipeline.test_learning import asked, tiny_work
from pipeline.tiny_run import data, differing, manifest, rows, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.stage import StageFolder
from solon.config.monitor import MonitorSection
from solon.errors import ConfigError, ModelError, UserError
from solon.evals.summary import read_summary
from solon.models.heads import PreferenceModel
from solon.pipeline.check import check_inputs
from solon.pipeline.inputs import RunInputs
from solon.pipeline.monitoring import split_prompts
from solon.pipeline.stages import rl
from solon.report.console import print_summary
from solon.train.preference import holdout_draw
from solon.train.rollouts import PolicyPrompt
from tiny_models import tiny_tokenizer
from train.keeping import Killed

WATCHED = ("rl.steps=3", "rl.checkpoint_steps=1", "rl.monitor.every=1", "rl.learning_rate=1e-2")
EARLY = [f"{section}.early_stopping.{key}" for section in ("sft", "preference") for key in ("every=1", "holdout=0.4")]
OWN = ("models/rl", "answers-rl", "scores")


@pytest.fixture(scope="module")
def watched(llama: Path, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "watched"
    told = run_in(folder, world_config(llama, *WATCHED), others=OtherRuns.of(folder, [finished]))
    assert told.stages == list(OWN)
    return folder


def test_it_keeps_every_look_and_its_answers(watched: Path) -> None:
    made, checks = manifest(watched, "models/rl"), rows(watched, "models/rl", "checks")
    assert [check["step"] for check in checks] == [0, 1, 2, 3]
    for check in checks:
        answers = rows(watched, "models/rl", "monitor")
        own = [row for row in answers if row["step"] == check["step"]]
        assert len(own) == len(check["gold_of"]) == made.counts.other["kept out for the monitor"] > 1
        assert check["proxy"]["mean"] == pytest.approx(sum(row["proxy"] for row in own) / len(own))
    assert made.counts.rows_in == made.counts.rows_out + len(checks[0]["gold_of"])
    assert made.facts["ending"] == {"best": 0, "stopped": None, "why": None, "kept": 3}


def test_its_prompts_are_asked_by_nobody_else(watched: Path) -> None:
    own = {row["prompt_id"] for row in rows(watched, "models/rl", "monitor")}
    assert own.isdisjoint(row["prompt_id"] for row in rows(watched, "models/rl", "rollouts"))
    assert all(holdout_draw(name, seed=0) < 0.3 for name in own)
    compared = [row["prompt_id"] for stage in ("comparisons", "helpfulness") for row in rows(watched, stage)]
    held_out = manifest(watched, "models/pm").counts.other["held out"]
    assert sum(holdout_draw(name, seed=0) < 0.3 for name in compared) >= held_out


def test_what_it_saw_is_told(watched: Path, finished: Path) -> None:
    summary, plain = (read_summary(folder / "summary.json") for folder in (watched, finished))
    assert summary.monitor is not None and summary.monitor.gold == "oracle" and len(summary.monitor.checks) == 4
    assert plain.monitor is None and "monitor" not in json.loads((finished / "summary.json").read_bytes())
    page, other = ((folder / "report.html").read_text(encoding="utf-8") for folder in (watched, finished))
    assert "Watched from outside" in page and 'aria-describedby="monitor-gold-table"' in page
    assert "Watched from outside" not in other
    console = Console(file=io.StringIO(), width=400)
    print_summary(summary, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    n = len(summary.monitor.checks[0].gold_of)
    assert f"Monitor: Gold (answers without fault, by the oracle) on {n} prompts that neither RL" in said
    assert "RL made its 3 steps" in said


class _Dying(StageFolder):
    """Killed when it would keep a file of this name for the first time."""

    name_of_death = ""

    def write_bytes(self, name: str, data: bytes) -> None:
        if name == _Dying.name_of_death:
            _Dying.name_of_death = ""
            raise Killed
        super().write_bytes(name, data)


@pytest.mark.parametrize("name", ["monitor-00000.jsonl", "monitor-00002.jsonl", "checks.jsonl", "rollouts-00003.jsonl"])
def test_killed_and_resumed_it_has_the_same_bytes(
    name: str, llama: Path, watched: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, config = tmp_path / "run", world_config(llama, *WATCHED)
    monkeypatch.setattr("solon.pipeline.run.StageFolder", _Dying)
    monkeypatch.setattr(_Dying, "name_of_death", name)
    with pytest.raises(Killed):
        run_in(folder, config, others=OtherRuns.of(folder, [finished]))
    assert run_in(folder, config, others=OtherRuns.of(folder, [finished])).stages == list(OWN)
    assert differing(data(watched), data(folder)) == []


def test_trainings_that_stop_early_end_with_the_same_bytes_too(
    llama: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, others = world_config(llama, *EARLY), OtherRuns(found=(finished,))
    told = run_in(tmp_path / "whole", config, until="pm", others=others)
    monkeypatch.setattr("solon.pipeline.run.StageFolder", _Dying)
    monkeypatch.setattr(_Dying, "name_of_death", "steps.jsonl")
    with pytest.raises(Killed):
        run_in(tmp_path / "killed", config, until="pm", others=others)
    run_in(tmp_path / "killed", config, until="pm")
    for stage in ("models/sl", "models/pm"):
        one, other = (manifest(tmp_path / run, stage) for run in ("whole", "killed"))
        assert one.outputs == other.outputs and one.facts == other.facts and one.counts == other.counts
        kept = one.counts.other["kept out for early stopping"]
        assert kept > 0 and "checks.jsonl" in one.outputs and one.facts["ending"]
        assert told.rows[stage] <= told.totals[stage] == 2 * (one.counts.rows_out - kept)  # type: ignore[operator]


PROMPTS = [asked(f"p{n}", f"Question {n}?", "benign" if n % 2 else "harmful") for n in range(24)]


def _judged(folder: Path, *settings: str) -> list[dict[str, Any]]:
    with tiny_work(folder, rl, PROMPTS, 2048, "rl.monitor.every=1", "rl.learning_rate=0.1", *settings) as work:
        work.folder.finish(**rl.body(work) or {})
    return rows(folder / "run", "models/rl", "checks")


def test_a_judge_compares_answers_with_those_from_before_rl(tmp_path: Path) -> None:
    start, *later = _judged(tmp_path, "rl.monitor.gold=judge")
    assert set(start["gold_of"]) == {0.5}, "every answer beside itself"
    answers = rows(tmp_path / "run", "models/rl", "monitor")
    first = {row["id"]: row["text"] for row in answers if row["step"] == 0}
    changed = [row for row in answers if row["text"] != first[row["id"]]]
    assert changed and all(0 < row["gold"] < 1 and row["gold"] != 0.5 for row in changed)
    assert {row["gold"] for row in answers if row not in changed} == {0.5}
    assert later[-1]["unmeasured"] == 0 and later[-1]["evasion"] is not None


def test_a_judge_reads_the_answers_from_before_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy that gave them is gone when the run goes on."""
    settings = ("rl.monitor.gold=judge", "rl.checkpoint_steps=1", "rl.steps=3", "rl.monitor.every=1")
    _judged(tmp_path / "whole", *settings)
    with tiny_work(tmp_path / "killed", rl, PROMPTS, 2048, "rl.learning_rate=0.1", *settings) as work:
        with pytest.raises(Killed), monkeypatch.context() as patched:
            patched.setattr(work.folder, "write_bytes", _dying(work.folder, "rollouts-00003.jsonl"))
            rl.body(work)
        again = replace(work, folder=StageFolder.reopen(work.folder.run, "models/rl"))
        again.folder.finish(**rl.body(again) or {})
    one, other = (manifest(tmp_path / name / "run", "models/rl") for name in ("whole", "killed"))
    assert one.outputs == other.outputs and one.counts == other.counts


def _dying(folder: StageFolder, name: str) -> Callable[[str, bytes], None]:
    write = folder.write_bytes

    def dying(file: str, content: bytes) -> None:
        if file == name:
            raise Killed
        write(file, content)

    return dying


def test_another_preference_model_measures_by_its_scores(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    torch.manual_seed(3)
    shape = {"n_positions": 64, "n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": len(tokenizer)}
    PreferenceModel(GPT2LMHeadModel(GPT2Config(**shape)).eval(), seed=5).save(tmp_path / "other", tokenizer)
    checks = _judged(tmp_path, "rl.monitor.gold=model", f"rl.monitor.model={tmp_path / 'other'}")
    assert len({*checks[0]["gold_of"]}) > 1 and checks[0]["gold_of"] != checks[-1]["gold_of"]
    assert checks[0]["gold"] != checks[0]["proxy"]
    assert any(name.startswith("monitor/") for name in _inputs(tmp_path))


def _inputs(folder: Path) -> Iterable[str]:
    config = world_config(folder / "sl", "rl.monitor.gold=model", f"rl.monitor.model={folder / 'other'}")
    return rl.inputs_given(RunInputs(config))


def test_the_reward_itself_is_no_measure_from_outside(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        _judged(tmp_path, "rl.monitor.gold=model", f"rl.monitor.model={tmp_path / 'pm'}")
    assert str(raised.value) == (
        f"{tmp_path / 'pm'}: rl.monitor.model is a preference model that the reward uses, so the two could never part "
        "(give one of another run)"
    )


def test_inputs_of_the_monitor_are_checked_before_a_run(llama: Path, tmp_path: Path) -> None:
    judge = "rl.monitor.gold=judge"
    for settings, said in (
        (
            ["rl.monitor.gold=model", f"rl.monitor.model={tmp_path / 'none'}"],
            f"{tmp_path / 'none'}: no such model folder",
        ),
        (
            [judge, "rl.monitor.principle=civill"],
            "rl.monitor.principle names `civill`, which has no comparison question (did you mean `civil`?)",
        ),
        (
            [judge, "rl.monitor.principle=civil"],
            "rl.monitor.principle names `civil`, by which the reward's labels are given (leave it out of "
            "constitution.comparison, or name none, which asks for the constitution as a whole)",
        ),
    ):
        with pytest.raises(UserError) as raised:
            check_inputs(world_config(llama, *settings))
        assert str(raised.value).startswith(said)
    check_inputs(world_config(llama, judge, "rl.monitor.principle=civil", 'constitution.comparison=["frank"]'))


def test_too_few_prompts_are_told() -> None:
    prompts = [PolicyPrompt(id=f"p{n}", text="?") for n in range(4)]
    with pytest.raises(ConfigError) as raised:
        split_prompts(prompts, MonitorSection(), 1e-9, seed=0)
    said = "rl.monitor asks 0 of 4 prompts, RL the other 4 (change preference.holdout, or give more prompts)"
    assert str(raised.value) == said
    with pytest.raises(ConfigError, match="asks 4 of 4 prompts, RL the other 0"):
        split_prompts(prompts, MonitorSection(), 1.0, seed=0)
    others, own = split_prompts(prompts, MonitorSection(prompts=2), 1.0, seed=0)
    assert len(others) == len(own) == 2
    assert max(holdout_draw(one.id, seed=0) for one in own) < min(holdout_draw(one.id, seed=0) for one in others)
    assert split_prompts(prompts, None, 0.5, seed=0) == (prompts, [])
