"""What is unusual about a model, though a run can use it. Each is a sentence that says what a run makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from solon.lm.prefixes import common_length
from solon.models.inputs import context_length
from solon.models.tokens import encode_continuation, end_ids
from solon.prompting.chat_template import ChatTemplate, DialogueFormat
from solon.prompting.comparison import OPTIONS, Task, comparison_format
from solon.records import Turn

_ASK = Turn(role="human", text="How do I prune a rose?")
_SHOWN = 60
"""Characters of a text that are quoted."""
_TASK = Task(turns=(_ASK,), first="Cut above a bud.", second="Not at all.", question="Which answer helps more?")


def oddities(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, format: DialogueFormat) -> tuple[str, ...]:
    """Of a model without its numbers, its tokenizer and its dialogue format."""
    of_model = (part(model, tokenizer) for part in (_of_tokens, _of_ends, _of_network))
    return (*chain.from_iterable(of_model), *_of_format(format, tokenizer))


def _of_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    embeddings: Any = model.get_input_embeddings()
    spare = int(embeddings.weight.shape[0]) - len(tokenizer)
    if tokenizer.pad_token_id is None:
        yield "no padding token: token 0 fills short rows, and never counts"
    if spare > 0:
        yield f"the vocabulary has {spare:,} places that the tokenizer does not know: a run never writes them"


def _of_ends(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    """What ends a text."""
    ends, own = end_ids(model, tokenizer), tokenizer.eos_token_id
    if not ends:
        yield "no end token: an answer ends at a stop string or at the token limit"
    if len(ends) > 1:
        yield f"{len(ends)} end tokens ({token_names(tokenizer, sorted(ends))}): each of them ends an answer"
    generation: Any = getattr(model, "generation_config", None)
    named = getattr(generation, "eos_token_id", None)
    listed = [one for one in (named if isinstance(named, list) else [named]) if one is not None]
    if listed and own is not None and own not in listed:
        theirs = token_names(tokenizer, listed)
        yield f"generation_config.json ends texts with {theirs}, the tokenizer with {tokenizer.eos_token!r}: both do"


def token_names(tokenizer: PreTrainedTokenizerBase, ids: Iterable[int]) -> str:
    """Tokens as a vocabulary has them, quoted, e.g. `'<|end|>', '<|pad|>'`."""
    return ", ".join(repr(tokenizer.convert_ids_to_tokens(one) or f"token {one}") for one in ids)


def _of_network(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    config: Any = model.config.get_text_config()
    if model.config.tie_word_embeddings:
        yield "input and output embeddings are one matrix: training moves both"
    if windows := _windows(config):
        yield f"{windows} see a window of {config.sliding_window:,} tokens alone"
    own, theirs = context_length(model.config), tokenizer.model_max_length
    if own and theirs < own:
        yield f"the tokenizer takes texts of at most {int(theirs):,} tokens, config.json {own:,}: the latter holds"


def _windows(config: Any) -> str | None:
    """Which layers have a sliding window; None: none has."""
    if not getattr(config, "sliding_window", None) or getattr(config, "use_sliding_window", True) is False:
        return None
    kinds = getattr(config, "layer_types", None) or ["sliding"] * config.num_hidden_layers
    sliding = sum("sliding" in kind for kind in kinds)
    return f"{sliding} of {len(kinds)} layers" if sliding else None


def _of_format(format: DialogueFormat, tokenizer: PreTrainedTokenizerBase) -> Iterator[str]:
    """Of how dialogues are written."""
    if not isinstance(format, ChatTemplate):
        if not tokenizer.chat_template:
            yield "no chat template: dialogues are written as Human/Assistant"
    else:
        if format.own_system:
            shown = f"{format.own_system[:_SHOWN]!r}{'...' * (len(format.own_system) > _SHOWN)}"
            yield f"the chat template has a system turn of its own ({shown}); to replace it, set models.system"
        if format.refuses((_ASK, _ASK)):
            yield "the chat template demands that human and assistant take turns: in a run they do"
    yield from format.notes(system=True)
    asked = format.render(comparison_format(format).comparison(_TASK))
    first, second = (encode_continuation(tokenizer, asked, option) for option in OPTIONS)
    if first == second:
        yield f"the options{OPTIONS[0]} and{OPTIONS[1]} are the same tokens: it cannot be the judge"
    elif shared := common_length(first, second):
        begun = tokenizer.decode(first[:shared])
        yield f"the options{OPTIONS[0]} and{OPTIONS[1]} both begin with {begun!r}: they are told apart by what follows"
