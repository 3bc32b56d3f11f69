"""`solon models check`, and the same check at the beginning of a run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from gguf import GGMLQuantizationType

from cli.command import done, solon, tiny_settings
from gguf_files import write_gguf
from hub_server import folder_files, hub_server
from tiny_models import tiny_model_folder
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


AWQ = b'{"model_type": "llama", "quantization_config": {"quant_method": "awq"}}'
QUANTISED = (
    "gpt2/config.json: the weights are quantized (awq) (give the model it was made from, in bfloat16 or float32: what "
    "is quantized cannot be trained)"
)


def test_each_model_is_told_in_a_line(zoo: Path) -> None:
    said = done("models", "check", "llama", "mistral", "rwkv", "embedded").splitlines()
    assert [line for line in said if not line.startswith("  ")] == [
        "llama: LlamaForCausalLM, 37,536 parameters, context 2,048, vocabulary 392, Human/Assistant, lean, prefixes "
        "shared always",
        "mistral: MistralForCausalLM, 37,536 parameters, context 2,048, vocabulary 392, Human/Assistant, lean, "
        "prefixes shared always",
        "rwkv: RwkvForCausalLM, 40,256 parameters, context 2,048, vocabulary 392, Human/Assistant, recomputing, "
        "prefixes shared never",
        "embedded: LlamaForCausalLM, 3,148,224 parameters, context 512, vocabulary 2,560, Human/Assistant, lean, "
        "prefixes shared always",
    ]


def test_what_a_run_makes_of_a_model_stands_below(tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path, chat_template=True)
    arithmetic, *said = [line for line in done("models", "check", str(folder)).splitlines() if line.startswith("  ")]
    assert arithmetic.startswith("  arithmetic  ") and arithmetic.endswith("; the files keep float32")
    memory = [re.sub(r"[\d.]+ GiB", "N", line) for line in said if line.startswith("  memory ")]
    assert memory == [
        f"  memory      {stage} N of N"
        for stage in (
            "sampling",
            *("finetuning", "finetuning (LoRA)", "preference model", "preference model (LoRA)"),
            *("RL (GRPO)", "RL (GRPO, LoRA)", "RL (PPO)", "RL (PPO, LoRA)"),
        )
    ]
    assert [line for line in said if not line.startswith(("  memory ", "  unusual "))] == [
        "  tokens      eos '<|end|>', pad '<|pad|>'",
        "  stops at    '<|end|>'",
        "  example     | <|user|>How do I prune a rose?<|end|><|assistant|>Cut above a bud.<|end|><|user|>And a hedge?"
        "<|end|><|assistant|>Twice a year.<|end|>",
    ]


def test_a_model_of_the_hub_is_checked(tmp_path: Path) -> None:
    with hub_server(tmp_path / "cache") as hub:
        commit = hub.push("org/tiny", folder_files(tiny_model_folder(tmp_path)))
        hub.push("org/awq", folder_files(tiny_model_folder(tmp_path), **{"config.json": AWQ}))
        result = solon("models", "check", "org/tiny", "org/none", "org/awq")
        assert (tmp_path / "cache/models--org--tiny/snapshots" / commit / "config.json").is_file()
        assert not (tmp_path / "cache/models--org--tiny/snapshots" / commit / "model.safetensors").exists()
        again = solon("models", "check", str(tiny_model_folder(tmp_path)))
    assert result.exit_code == 2
    assert result.stdout.replace("org/tiny", "TINY") == again.stdout.replace(str(tmp_path / "llama"), "TINY")
    assert f"org/tiny is commit {commit} on the Hugging Face Hub" in result.stderr
    assert "error: org/none: no such model on the Hugging Face Hub, and no such folder here" in result.stderr
    assert "error: org/awq/config.json: the weights are quantized (awq)" in result.stderr


def test_a_gguf_where_a_model_belongs_is_to_be_imported(files: Path) -> None:
    write_gguf(files / "tiny.gguf", kind=GGMLQuantizationType.F32)
    for name in ("tiny.gguf", "./tiny.gguf", "models/not-there.gguf"):
        result = solon("run", "--model", name, *RUN[2:])
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.replace(f"{files}/", "").splitlines() == [
            f"error: {name.removeprefix('./')}: GGUF weights cannot be trained (import them: solon models import "
            "FILE.gguf -o DIR)"
        ]
    assert not Path("runs").exists()


def test_what_cannot_be_used_exits_with_2(zoo: Path) -> None:
    result = solon("models", "check", "gpt2", "llama", "nowhere")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"error: {QUANTISED}",
        "error: nowhere: no such model folder (give a folder on this machine, or OWNER/NAME of a model on the Hugging "
        "Face Hub)",
    ]
    assert [line.split(":")[0] for line in result.stdout.splitlines() if line[0] != " "] == ["llama"]


def test_json_says_the_same(zoo: Path) -> None:
    result = solon("models", "check", "mistral", "gpt2", "--json")
    assert (result.exit_code, result.stderr) == (2, "")
    mistral, gpt2 = json.loads(result.stdout)
    told = ("stored", "computed", "special", "stop", "memory", "machine", "oddities", "example")
    assert all(mistral.pop(key) for key in told)
    assert [mistral, gpt2] == [
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
    checked = (done("models", "check", name).splitlines()[0] for name in (folder.name, "out/models/rl/model"))
    before, after = (line.split(": ")[1] for line in checked)
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
