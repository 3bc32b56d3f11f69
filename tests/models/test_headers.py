"""Weights against config.json, by their headers: what would fail when the weights are loaded is told before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

from solon.errors import ModelError
from solon.models.headers import weight_faults
from solon.models.load import load_model
from tiny_models import FAMILIES, Family, tiny_model, tiny_model_folder, tiny_tokenizer

TOGETHER = "(copy config.json and weights from the same place)"
AGAIN = "(copy it again from where the model came from)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_model_folder(tmp_path)


def told(folder: Path) -> list[str]:
    return [str(fault).removeprefix(str(folder)) for fault in weight_faults(folder)]


def sharded(folder: Path) -> Path:
    (folder / "model.safetensors").unlink()
    tiny_model().save_pretrained(folder, max_shard_size="20KB")
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sound_folder_has_no_fault(tmp_path: Path, family: Family) -> None:
    assert weight_faults(tiny_model_folder(tmp_path, family)) == []


def test_shards_are_read_by_their_index(folder: Path) -> None:
    assert weight_faults(sharded(folder)) == []
    assert len(list(folder.glob("*.safetensors"))) > 2


def test_weights_that_transformers_stores_otherwise_than_it_keeps_them_fit(tmp_path: Path) -> None:
    """Experts are one tensor in memory and one per expert and matrix on disk."""
    shape = {"hidden_size": 32, "intermediate_size": 64, "moe_intermediate_size": 16, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "vocab_size": len(tiny_tokenizer())}
    config = Qwen3MoeConfig(**shape, **heads, num_experts=4, num_experts_per_tok=2)
    Qwen3MoeForCausalLM(config).save_pretrained(tmp_path)
    assert weight_faults(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        (
            {"num_hidden_layers": 3},
            "asks for 9 missing weights (model.layers.2.input_layernorm.weight, model.layers.2.mlp.down_proj.weight, "
            "model.layers.2.mlp.gate_proj.weight)",
        ),
        (
            {"num_hidden_layers": 1},
            "has too few layers for 9 weights (model.layers.1.input_layernorm.weight, "
            "model.layers.1.mlp.down_proj.weight, model.layers.1.mlp.gate_proj.weight)",
        ),
        (
            {"intermediate_size": 96},
            "asks for 6 weights of another shape (model.layers.0.mlp.down_proj.weight is 32x64, not 32x96)",
        ),
        ({"tie_word_embeddings": False}, "asks for 1 missing weights (lm_head.weight)"),
    ],
)
def test_a_config_of_another_model(folder: Path, changes: dict[str, object], what: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    assert told(folder) == [f": config.json {what} {TOGETHER}"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"model_type": "no_such_type"}, "ValueError: The checkpoint you are trying to load has model type"),
        ({"hidden_act": "no_such_function"}, "KeyError: 'no_such_function'"),
    ],
)
def test_a_config_that_no_model_can_be_built_from(folder: Path, changes: dict[str, object], what: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    (only,) = told(folder)
    assert only.startswith(f"/config.json: no model can be built: {what}")
    assert only.endswith("(check config.json, or copy it again from where the model came from)") and len(only) < 400


def test_weights_of_another_task_do_no_harm(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = folder / "model.safetensors"
    save_file({**load_file(weights), "score.weight": torch.zeros(1, 32)}, weights, metadata={"format": "pt"})
    assert weight_faults(folder) == []
    load_model(folder, dtype=torch.float32, device="cpu")


@pytest.mark.parametrize(
    ("kept", "what"),
    [
        (1000, "invalid header length"),
        (-1, "incomplete metadata, file not fully covered"),
        (0, "header too small"),
    ],
)
def test_a_file_that_was_cut_off(folder: Path, kept: int, what: str) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    expected = f"/model.safetensors: cut off or damaged: Error while deserializing header: {what} {AGAIN}"
    assert told(folder) == [expected]


def test_every_damaged_shard_is_named(folder: Path) -> None:
    shards = sorted(sharded(folder).glob("*.safetensors"))
    for shard in shards[:2]:
        shard.write_bytes(shard.read_bytes()[:-1])
    assert [line.split(":")[0] for line in told(folder)] == [f"/{shard.name}" for shard in shards[:2]]


def test_a_missing_shard_and_a_missing_or_broken_index(folder: Path) -> None:
    shards = sorted(sharded(folder).glob("*.safetensors"))
    shards[1].unlink()
    missing = f"1 of {len(shards)} shards missing ({shards[1].name})"
    assert told(folder) == [f": {missing} (copy them from where the model came from)"]
    index = folder / "model.safetensors.index.json"
    index.write_text('{"weight_map": []}')
    assert told(folder) == [f"/{index.name}: no index of shards {AGAIN}"]
    index.unlink()
    hint = "(name a single file model.safetensors; shards need their index)"
    assert told(folder) == [f": neither model.safetensors nor {index.name} in the folder {hint}"]


def test_what_it_finds_is_what_loading_would_have_found(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(ModelError) as raised:
        load_model(folder, dtype=torch.float32, device="cpu")
    assert list(raised.value.faults) == weight_faults(folder)
