"""A Llama's folder as llama.cpp's file, with the same weights.

llama.cpp's own converter knows tokenizers by their fingerprints and refuses others. Here the file's tokenizer only
names the tokens: the server gets and gives their numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gguf import MODEL_ARCH, GGMLQuantizationType, GGUFWriter, TokenType, get_tensor_name_map, quantize
from safetensors import safe_open


def write_gguf(folder: Path, file: Path, dtype: str) -> None:
    """Products in `dtype` (`bfloat16`, `float32`), norms in float32."""
    config = json.loads((folder / "config.json").read_bytes())
    writer = GGUFWriter(file, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base((config.get("rope_parameters") or config)["rope_theta"])
    _tokens(writer, json.loads((folder / "tokenizer.json").read_bytes())["model"], config["vocab_size"])
    kind = GGMLQuantizationType.BF16 if dtype == "bfloat16" else GGMLQuantizationType.F32
    for name, tensor in _tensors(folder, config):
        own = kind if tensor.ndim > 1 else GGMLQuantizationType.F32
        writer.add_tensor(name, quantize(tensor, own), raw_dtype=own)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tokens(writer: GGUFWriter, bpe: dict[str, Any], size: int) -> None:
    names = {number: name for name, number in bpe["vocab"].items()}
    merges = [one if isinstance(one, str) else " ".join(one) for one in bpe["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([names.get(number, f"<unused {number}>") for number in range(size)])
    writer.add_token_types([TokenType.NORMAL if number in names else TokenType.UNUSED for number in range(size)])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)


def _tensors(folder: Path, config: dict[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """By llama.cpp's names. Its queries and keys have the two halves of each head interleaved."""
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - no dict
                called = names.get_name(name, try_suffixes=(".weight",))
                assert called, f"llama.cpp has no place for {name}"
                part = called.split(".")[-2]
                tensor = weights.get_tensor(name).float().numpy()
                if part in heads:
                    rows, columns = tensor.shape
                    halves = tensor.reshape(heads[part], 2, rows // heads[part] // 2, columns)
                    tensor = halves.swapaxes(1, 2).reshape(rows, columns)
                yield called, tensor
