"""Runs whose reward is more than the preference model, or another: what they make, say, depend on, and refuse."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from pipeline.tiny_run import FOLDERS, data, differing, manifest, rows, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.errors import EngineError, UnscoredError, UserError
from solon.evals.lexical import preachy_share
from solon.evals.summary import read_summary
from solon.lm.engines.local import LocalModel
from solon.lm.protocols import OptionScores
from solon.models.heads import PreferenceModel
from solon.models.load import load_tokenizer
from solon.pipeline.check import check_inputs
from solon.pipeline.inputs import RunInputs
from solon.prompting.chat_template import dialogue_format
from solon.records import Prompt
from solon.train.preference import scores, sequence_tokens
from tiny_models import END, PAD, TEXT, tiny_model, tiny_model_folder

JUDGED = ("rl.rewards.preference=0", "rl.rewards.judge=1", "rl.samples_per_prompt=3", "rl.batch_size=6")
OWN = ("models/rl", "answers-rl", "scores")


def other_tokenizer() -> PreTrainedTokenizerFast:
    """Cuts texts into other pieces than `tiny_tokenizer`, and writes dialogues otherwise."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special: Any = [END, PAD]
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet)
    bpe.train_from_iterator(TEXT[:1], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=END, pad_token=PAD)
    tokenizer.chat_template = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}" + END + "{% endfor %}"
    tokenizer.chat_template += "{% if add_generation_prompt %}[assistant] {% endif %}"
    return tokenizer


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A preference model of another tokenizer and another dialogue format than the runs'."""
    folder = tmp_path_factory.mktemp("foreign") / "pm"
    PreferenceModel(tiny_model(seed=7)).save(folder, other_tokenizer())
    return folder


@pytest.fixture(scope="module")
def judged(llama: Path, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The judge alone rewards; all stages before are those of the run with a preference model."""
    folder = tmp_path_factory.mktemp("judged") / "run"
    told = run_in(folder, world_config(llama, *JUDGED), others=OtherRuns.of(folder, [finished]))
    assert told.stages == list(OWN)
    return folder


def test_with_the_judge_as_the_reward_there_is_no_preference_model(judged: Path) -> None:
    made = {path.parent.relative_to(judged).as_posix() for path in judged.rglob("manifest.json")}
    assert made == {*FOLDERS} - {"models/pm"}
    found = manifest(judged, "models/rl")
    assert {"sl", "comparison_principles", "judge/model.safetensors"} < found.inputs.keys() and "pm" not in found.inputs
    assert found.config["rl.rewards"] == {"judge": 1.0, "preference": 0.0}
    assert found.config["judge"] == {"clamp": None, "method": "logprob", "orders": "random"}
    assert set(found.facts["engines"]) == {"judge"}  # type: ignore[arg-type]
    assert found.counts.other["comparisons by the judge"] <= 2 * 2 * 3


def test_what_the_judge_says_is_in_records_curves_and_report(judged: Path) -> None:
    sampled, steps = rows(judged, "models/rl", "rollouts"), rows(judged, "models/rl", "steps")
    first = steps[0]["terms"]["judge"]
    assert first["mean"] == pytest.approx(0.5) and first["std"] > 0
    for row in sampled:
        assert row["preference_score"] == pytest.approx((row["terms"]["judge"] - 0.5) / first["std"], abs=1e-4)
    summary = read_summary(judged / "summary.json")
    assert summary.rl is not None and summary.preference_model is None
    assert [set(step.terms) for step in summary.rl.steps] == [{"judge"}] * 2
    page = (judged / "report.html").read_text(encoding="utf-8")
    assert "Reward: judge" in page and "each times its weight (judge)" in page
    assert "these labels measure the judge" in page and "The preference model rewards" not in page


def test_the_judge_s_rewards_begin_anew_to_the_same_bytes(judged: Path, llama: Path, tmp_path: Path) -> None:
    run_in(tmp_path / "run", world_config(llama, *JUDGED))
    assert differing(data(judged), data(tmp_path / "run")) == []


def test_a_default_run_knows_nothing_of_terms(finished: Path) -> None:
    """Its manifest is what it was, so that stages of older runs are still taken over."""
    found = manifest(finished, "models/rl")
    assert set(found.config) == {"rl", "rl.prompt_weights", "sampling.max_new_tokens", "models"}
    assert "rewards" not in json.dumps(found.config)
    assert not any("terms" in row for file in ("rollouts", "steps") for row in rows(finished, "models/rl", file))
    assert "terms" not in (finished / "summary.json").read_text()


def test_every_term_at_once(llama: Path, finished: Path, foreign: Path, tmp_path: Path) -> None:
    """Of the first step all can be told again from the rollouts."""
    texts = ("length=0.1", "length_between=[0, 4]", "repetition=2", "openings=2", "preaching=2", "evasiveness=2")
    settings = [f"rl.rewards.{key}" for key in (f"models.other.path={foreign}", "models.other.weight=0.5", *texts)]
    config = world_config(llama, *settings)
    run_in(tmp_path / "run", config, until="rl", others=OtherRuns.of(tmp_path / "run", [finished]))
    found = manifest(tmp_path / "run", "models/rl")
    assert {"rl.rewards.models.other/config.json", "rl.rewards.models.other/model.safetensors"} < found.inputs.keys()
    assert str(foreign) not in json.dumps(found.config)
    sampled = [row for row in rows(tmp_path / "run", "models/rl", "rollouts") if row["step"] == 1]
    prompts = {row["id"]: Prompt.model_validate(row) for row in _prompts(finished)}
    for name, said in (
        ("preference", _scores(finished / "models/pm/model", sampled, prompts)),
        ("models.other", _scores(foreign, sampled, prompts)),
    ):
        assert [row["terms"][name] for row in sampled] == pytest.approx(said, abs=1e-4), name
    for row in sampled:
        assert row["terms"]["length"] == min(0, 4 - row["tokens"])
        assert row["terms"]["preaching"] == -preachy_share(row["text"])
        assert set(row["terms"]) == {
            *("preference", "models.other", "length", "repetition", "openings", "preaching", "evasiveness")
        }
    (step,) = (row for row in rows(tmp_path / "run", "models/rl", "steps") if row["step"] == 1)
    weights = {"preference": 1.0, "models.other": 0.5, "length": 0.1}
    for row in sampled:
        total = sum(
            weights.get(name, 2.0) * ((score - step["terms"][name]["mean"]) / step["terms"][name]["std"])
            if name in ("preference", "models.other")
            else weights.get(name, 2.0) * score
            for name, score in row["terms"].items()
        )
        assert row["preference_score"] == pytest.approx(total, abs=1e-4)


def _prompts(run: Path) -> list[dict[str, Any]]:
    return [row for name in ("prompts-red-team", "prompts-helpful") for row in rows(run, "prompts", name)]


def _scores(folder: Path, sampled: Sequence[dict[str, Any]], prompts: dict[str, Prompt]) -> list[float]:
    model = PreferenceModel.load(folder, dtype=torch.float32, device="cpu")
    tokenizer = load_tokenizer(folder)
    format = dialogue_format(tokenizer, "auto")
    read = [
        sequence_tokens(tokenizer, format.prompt(prompts[row["prompt_id"]].turns), format.answer(row["text"]))
        for row in sampled
    ]
    return scores(model, read, pad_id=1)


def test_ppo_without_a_preference_model_begins_its_values_from_sl_cai(
    llama: Path, finished: Path, tmp_path: Path
) -> None:
    others = OtherRuns.of(tmp_path / "run", [finished])
    run_in(tmp_path / "run", world_config(llama, *JUDGED, "rl.algorithm=ppo"), until="rl", others=others)
    assert len(rows(tmp_path / "run", "models/rl", "steps")) == 2


def test_verdicts_that_cannot_be_read_are_counted_and_too_many_end_the_stage(
    llama: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = LocalModel.score, Counter[str]()

    async def garbled(self: LocalModel, *args: Any) -> OptionScores:
        asked["all"] += 1
        if asked["all"] % 3 == 0:
            asked["lost"] += 1
            raise EngineError("garbled")
        return await real(self, *args)

    monkeypatch.setattr(LocalModel, "score", garbled)
    others = OtherRuns.of(tmp_path / "run", [finished])
    with pytest.raises(UnscoredError, match=r"judge\.max_unscored"):
        run_in(tmp_path / "run", world_config(llama, *JUDGED), until="rl", others=others)
    asked.clear()
    run_in(tmp_path / "run", world_config(llama, *JUDGED, "judge.max_unscored=1"), until="rl")
    counts = manifest(tmp_path / "run", "models/rl").counts.other
    assert counts["comparisons by the judge"] == asked["all"]
    assert counts[f"unscored: {EngineError.reason}"] == asked["lost"] > 0


@pytest.mark.parametrize(
    ("folder", "fault"),
    [
        (
            "nothing",
            "{}: no such model folder (give a folder on this machine, or OWNER/NAME of a model on the Hugging ",
        ),
        ("llama", "{}: holds no preference model (give a folder that a run's preference stage wrote, e.g. "),
    ],
)
def test_what_is_no_preference_model_is_found_before_the_run(
    llama: Path, tmp_path: Path, folder: str, fault: str
) -> None:
    path = tiny_model_folder(tmp_path) if folder == "llama" else tmp_path / folder
    with pytest.raises(UserError) as raised:
        check_inputs(world_config(llama, f"rl.rewards.models.other.path={path}"))
    assert str(raised.value).startswith(fault.format(path))
    check_inputs(world_config(llama, f"rl.rewards.models.other.path={path}", "rl.rewards.models.other.weight=0"))


def test_another_preference_model_at_the_same_place_is_another_run(llama: Path, finished: Path, tmp_path: Path) -> None:
    def fingerprint(seed: int) -> dict[str, str]:
        PreferenceModel(tiny_model(seed=seed)).save(tmp_path / "pm", other_tokenizer())
        config = world_config(llama, f"rl.rewards.models.other.path={tmp_path / 'pm'}")
        return RunInputs(config).reward_texts()

    one, other = fingerprint(1), fingerprint(2)
    assert "rl.rewards.models.other/model.safetensors" in {name for name in one if one[name] != other[name]}
    assert one["rl.rewards.models.other/tokenizer.json"] == other["rl.rewards.models.other/tokenizer.json"]
