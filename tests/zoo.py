"""A zoo: the smallest models of every kind of cache, position, head and checkpoint that people bring.

Weights are random, the same every time, and wide enough that logits differ clearly between tokens. All share the
tokenizer of `tiny_models`, and every vocabulary is padded beyond it, as real ones are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from tiny_models import tiny_tokenizer

WINDOW = 8
"""Tokens that a sliding window sees; every prompt of the tests but the shortest is longer."""
PLACES = 2048
"""The context of most of them."""
UNLIMITED = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of model, and what `solon models check` says of it."""

    type: str
    """`model_type` in config.json."""
    shape: dict[str, Any]
    decoder: Literal["lean", "packed", "cached", "recomputing"] = "packed"
    context: int = PLACES
    shards: bool = False
    """Weights in several files with an index."""


_COMMON: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "initializer_range": 0.2}
_LLAMA: dict[str, Any] = {
    **_COMMON,
    "intermediate_size": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": PLACES,
}
_GPT2: dict[str, Any] = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": PLACES, "initializer_range": 0.2}
_OPT: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "ffn_dim": 32,
    "num_attention_heads": 4,
    "max_position_embeddings": PLACES,
    "init_std": 0.2,
}
_FALCON = {**_COMMON, "num_attention_heads": 4}
_SLIDING = {"sliding_window": WINDOW, "layer_types": ["sliding_attention", "full_attention"]}
_GEMMA = {**_LLAMA, **_SLIDING, "query_pre_attn_scalar": 8}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
_FEW_EXPERTS = {"num_local_experts": 2, "num_experts_per_tok": 1}
_DELTA = {
    "layer_types": ["linear_attention", "full_attention"],
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
_MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 8}
_EYES = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}

KINDS: dict[str, Kind] = {
    # rows of keys that see everything
    "llama": Kind(type="llama", shape=_LLAMA, decoder="lean"),
    "llama, sharded and tied": Kind(
        type="llama", shape={**_LLAMA, "tie_word_embeddings": True}, decoder="lean", shards=True
    ),
    "qwen2": Kind(type="qwen2", shape=_LLAMA, decoder="lean"),
    "qwen3": Kind(type="qwen3", shape=_LLAMA, decoder="lean"),
    "qwen3_moe": Kind(type="qwen3_moe", shape={**_LLAMA, **_EXPERTS}, shards=True),
    "mixtral": Kind(type="mixtral", shape={**_LLAMA, "num_local_experts": 4}),
    "gemma": Kind(type="gemma", shape=_LLAMA),
    "granite": Kind(type="granite", shape=_LLAMA),
    "smollm3": Kind(type="smollm3", shape=_LLAMA),
    "stablelm": Kind(type="stablelm", decoder="cached", shape=_LLAMA),
    "phi": Kind(type="phi", shape=_LLAMA),
    "deepseek_v3": Kind(
        type="deepseek_v3",
        shape={
            **_LLAMA,
            "num_key_value_heads": 4,
            "q_lora_rank": 16,
            "kv_lora_rank": 16,
            "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 8,
            "v_head_dim": 8,
            "n_routed_experts": 4,
            "num_experts_per_tok": 2,
            "n_group": 2,
            "topk_group": 1,
            "moe_intermediate_size": 16,
            "first_k_dense_replace": 1,
        },
    ),
    "gpt_neox": Kind(type="gpt_neox", shape=_LLAMA),
    "gptj": Kind(type="gptj", decoder="cached", shape={**_GPT2, "rotary_dim": 4}),
    "gpt2": Kind(type="gpt2", shape=_GPT2),
    "gpt_bigcode": Kind(type="gpt_bigcode", shape=_GPT2),
    "opt": Kind(type="opt", shape=_OPT),
    "opt, narrow embeddings": Kind(
        type="opt", shape={**_OPT, "word_embed_proj_dim": 16, "do_layer_norm_before": False}
    ),
    "falcon": Kind(type="falcon", decoder="cached", shape=_FALCON),
    "falcon, alibi": Kind(type="falcon", decoder="cached", shape={**_FALCON, "alibi": True}),
    # positions that the model counts by itself
    "bloom": Kind(
        type="bloom",
        decoder="cached",
        shape={"hidden_size": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.2},
        context=UNLIMITED,
    ),
    "mpt": Kind(
        type="mpt",
        decoder="cached",
        shape={"d_model": 32, "n_heads": 4, "n_layers": 2, "expansion_ratio": 2, "max_seq_len": PLACES}
        | {"initializer_range": 0.2},
    ),
    # windows
    "mistral": Kind(type="mistral", decoder="lean", shape={**_LLAMA, "sliding_window": WINDOW}),
    "mistral, wide window": Kind(type="mistral", decoder="lean", shape={**_LLAMA, "sliding_window": 256}),
    "phi3": Kind(type="phi3", shape={**_LLAMA, "sliding_window": WINDOW}),
    "gemma2": Kind(type="gemma2", shape=_GEMMA),
    "gemma3_text": Kind(type="gemma3_text", shape=_GEMMA),
    "gemma3": Kind(
        type="gemma3",
        shape={"text_config": _GEMMA, "vision_config": _EYES, "mm_tokens_per_image": 4},
    ),
    "gpt_oss": Kind(
        type="gpt_oss",
        shape={
            **_LLAMA,
            **_SLIDING,
            "num_local_experts": 4,
            "num_experts_per_tok": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4},
        },
    ),
    "cohere2": Kind(type="cohere2", shape={**_LLAMA, **_SLIDING, "logit_scale": 1.0}),
    "olmo3": Kind(type="olmo3", shape={**_LLAMA, **_SLIDING}),
    "llama4_text": Kind(
        type="llama4_text",
        decoder="cached",
        shape={
            **_LLAMA,
            "attention_chunk_size": WINDOW,
            "layer_types": ["chunked_attention", "full_attention"],
            "num_local_experts": 2,
            "intermediate_size_mlp": 32,
            "no_rope_layers": [1, 0],
            "moe_layers": [1],
        },
    ),
    "gpt_neo": Kind(
        type="gpt_neo",
        decoder="cached",
        shape={
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "window_size": WINDOW,
            "attention_types": [[["local", "global"], 1]],
            "max_position_embeddings": PLACES,
            "initializer_range": 0.2,
        },
    ),
    # caches that are no rows of keys
    "mamba": Kind(type="mamba", decoder="cached", shape={**_COMMON, "state_size": 8}, context=UNLIMITED),
    "falcon_mamba": Kind(type="falcon_mamba", decoder="cached", shape={**_COMMON, "state_size": 8}, context=UNLIMITED),
    "mamba2": Kind(
        type="mamba2",
        decoder="cached",
        shape={**_COMMON, "state_size": 8, "num_heads": 8, "head_dim": 8, "n_groups": 2, "expand": 2, "chunk_size": 8},
        context=UNLIMITED,
    ),
    "jamba": Kind(
        type="jamba",
        decoder="cached",
        shape={
            **_LLAMA,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "num_experts": 2,
            "expert_layer_period": 2,
            "mamba_d_state": 8,
        },
    ),
    "lfm2": Kind(type="lfm2", decoder="cached", shape={**_LLAMA, "layer_types": ["conv", "full_attention"]}),
    "qwen3_next": Kind(
        type="qwen3_next",
        decoder="cached",
        shape={**_LLAMA, **_EXPERTS, **_DELTA, "shared_expert_intermediate_size": 16},
    ),
    "qwen3_5_text": Kind(type="qwen3_5_text", decoder="cached", shape={**_LLAMA, **_DELTA}),
    "falcon_h1": Kind(
        type="falcon_h1", decoder="cached", shape={**_LLAMA, **_MAMBA, "mamba_n_heads": 4, "mamba_d_ssm": 32}
    ),
    "granitemoehybrid": Kind(
        type="granitemoehybrid",
        decoder="cached",
        shape={
            **_LLAMA,
            **_MAMBA,
            **_FEW_EXPERTS,
            "layer_types": ["mamba", "attention"],
            "shared_intermediate_size": 32,
        },
    ),
    "nemotron_h": Kind(
        type="nemotron_h",
        decoder="cached",
        shape={
            **_LLAMA,
            "layers_block_type": ["mamba", "attention"],
            "mamba_num_heads": 8,
            "mamba_head_dim": 8,
            "ssm_state_size": 8,
            "n_groups": 2,
            "chunk_size": 8,
        },
    ),
    "bamba": Kind(type="bamba", decoder="cached", shape={**_LLAMA, **_MAMBA, "attn_layer_indices": [1]}),
    # states that only the model itself knows
    "minimax": Kind(
        type="minimax",
        shape={**_LLAMA, **_FEW_EXPERTS, "layer_types": ["linear_attention", "full_attention"], "block_size": 8},
        decoder="recomputing",
    ),
    "recurrent_gemma": Kind(
        type="recurrent_gemma",
        shape={
            **_LLAMA,
            "lru_width": 32,
            "block_types": ["recurrent", "attention"],
            "attention_window_size": WINDOW,
            "w_init_variance_scale": 1.0,
        },
        decoder="recomputing",
    ),
    "rwkv": Kind(
        type="rwkv",
        shape={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "attention_hidden_size": 32,
            "intermediate_size": 32,
            "context_length": PLACES,
            "rescale_every": 0,
        },
        decoder="recomputing",
    ),
    "xlstm": Kind(
        type="xlstm",
        shape={"hidden_size": 32, "num_hidden_layers": 2, "num_heads": 4, "chunk_size": 8},
        decoder="recomputing",
        context=UNLIMITED,
    ),
    "openai-gpt": Kind(type="openai-gpt", shape=_GPT2, decoder="recomputing"),
}


def zoo_folder(folder: Path, name: str) -> Path:
    """Writes model and tokenizer in Hugging Face layout to a folder of its own inside `folder`; returns its path."""
    kind, path = KINDS[name], folder / name.replace(", ", "-").replace(" ", "-")
    zoo_model(kind).save_pretrained(path, max_shard_size="40KB" if kind.shards else "5GB")
    tiny_tokenizer().save_pretrained(path)
    return path


def zoo_model(kind: Kind) -> PreTrainedModel:
    """The model in eval mode."""
    config = AutoConfig.for_model(kind.type, **_with_vocabulary(kind.shape))
    state = torch.random.get_rng_state()
    torch.manual_seed(0)
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config)
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or not parameter.any():  # zeros, where no test would see them
                torch.nn.init.normal_(parameter, std=0.2)
    finally:
        torch.random.set_rng_state(state)
    return model.eval()


def _with_vocabulary(shape: dict[str, Any]) -> dict[str, Any]:
    if "text_config" in shape:
        return {**shape, "text_config": _with_vocabulary(shape["text_config"])}
    tokenizer = tiny_tokenizer()
    ids = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    return {**shape, "vocab_size": len(tokenizer) + 8, **ids}
