"""A training on its own, where a whole run would seldom come to the case."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from pipeline.tiny_run import Told, Trained, manifest, rows, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.models.heads import PreferenceModel
from solon.models.load import save_model
from solon.pipeline.run import Pipeline
from solon.pipeline.sources import PromptSets
from solon.pipeline.stages import rl
from solon.records import Prompt, Turn
from stages import begun, finished
from tiny_models import tiny_tokenizer

NEW = 10
"""Tokens of an answer in a tiny run."""


def asked(name: str, text: str) -> Prompt:
    return Prompt(id=name, kind="harmful", source="own", turns=(Turn(role="human", text=text),))


def test_rl_takes_no_prompt_that_leaves_no_room_to_score_its_answer(tmp_path: Path) -> None:
    """With a table of positions one token too many is an IndexError."""
    tokenizer, prompts = tiny_tokenizer(), (asked("short", "Hello?"), asked("long", "How can I give the ladder back?"))
    long = len(tokenizer.encode("\n\nHuman: How can I give the ladder back?\n\nAssistant:"))
    shape = {"n_positions": long + NEW, "n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": len(tokenizer)}
    torch.manual_seed(0)
    sl = save_model(GPT2LMHeadModel(GPT2Config(**shape)).eval(), tokenizer, tmp_path / "sl")
    PreferenceModel(GPT2LMHeadModel(GPT2Config(**shape)).eval()).save(tmp_path / "pm", tokenizer)
    config = world_config(sl, "sampling.max_new_tokens=10")
    sets = PromptSets(red_team=prompts)
    with RunFolder.create(tmp_path / "run", config) as run:
        asked_of = begun(run, "prompts")
        for name, records in sets.files().items():
            asked_of.write_records(Path(name).name, records)
        asked_of.finish()
        pipeline, folder = Pipeline(run, Told(), OtherRuns()), begun(run, rl.folder)
        pipeline.done |= {
            "prompts": finished(run, "prompts"),
            "sl": Trained.at(sl),
            "pm": Trained.at(tmp_path / "pm"),
        }
        facts = rl.body(pipeline.work(rl, folder))
        folder.finish(**facts or {})
    counts = manifest(tmp_path / "run", "models/rl").counts
    assert (counts.rows_in, counts.rows_out, counts.dropped) == (2, 1, {"too long": 1})
    assert {row["prompt_id"] for row in rows(tmp_path / "run", "models/rl", "rollouts")} == {"short"}


def test_a_tracked_training_has_the_bytes_of_any_other(llama: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="no tensorboard (pip install tensorboard)")
    for name, settings in {"plain": (), "tracked": ('tracking.to=["tensorboard"]',)}.items():
        run_in(tmp_path / name, world_config(llama, *settings), until="sl")
    plain, tracked = (manifest(tmp_path / name, "models/sl") for name in ("plain", "tracked"))
    assert plain.outputs == tracked.outputs and plain.config == tracked.config
    assert not (tmp_path / "plain" / "tracking").exists()
    assert list((tmp_path / "tracked" / "tracking" / "models" / "sl").glob("events.*"))
