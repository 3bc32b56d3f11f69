"""Models of any shape with random weights: they cost what a trained model of that shape costs, and need no download."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from solon.models.load import LoadedModel

SMOLLM2: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
}
"""The shape of SmolLM2-135M."""


def random_model(shape: dict[str, Any], *, dtype: torch.dtype, device: torch.device) -> LoadedModel:
    """Weights of seed 0 on the device; every token is the word of its own number, and none ends a text."""
    torch.manual_seed(0)
    own: dict[str, Any] = {
        "eos_token_id": None,
        "bos_token_id": None,
        "pad_token_id": 0,
        "max_position_embeddings": 8192,
    }
    config = AutoConfig.for_model(**shape, **own)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            model: Any = AutoModelForCausalLM.from_config(config)
    finally:
        torch.set_default_dtype(before)
    return LoadedModel(model=model.eval(), tokenizer=_numbers(config.vocab_size), path=Path("random"))


def _numbers(vocabulary: int) -> PreTrainedTokenizerFast:
    words = Tokenizer(models.WordLevel({str(token): token for token in range(vocabulary)}, unk_token="0"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="0")


def number_prompts(rows: int, tokens: int, vocabulary: int) -> list[str]:
    """Texts of exactly so many tokens."""
    ids = torch.randint(1, vocabulary, (rows, tokens), generator=torch.Generator().manual_seed(0))
    return [" ".join(map(str, row)) for row in ids.tolist()]
