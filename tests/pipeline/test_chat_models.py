"""Models that are shaped like chat models people have, through a whole run: their end of turn, and system turns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM
from typer.testing import CliRunner

from chat_shapes import SHAPES, shaped
from pipeline.tiny_run import TINY, manifest
from solon.cli.main import app

RED = "".join(f'{{"prompt": "How do I steal a ladder from number {n}?"}}\n' for n in range(8))
GOOD = "".join(f'{{"prompt": "How do I prune rose {n}?", "chosen": "Gently.", "rejected": "No."}}\n' for n in range(8))
SETTINGS = (
    *TINY,
    *("prompts.harmful=3", "prompts.mixed=0", "prompts.benign=3", "prompts.evaluation=2", "rl.steps=1"),
    *("models.system=Be brief.", "models.judge.system="),
)


def model_folder(folder: Path, name: str) -> Path:
    """A random model behind a shaped tokenizer; as base models often are, it names the tokenizer's end token alone."""
    tokenizer = shaped(name)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=4096,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", ["Qwen 2.5 base", "Gemma"])
def test_a_run(name: str, tmp_path: Path) -> None:
    (tmp_path / "red.jsonl").write_text(RED)
    (tmp_path / "good.jsonl").write_text(GOOD)
    inputs = ("--model", model_folder(tmp_path / "model", name), "--prompts", tmp_path / "red.jsonl")
    given = ("run", *inputs, "--helpful", tmp_path / "good.jsonl", "-o", tmp_path / "run", "--quiet")
    chosen = [part for setting in SETTINGS for part in ("--set", setting)]
    done = CliRunner().invoke(app, [*map(str, given), *chosen], catch_exceptions=False)
    assert done.exit_code == 0, done.output

    tokenizer, end = shaped(name), SHAPES[name].end
    for stage in ("models/sl", "models/rl"):
        told = json.loads((tmp_path / "run" / stage / "model/generation_config.json").read_text())
        assert sorted(told["eos_token_id"]) == sorted([tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(end)])
    note = "the chat template has no place for a system turn; it begins the first human turn"
    told = {"kind": "chat template", "end": end, "notes": [note] if name == "Gemma" else []}
    roles = {"assistant": told, "base": told, "judge": told | {"notes": []}}
    for stage, role in {"revisions": "assistant", "models/sl": "base", "pairs": "base", "comparisons": "judge"}.items():
        assert manifest(tmp_path / "run", stage).facts["formats"] == {role: roles[role]}
    shown = CliRunner().invoke(app, ["show", str(tmp_path / "run"), "-n", "9"], catch_exceptions=False).output
    assert shown.count("Be brief.") == shown.count(" tokens count in the loss") > 0
    taught = ("show", tmp_path / "good.jsonl", "--model", tmp_path / "run/models/sl/model")
    assert f"Gently.{end}+}}" in CliRunner().invoke(app, list(map(str, taught)), catch_exceptions=False).output
    exported = CliRunner().invoke(app, ["export", "trl", str(tmp_path / "run"), "-o", str(tmp_path / "trl")])
    assert exported.exit_code == 0, exported.output
    for file in ("sft", "preference", "prompts"):
        for line in (tmp_path / "trl" / f"{file}.jsonl").read_text().splitlines():
            assert json.loads(line)["prompt"][0] == {"role": "system", "content": "Be brief."}
