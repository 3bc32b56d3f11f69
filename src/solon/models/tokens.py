"""Text to token ids, one convention for prompting, scoring and training.

`ids = encode_prompt(prompt) + encode_continuation(prompt, answer)`. A prompt is encoded without what follows, because a
model that writes has only the prompt; a continuation is cut as it is where it stands.
"""

from __future__ import annotations

from transformers import PreTrainedModel, PreTrainedTokenizerBase

TAIL = 64
"""Characters of a prompt that a continuation is encoded behind: more than any token has. Assumption."""


def encode_prompt(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids of a text that holds all its marks already; none are added."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return ids


def encode_continuation(tokenizer: PreTrainedTokenizerBase, prompt: str, text: str) -> list[int]:
    """Token ids of a text that follows `prompt`.

    Tokenizers of the SentencePiece kind put a space before any text that they are given by itself, where none stands
    in context. Where a token would reach across the border, the text is cut as after a colon.
    """
    for before in (prompt[-TAIL:], ":"):
        head, both = encode_prompt(tokenizer, before), encode_prompt(tokenizer, before + text)
        if both[: len(head)] == head:
            return both[len(head) :]
    return encode_prompt(tokenizer, text)


def end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Every token that ends a text, by the tokenizer or by the model's generation settings."""
    generation = getattr(model, "generation_config", None)
    configs = (model.config, model.config.get_text_config(), generation)
    named = [tokenizer.eos_token_id, *(getattr(config, "eos_token_id", None) for config in configs)]
    found: set[int] = set()
    for entry in named:
        found |= set(entry) if isinstance(entry, list) else {entry} if entry is not None else set()
    return frozenset(found)


def add_end(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, mark: str) -> None:
    """Puts the mark that ends an answer among the model's end tokens: servers stop where its generation settings say.

    Base models often come without it there. A mark of several tokens is left out.
    """
    ids, known = encode_prompt(tokenizer, mark), end_ids(model, tokenizer)
    if len(ids) == 1 and ids[0] not in known and model.generation_config is not None:
        model.generation_config.eos_token_id = sorted({*known, *ids})


def pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """What fills short rows; never counted, so any token will do where the tokenizer has none."""
    found = tokenizer.pad_token_id
    return int(found) if isinstance(found, int) else 0
