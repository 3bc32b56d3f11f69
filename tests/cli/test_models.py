"""`solon models check`, and the same check at the beginning of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gguf import GGMLQuantizationType

from cli.command import done, solon, tiny_settings
from gguf_files import write_gguf
from zoo import zoo_folder

RUN = ("--model", "model", "--constitution", "mine.toml", "--prompts", "red.jsonl", "--helpful", "good.jsonl")


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with one model that is read in each way and one that cannot be used."""
    for name in ("llama", "mistral", "rwkv", "gpt2"):
        zoo_folder(tmp_path, name)
    described = json.loads((tmp_path / "gpt2/config.json").read_text())
    (tmp_path / "gpt2/config.json").write_text(
        json.dumps({**described, "quantization_config": {"quant_method": "awq"}})
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


QUANTISED = (
    "gpt2/config.json: the weights are quantized (awq) (give the model it was made from, in bfloat16 or float32: what "
    "is quantized cannot be trained)"
)


def test_each_model_is_told_in_a_line(zoo: Path) -> None:
    assert done("models", "check", "llama", "mistral", "rwkv", "embedded").splitlines() == [
        "llama: LlamaForCausalLM, 37,536 parameters, context 2,048, vocabulary 392, Human/Assistant, lean, prefixes "
        "shared always",
        "mistral: MistralForCausalLM, 37,536 parameters, context 2,048, vocabulary 392, Human/Assistant, lean, "
        "prefixes shared always",
        "rwkv: RwkvForCausalLM, 40,256 parameters, context 2,048, vocabulary 392, Human/Assistant, recomputing, "
        "prefixes shared never",
        "embedded: LlamaForCausalLM, 3,148,224 parameters, context 512, vocabulary 2,560, Human/Assistant, lean, "
        "prefixes shared always",
    ]


def test_what_cannot_be_used_exits_with_2(zoo: Path) -> None:
    result = solon("models", "check", "gpt2", "llama", "nowhere")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"error: {QUANTISED}",
        "error: nowhere: no such model folder (models are never downloaded: give a folder on this machine)",
    ]
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["llama"]


def test_json_says_the_same(zoo: Path) -> None:
    result = solon("models", "check", "mistral", "gpt2", "--json")
    assert (result.exit_code, result.stderr) == (2, "")
    assert json.loads(result.stdout) == [
        {
            "path": "mistral",
            "usable": True,
            "faults": [],
            "architecture": "MistralForCausalLM",
            "parameters": 37_536,
            "context": 2048,
            "vocabulary": 392,
            "dialogue": "human-assistant",
            "decoder": "lean",
            "shared": None,
        },
        {"path": "gpt2", "usable": False, "faults": [QUANTISED]},
    ]


@pytest.mark.parametrize("role", ["assistant", "base", "judge"])
def test_a_run_checks_its_models_before_it_starts(files: Path, role: str) -> None:
    folder = zoo_folder(files, "llama")
    described = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**described, "num_hidden_layers": 3}))
    result = solon("run", *RUN, *tiny_settings(f"models.{role}={folder.name}"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.replace(f"{files}/", "").splitlines() == [
        "error: llama: config.json asks for 9 missing weights (model.layers.2.input_layernorm.weight, "
        "model.layers.2.mlp.down_proj.weight, model.layers.2.mlp.gate_proj.weight) (copy config.json and weights from "
        "the same place)"
    ]
    assert not Path("runs").exists()


@pytest.mark.parametrize("kind", ["gemma3", "opt, narrow embeddings", "mistral", "jamba", "rwkv", "mpt", "qwen3_moe"])
def test_models_of_every_kind_go_through_a_whole_run(files: Path, kind: str) -> None:
    folder = zoo_folder(files, kind)
    done("run", "--model", folder.name, *RUN[2:], "-o", "out", *tiny_settings("rl.algorithm=ppo"))
    before, after = (done("models", "check", name).split(": ")[1] for name in (folder.name, "out/models/rl/model"))
    assert after == before


def test_a_seed_of_more_than_63_bits_is_refused(files: Path) -> None:
    result = solon("run", *RUN, "--set", f"seed={1 << 63}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        "error: --set seed=9223372036854775808: seed is 9223372036854775808; expected less than 9223372036854775808"
    ]


def test_import_says_what_came_and_what_was_lost(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "tiny.gguf", kind=GGMLQuantizationType.F32)
    said = done("models", "import", str(file), "-o", str(tmp_path / "new")).splitlines()
    assert said == [
        f"{tmp_path}/new: LlamaForCausalLM, 32,928 parameters, license cc0-1.0",
        "lost: how the model prefers to be sampled: a GGUF has no generation_config.json",
    ]
    assert done("models", "check", str(tmp_path / "new"))
    again = solon("models", "import", str(file), "-o", str(tmp_path / "new"))
    assert again.exit_code == 2
    assert "new exists (choose a new folder, or remove it)" in again.stderr
