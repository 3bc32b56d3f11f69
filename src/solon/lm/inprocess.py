"""Batches of rendered requests, computed in this process: any Hugging Face causal LM, driven by our own loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Literal

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from solon.errors import Fault, PromptError
from solon.lm.decoder import CachedDecoder, Decoder, RecomputingDecoder, cache_parameter, column_limit
from solon.lm.decoding import Engine, Sampled, sample_all
from solon.lm.llama import LlamaDecoder, LlamaWeights, supports
from solon.lm.options import score_all
from solon.lm.protocols import Completion, OptionScores, Progress
from solon.lm.requests import OptionRequest, WriteRequest
from solon.lm.stops import TextOf
from solon.models.inputs import context_length
from solon.models.load import LoadedModel
from solon.models.tokens import encode_continuation, encode_prompt, end_ids

_QUOTED = 40
"""Characters of a prompt quoted in a fault."""
_REMEMBERED = 4096
"""Texts whose tokens are kept: a request is counted before it is computed."""


DecoderKind = Literal["lean", "cached", "recomputing"]


def decoder_kind(model: PreTrainedModel, *, lean: bool | None = None) -> DecoderKind:
    """How a model is read: by our own arithmetic (unless `lean` decides), with transformers' cache, or anew for every
    token."""
    if supports(model) if lean is None else lean:
        return "lean"
    return "cached" if cache_parameter(model) else "recomputing"


def context_of(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens that prompt and continuation may have together."""
    return context_length(model.config) or int(min(tokenizer.model_max_length, 1 << 20))


class InProcessModel:
    """Writes, scores and samples with a model in this process's memory.

    The model's weights are read at every call, so a model that is being trained may be sampled between its steps.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        batch_size: int = 128,
        dtype: torch.dtype | None = None,
        lean: bool | None = None,
    ):
        """`dtype`: arithmetic of generation, by default the model's own. `lean`: use the lean Llama decoder; by default
        wherever it knows the model and gains by it."""
        self.loaded = loaded
        self._batch_size = batch_size
        self._dtype = dtype or loaded.model.dtype
        self._kind = decoder_kind(loaded.model, lean=lean)
        self._text_of = TextOf(loaded.tokenizer, loaded.model.config.get_text_config().vocab_size)
        self._end_ids = end_ids(loaded.model, loaded.tokenizer)
        self._encode = lru_cache(_REMEMBERED)(partial(_encoded, loaded.tokenizer))

    @property
    def max_context(self) -> int:
        """Tokens that prompt and continuation may have together."""
        return context_of(self.loaded.model, self.loaded.tokenizer)

    def count_tokens(self, text: str, *, after: str = "") -> int:
        """Length of `text` as a prompt, or as what follows the prompt `after`."""
        return len(self._encode(after, text))

    def write(self, requests: Sequence[WriteRequest], *, progress: Progress | None = None) -> list[Completion]:
        """As `sample_tokens`, but text alone."""
        sampled = self.sample_tokens(requests, progress=progress)
        return [
            Completion(prompt=request.prompt, text=one.text, tokens=len(one.answer_ids), ended=one.ended)
            for request, one in zip(requests, sampled, strict=True)
        ]

    def sample_tokens(self, requests: Sequence[WriteRequest], *, progress: Progress | None = None) -> list[Sampled]:
        """Continuations with token ids and log-probabilities, in the order of the requests. One that would leave the
        context is cut there and has `ended == "length"`. Raises `PromptError` naming every prompt that is empty or too
        long."""
        if any(request.max_new_tokens < 1 for request in requests):
            raise ValueError("max_new_tokens must be at least 1")
        prompts = [self._encode("", request.prompt) for request in requests]
        self._check(prompts, [1] * len(prompts), [request.prompt for request in requests])
        with self._engine() as engine:
            return sample_all(engine, requests, prompts, batch_size=self._batch_size, progress=progress)

    def score(self, requests: Sequence[OptionRequest], *, progress: Progress | None = None) -> list[OptionScores]:
        """Log-probabilities of options, in the order of the requests. Raises as `sample_tokens` does."""
        prompts = [self._encode("", request.prompt) for request in requests]
        options = [[self._encode(request.prompt, option) for option in request.options] for request in requests]
        if not all(choices and all(choices) for choices in options):
            raise ValueError("every request needs options, and no option may be empty")
        room = [max(len(choice) for choice in choices) for choices in options]
        self._check(prompts, room, [request.prompt for request in requests])
        with self._engine() as engine:
            return score_all(engine, prompts, options, batch_size=self._batch_size, progress=progress)

    def _check(self, prompts: Sequence[list[int]], room: Sequence[int], texts: Sequence[str]) -> None:
        """Every prompt must have a token, and leave `room` for what follows."""
        faults = []
        for row, (prompt, more, text) in enumerate(zip(prompts, room, texts, strict=True)):
            if not prompt:
                faults.append(Fault(f"prompt {row} is empty", hint="leave it out"))
            elif len(prompt) + more > self.max_context:
                what = f"prompt {row} has {len(prompt)} tokens, the model's context {self.max_context}"
                faults.append(Fault(f"{what}: {text[:_QUOTED]!r}...", hint="shorten it or leave it out"))
        if faults:
            raise PromptError(faults)

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        """The model as it is now; in eval mode while it is used."""
        model = self.loaded.model
        training = model.training
        model.eval()
        try:
            yield Engine(
                decoder=self._decoders(),
                text_of=self._text_of,
                end_ids=self._end_ids,
                max_context=self.max_context,
                max_columns=self.max_context if self._kind == "recomputing" else column_limit(self.loaded.model),
                device=model.device,
            )
        finally:
            model.train(training)

    def _decoders(self) -> Callable[[], Decoder]:
        model, dtype = self.loaded.model, self._dtype
        if self._kind == "lean":
            weights = LlamaWeights(model, dtype)
            return lambda: LlamaDecoder(weights)
        return lambda: (CachedDecoder if self._kind == "cached" else RecomputingDecoder)(model, dtype)


def _encoded(tokenizer: PreTrainedTokenizerBase, before: str, text: str) -> list[int]:
    """Token ids of a prompt, or of what follows one. No method: the cache would hold the model in a cycle, and its
    weights until the next collection."""
    return encode_continuation(tokenizer, before, text) if before else encode_prompt(tokenizer, text)
