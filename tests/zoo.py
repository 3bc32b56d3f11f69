"""A zoo: the smallest models of every kind of cache, position, head and checkpoint that people bring.

Weights are random, a function of the name alone, and wide enough that logits differ clearly between tokens.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from tiny_models import tiny_tokenizer

WINDOW = 8
"""Tokens that a sliding window sees; every prompt of the tests is longer."""
_SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
}
_GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512, "initializer_range": 0.2}
_FALCON = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "initializer_range": 0.2}
_SLIDING = {"sliding_window": WINDOW, "layer_types": ["sliding_attention", "full_attention"]}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", _SHAPE),
    "llama, tied": ("llama", {**_SHAPE, "tie_word_embeddings": True}),
    "qwen2": ("qwen2", _SHAPE),
    "qwen3": ("qwen3", _SHAPE),
    "qwen3_moe": ("qwen3_moe", {**_SHAPE, **_EXPERTS}),
    "gemma": ("gemma", _SHAPE),
    "gemma2": ("gemma2", {**_SHAPE, **_SLIDING, "query_pre_attn_scalar": 8}),
    "gemma3_text": ("gemma3_text", {**_SHAPE, **_SLIDING, "query_pre_attn_scalar": 8}),
    "gemma3": (
        "gemma3",
        {
            "text_config": {**_SHAPE, **_SLIDING, "query_pre_attn_scalar": 8},
            "vision_config": {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28, "patch_size": 14},
            "mm_tokens_per_image": 4,
        },
    ),
    "mistral": ("mistral", {**_SHAPE, "sliding_window": WINDOW}),
    "phi3": ("phi3", {**_SHAPE, "sliding_window": WINDOW}),
    "gpt_oss": (
        "gpt_oss",
        {**_SHAPE, **_SLIDING, "num_local_experts": 4, "num_experts_per_tok": 2, "rope_parameters": {"rope_type": "default", "rope_theta": 1e4}},
    ),
    "cohere2": ("cohere2", {**_SHAPE, **_SLIDING}),
    "olmo3": ("olmo3", {**_SHAPE, **_SLIDING}),
    "llama4_text": (
        "llama4_text",
        {**_SHAPE, "attention_chunk_size": WINDOW, "layer_types": ["chunked_attention", "full_attention"], "num_local_experts": 2, "intermediate_size_mlp": 32, "no_rope_layers": [1, 0], "moe_layers": [1]},
    ),
    "deepseek_v3": (
        "deepseek_v3",
        {**_SHAPE, "num_key_value_heads": 4, "q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8, "n_routed_experts": 4, "num_experts_per_tok": 2, "n_group": 2, "topk_group": 1, "moe_intermediate_size": 16, "first_k_dense_replace": 1},
    ),
    "gpt2": ("gpt2", _GPT2),
    "gpt_neo": (
        "gpt_neo",
        {"hidden_size": 32, "num_layers": 2, "num_heads": 4, "window_size": WINDOW, "attention_types": [[["local", "global"], 1]], "max_position_embeddings": 512, "initializer_range": 0.2},
    ),
    "gpt_neox": ("gpt_neox", _SHAPE),
    "gptj": ("gptj", {**_GPT2, "rotary_dim": 4}),
    "opt": ("opt", {"hidden_size": 32, "ffn_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 512, "init_std": 0.2}),
    "opt, narrow": (
        "opt",
        {"hidden_size": 32, "word_embed_proj_dim": 16, "ffn_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 512, "init_std": 0.2, "do_layer_norm_before": False},
    ),
    "mpt": ("mpt", {"d_model": 32, "n_heads": 4, "n_layers": 2, "expansion_ratio": 2, "max_seq_len": 512, "initializer_range": 0.2}),
    "bloom": ("bloom", {"hidden_size": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.2}),
    "falcon": ("falcon", _FALCON),
    "falcon, alibi": ("falcon", {**_FALCON, "alibi": True}),
    "openai-gpt": ("openai-gpt", _GPT2),
    "codegen": ("codegen", {**_GPT2, "rotary_dim": 4}),
    "gpt_bigcode": ("gpt_bigcode", _GPT2),
    "stablelm": ("stablelm", _SHAPE),
    "phi": ("phi", _SHAPE),
    "mixtral": ("mixtral", {**_SHAPE, "num_local_experts": 4}),
    "smollm3": ("smollm3", _SHAPE),
    "granite": ("granite", _SHAPE),
    "mamba": ("mamba", {"hidden_size": 32, "state_size": 8, "num_hidden_layers": 2, "initializer_range": 0.2}),
    "mamba2": ("mamba2", {"hidden_size": 32, "state_size": 8, "num_hidden_layers": 2, "num_heads": 8, "head_dim": 8, "n_groups": 2, "expand": 2, "chunk_size": 8, "initializer_range": 0.2}),
    "falcon_mamba": ("falcon_mamba", {"hidden_size": 32, "state_size": 8, "num_hidden_layers": 2, "initializer_range": 0.2}),
    "jamba": ("jamba", {**_SHAPE, "attn_layer_period": 2, "attn_layer_offset": 1, "num_experts": 2, "expert_layer_period": 2, "mamba_d_state": 8, "use_mamba_kernels": False}),
    "lfm2": ("lfm2", {**_SHAPE, "layer_types": ["conv", "full_attention"]}),
    "qwen3_next": ("qwen3_next", {**_SHAPE, **_EXPERTS, "layer_types": ["linear_attention", "full_attention"], "linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 8, "shared_expert_intermediate_size": 16}),
    "qwen3_5_text": ("qwen3_5_text", {**_SHAPE, "layer_types": ["linear_attention", "full_attention"], "linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 8}),
    "falcon_h1": ("falcon_h1", {**_SHAPE, "mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 8}),
    "granitemoehybrid": ("granitemoehybrid", {**_SHAPE, "layer_types": ["mamba", "attention"], "mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 8, "shared_intermediate_size": 32, "num_local_experts": 2, "num_experts_per_tok": 1}),
    "nemotron_h": ("nemotron_h", {**_SHAPE, "layers_block_type": ["mamba", "attention"], "mamba_num_heads": 8, "mamba_head_dim": 8, "ssm_state_size": 8, "n_groups": 2, "chunk_size": 8}),
    "bamba": ("bamba", {**_SHAPE, "attn_layer_indices": [1], "mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 8}),
    "zamba2": ("zamba2", {"hidden_size": 32, "num_hidden_layers": 2, "layers_block_type": ["mamba", "hybrid"], "hybrid_layer_ids": [1], "num_attention_heads": 4, "mamba_d_state": 8, "n_mamba_heads": 8, "mamba_headdim": 8, "mamba_ngroups": 2, "chunk_size": 8, "intermediate_size": 32, "initializer_range": 0.2}),
    "recurrent_gemma": ("recurrent_gemma", {**_SHAPE, "lru_width": 32, "block_types": ["recurrent", "attention"], "attention_window_size": WINDOW}),
    "rwkv": ("rwkv", {"hidden_size": 32, "num_hidden_layers": 2, "attention_hidden_size": 32, "intermediate_size": 32, "context_length": 512, "rescale_every": 0}),
    "minimax": ("minimax", {**_SHAPE, "layer_types": ["linear_attention", "full_attention"], "num_local_experts": 2, "num_experts_per_tok": 1, "block_size": 8}),
    "xlstm": ("xlstm", {"hidden_size": 32, "num_hidden_layers": 2, "num_heads": 4, "chunk_size": 8}),
}


def with_vocabulary(shape: dict[str, Any]) -> dict[str, Any]:
    """A config's values with those of the shared tokenizer, beyond which every model is padded by eight tokens."""
    if "text_config" in shape:
        return {**shape, "text_config": with_vocabulary(shape["text_config"])}
    tokenizer = tiny_tokenizer()
    ids = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    return {**shape, "vocab_size": len(tokenizer) + 8, **ids}


@cache
def zoo_model(name: str) -> PreTrainedModel:
    model_type, shape = KINDS[name]
    config = AutoConfig.for_model(model_type, **with_vocabulary(shape))
    state = torch.random.get_rng_state()
    torch.manual_seed(0)
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config)
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or not parameter.abs().any():
                torch.nn.init.normal_(parameter, std=0.2)
    finally:
        torch.random.set_rng_state(state)
    return model.eval()
