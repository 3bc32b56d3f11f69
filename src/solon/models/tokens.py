"""Text to token ids, one convention for prompting, scoring and training: prompt and continuation are encoded apart.

`ids = encode_prompt(prompt) + encode_continuation(answer)`. Encoding them together could merge tokens across the
border, and a model trained on one cut would be asked with another.
"""

from __future__ import annotations

from transformers import PreTrainedModel, PreTrainedTokenizerBase


def encode_prompt(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of the beginning of a text, led by the beginning mark if the tokenizer puts one (never twice)."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    bos = tokenizer.bos_token_id
    if bos is not None and ids[:1] != [bos] and tokenizer.encode("a")[:1] == [bos]:
        return [bos, *ids]
    return ids


def encode_continuation(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of a text that follows another; no marks are added."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return ids


def end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Every token that ends a text, by the tokenizer or by the model's generation settings."""
    generation = getattr(model, "generation_config", None)
    named = [tokenizer.eos_token_id, model.config.eos_token_id, getattr(generation, "eos_token_id", None)]
    found: set[int] = set()
    for entry in named:
        found |= set(entry) if isinstance(entry, list) else {entry} if entry is not None else set()
    return frozenset(found)


def end_id(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The token that training appends to an answer, None if the tokenizer has none."""
    return None if tokenizer.eos_token_id is None else int(tokenizer.eos_token_id)
