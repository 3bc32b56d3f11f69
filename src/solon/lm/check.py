"""Will this model go through a run? Told before anything starts, from its files' headers, without its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from solon.config.models import Dialogue
from solon.errors import Fault, ModelError, Where
from solon.lm.engines.local import DecoderKind, context_of, decoder_kind
from solon.models.folder import faults_of
from solon.models.load import as_model_error, load_tokenizer
from solon.models.outline import load_outline
from solon.models.tokens import encode_prompt
from solon.prompting.chat_template import dialogue_format
from solon.prompting.guard import Guard, control_tokens
from solon.records import Record

_LEAST = 8
"""Tokens; with fewer there is no room for a question and an answer."""
_PROBE = (
    "A letter, 12 marks (½ + ¾ ≠ 2)!\n\n\tÄß Ωλ Жд שלום سلام नमस्ते ไทย 漢字かな 한글 👩\u200d🚀 e\u0301 \ufffd\u200b\x07"
)
"""Text as people write it: many scripts, marks, and characters that no vocabulary of words holds."""


class ModelSummary(Record):
    """What kind of model a folder holds."""

    path: str
    architecture: str
    """The class in transformers, e.g. `LlamaForCausalLM`."""
    parameters: int
    context: int
    """Tokens that prompt and continuation may have together."""
    vocabulary: int
    """Tokens that the model has embeddings for; may be more than its tokenizer knows."""
    dialogue: Literal["chat-template", "human-assistant"]
    """Its dialogue format unless the run file chooses another."""
    decoder: DecoderKind
    shared: int | None
    """A beginning that many prompts share is read once for all; 0: never."""


def check_model(folder: Path, *, trust_remote_code: bool = False, dialogue: Dialogue | None = "auto") -> ModelSummary:
    """Raises `ModelError` if a run cannot use the model. `dialogue`: None: its format is not looked at."""
    return look_at(folder, trust_remote_code=trust_remote_code, dialogue=dialogue).summary


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A model without its numbers, and what it was found to be."""

    outline: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    summary: ModelSummary


def look_at(folder: Path, *, trust_remote_code: bool = False, dialogue: Dialogue | None = "auto") -> Looked:
    """As `check_model`, with what it looked at."""
    outline = load_outline(folder, trust_remote_code=trust_remote_code)
    tokenizer = load_tokenizer(folder, trust_remote_code=trust_remote_code)
    embeddings: Any = outline.get_input_embeddings()
    vocabulary = int(embeddings.weight.shape[0])
    context = _context(folder, outline, tokenizer)
    _check_marks(folder, tokenizer)
    _check_reading(folder, tokenizer)
    _check_tokens(folder, tokenizer, vocabulary)
    if dialogue is not None:
        with faults_of(folder):
            dialogue_format(tokenizer, dialogue)
    kind = decoder_kind(outline)
    summary = ModelSummary(
        path=str(folder),
        architecture=type(outline).__name__,
        parameters=outline.num_parameters(),
        context=context,
        vocabulary=vocabulary,
        dialogue="chat-template" if tokenizer.chat_template else "human-assistant",
        decoder=kind,
        shared=None if kind in ("lean", "packed") else 0,
    )
    return Looked(outline=outline, tokenizer=tokenizer, summary=summary)


def _check_tokens(folder: Path, tokenizer: PreTrainedTokenizerBase, vocabulary: int) -> None:
    """Every token that a text can hold needs an embedding, whether or not it was ever used."""
    unwritten = _unwritten(tokenizer)
    beyond = [token for token, n in tokenizer.get_vocab().items() if n >= vocabulary and token not in unwritten]
    if beyond:
        shown = ", ".join(repr(token) for token in sorted(beyond)[:3])
        what = f"the tokenizer knows {len(beyond)} tokens too many ({shown}): the model has {vocabulary} embeddings"
        hint = "copy the model's own tokenizer, or resize the model: model.resize_token_embeddings(len(tokenizer))"
        raise ModelError(what, where=Where(folder), hint=hint)


def _unwritten(tokenizer: PreTrainedTokenizerBase) -> set[str]:
    """Control tokens that no prompt holds, e.g. for pictures: a guard keeps them out of all texts, and neither the
    template nor the tokenizer puts them there."""
    template = str(tokenizer.chat_template or "")
    put = {tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token, tokenizer.unk_token}
    kept_out = Guard(control_tokens(tokenizer)).marks
    return {token for token in kept_out if token not in template and token not in put}


def _context(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """`context_of`, where it leaves room to say anything."""
    longest: Any = tokenizer.model_max_length
    if not isinstance(longest, int) and not (isinstance(longest, float) and longest.is_integer()):
        where, hint = Where(folder / "tokenizer_config.json"), "copy it again from where it came from"
        raise ModelError(f"model_max_length is {longest!r:.60}; expected a whole number", where=where, hint=hint)
    with as_model_error(folder / "config.json", "the length of the model's context is no number"):
        context = context_of(model, tokenizer)
    if context < _LEAST:
        what = f"the model's context has {context} tokens; expected {_LEAST} or more"
        hint = "see max_position_embeddings in config.json and model_max_length in tokenizer_config.json"
        raise ModelError(what, where=Where(folder), hint=hint)
    return context


def _check_marks(folder: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    """The end of a text and the like may be left out, but not empty."""
    if empty := [name for name in tokenizer.SPECIAL_TOKENS_ATTRIBUTES if getattr(tokenizer, name, None) == ""]:
        hint = "name a token of the vocabulary in tokenizer_config.json, or leave it out"
        raise ModelError([Fault(f"the tokenizer's {name} is empty", Where(folder), hint) for name in empty])


def _check_reading(folder: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    """Any text can be encoded and decoded, though not every one need come back as it was."""
    with as_model_error(folder, "its tokenizer cannot encode text"):
        for text in (_PROBE, *_PROBE.split(), *_PROBE, ""):
            tokenizer.decode(encode_prompt(tokenizer, text), skip_special_tokens=True)
