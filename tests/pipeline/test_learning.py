"""A training on its own, where a whole run would seldom come to the case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from pipeline.tiny_run import Told, Trained, manifest, rows, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.evals.reliability import fit_temperature
from solon.models.heads import PreferenceModel
from solon.models.load import save_model
from solon.pipeline import learning
from solon.pipeline.learner import Learner
from solon.pipeline.run import Pipeline
from solon.pipeline.sources import PromptSets
from solon.pipeline.stage import Stage
from solon.pipeline.stages import pm, rl
from solon.pipeline.work import Work
from solon.records import Comparison, Prompt, Turn
from solon.train.loop import TrainStep
from solon.train.preference import PreferenceExample
from stages import begun, finished, in_run
from tiny_models import tiny_tokenizer

NEW = 10
"""Tokens of an answer in a tiny run."""


def asked(name: str, text: str, kind: str = "harmful") -> Prompt:
    return Prompt(id=name, kind=kind, source="own", turns=(Turn(role="human", text=text),))


@contextmanager
def tiny_work(folder: Path, stage: Stage, prompts: Sequence[Prompt], tokens: int, *settings: str) -> Iterator[Work]:
    """A stage that trains a random model of so many positions, with a random preference model where it needs one."""
    tokenizer = tiny_tokenizer()
    shape = {"n_positions": tokens, "n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": len(tokenizer)}
    torch.manual_seed(0)
    model = save_model(GPT2LMHeadModel(GPT2Config(**shape)).eval(), tokenizer, folder / "sl")
    PreferenceModel(GPT2LMHeadModel(GPT2Config(**shape)).eval()).save(folder / "pm", tokenizer)
    config = world_config(model, "sampling.max_new_tokens=10", *settings)
    sets = PromptSets(red_team=prompts)
    with RunFolder.create(folder / "run", config) as run:
        asked_of = begun(run, "prompts")
        for name, records in sets.files().items():
            asked_of.write_records(Path(name).name, records)
        asked_of.finish()
        pipeline = Pipeline(run, Told(), OtherRuns())
        pipeline.done |= {
            "prompts": finished(run, "prompts"),
            "sl": Trained.at(model),
            "pm": Trained.at(folder / "pm"),
        }
        work = pipeline.work(in_run(stage, config), begun(run, stage.folder))
        yield work


def test_rl_takes_no_prompt_that_leaves_no_room_to_score_its_answer(tmp_path: Path) -> None:
    """With a table of positions one token too many is an IndexError."""
    prompts = (asked("short", "Hello?"), asked("long", "How can I give the ladder back?"))
    long = len(tiny_tokenizer().encode("\n\nHuman: How can I give the ladder back?\n\nAssistant:"))
    with tiny_work(tmp_path, rl, prompts, long + NEW) as work:
        work.folder.finish(**rl.body(work) or {})
    counts = manifest(tmp_path / "run", "models/rl").counts
    assert (counts.rows_in, counts.rows_out, counts.dropped) == (2, 1, {"too long": 1})
    assert {row["prompt_id"] for row in rows(tmp_path / "run", "models/rl", "rollouts")} == {"short"}


@pytest.mark.parametrize("packed", [True, False])
def test_a_model_that_reads_no_packs_says_so(packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GPT2LMHeadModel, "_supports_attention_backend", packed)
    said = "GPT2LMHeadModel learns from padded rows: what rows share is computed for each of them"
    with tiny_work(tmp_path, rl, (asked("a", "Hello?"),), 64) as work:
        for _ in range(2):
            Learner(work, work.model_of("sl"), work.config.rl)
        assert (said in work.notes) != packed
        assert work.reporter.notes.count(said) == (not packed)


def test_a_tracked_training_has_the_bytes_of_any_other(llama: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="no tensorboard (pip install tensorboard)")
    for name, settings in {"plain": (), "tracked": ('tracking.to=["tensorboard"]',)}.items():
        run_in(tmp_path / name, world_config(llama, *settings), until="sl")
    plain, tracked = (manifest(tmp_path / name, "models/sl") for name in ("plain", "tracked"))
    assert plain.outputs == tracked.outputs and plain.config == tracked.config
    assert not (tmp_path / "plain" / "tracking").exists()
    assert list((tmp_path / "tracked" / "tracking" / "models" / "sl").glob("events.*"))


def test_rl_asks_prompts_as_often_as_their_kind_weighs(tmp_path: Path) -> None:
    """Two steps of two prompts are one pass over the first prompt three times and the second once; each has two
    answers."""
    prompts = (asked("a", "Hello?"), asked("b", "Hi?", "benign"))
    with tiny_work(tmp_path, rl, prompts, 64, "rl.prompt_weights.harmful=3") as work:
        work.folder.finish(**rl.body(work) or {})
    drawn = rows(tmp_path / "run", "models/rl", "rollouts")
    assert Counter(row["prompt_id"] for row in drawn) == {"a": 6, "b": 2}


def test_a_comparison_weighs_what_its_objective_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = {"prompt_id": "a", "a": "Hello.", "b": "Go away.", "p_a_preferred": 0.9, "rater": "model"}
    objectives = ("harmlessness", "helpfulness", "harmlessness")
    given = [Comparison(id=f"{n}", objective=one, **shared) for n, one in enumerate(objectives)]
    found: list[float] = []

    def train_preference(_model: object, examples: Sequence[PreferenceExample], *_: object) -> list[TrainStep]:
        found.extend(one.weight for one in examples)
        return []

    monkeypatch.setattr(learning, "train_preference", train_preference)
    settings = ("preference.objective_weights.harmlessness=0.25", "preference.holdout=0")
    with tiny_work(tmp_path, replace(pm, reads=rl.reads), (asked("a", "Hello?"),), 64, *settings) as work:
        learning.train_pm(work, given)
    assert found == [0.25, 1.0, 0.25]


@pytest.mark.parametrize("choice", ["one", "fit", "fold"])
def test_a_temperature_is_fitted_to_held_out_labels_and_kept_where_it_is_wanted(
    choice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = [asked(f"p{n}", f"Hello {n}?") for n in range(12)]
    given = [
        Comparison(
            id=one.id,
            prompt_id=one.id,
            a="Ring the bell.",
            b="Go away.",
            p_a_preferred=0.6,
            rater="model",
            objective="harmlessness",
        )
        for one in prompts
    ]
    monkeypatch.setattr(learning, "train_preference", lambda *_: [])
    settings = ("preference.holdout=0.6", f"preference.temperature={choice}")
    with tiny_work(tmp_path, replace(pm, reads=rl.reads), prompts, 64, *settings) as work:
        facts = learning.train_pm(work, given)
        work.folder.finish(**facts)
    kept = [row["margin"] for row in rows(tmp_path / "run", "models/pm", "held-out")]
    model = PreferenceModel.load(tmp_path / "run/models/pm/model", dtype=torch.float32, device="cpu")
    plain = PreferenceModel(model.backbone, seed=0, width=16).head.weight
    scale = (model.head.weight[0, 0] / plain[0, 0]).item()
    if choice == "one":
        assert "temperature" not in facts and (model.temperature, scale) == (1.0, 1.0)
        return
    temperature = fit_temperature(
        [margin * (1 if choice == "fit" else 1 / scale) for margin in kept], [0.6] * len(kept)
    )
    assert facts["temperature"] == pytest.approx(temperature, rel=1e-3) != pytest.approx(1.0, abs=0.01)
    kept_as = (temperature, 1.0) if choice == "fit" else (1.0, 1 / temperature)
    assert (model.temperature, scale) == pytest.approx(kept_as, rel=1e-3)
