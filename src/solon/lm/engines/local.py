"""The local engine: any Hugging Face causal LM in this process, sampled and scored in batches by our own loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from solon.errors import Fault, PromptError, TooLongError
from solon.lm.batcher import Batcher
from solon.lm.decoder import CachedDecoder, Decoder, RecomputingDecoder, cache_parameter, column_limit
from solon.lm.decoding import DecodingModel, sample_all
from solon.lm.engines import ModelSpec
from solon.lm.llama import LlamaDecoder, LlamaWeights, supports
from solon.lm.options import score_all
from solon.lm.protocols import Capabilities, Completion, OptionScores, Progress, SampleRequest, Sampling
from solon.lm.stops import TextOf
from solon.models.folder import folder_hash
from solon.models.inputs import context_length
from solon.models.load import LoadedModel, load_model
from solon.models.runtime import resolve_device, resolve_dtype
from solon.models.tokens import encode_continuation, encode_prompt, end_ids
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context
from solon.prompting.dialogue import HumanAssistant

_QUOTED = 40
"""Characters of a prompt quoted in a fault."""

DecoderKind = Literal["lean", "cached", "recomputing"]


def decoder_kind(model: PreTrainedModel, *, lean: bool | None = None) -> DecoderKind:
    """How a model is read: by our own arithmetic (unless `lean` decides), with transformers' cache, or anew for every
    token."""
    if supports(model) if lean is None else lean:
        return "lean"
    return "cached" if cache_parameter(model) else "recomputing"


def context_of(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens that prompt and completion may have together."""
    return context_length(model.config) or int(min(tokenizer.model_max_length, 1 << 20))


def open_engine(spec: ModelSpec) -> LocalModel:
    """The model in the folder `spec.model`."""
    device = resolve_device(spec.device)
    dtype = resolve_dtype(spec.dtype, device)
    loaded = load_model(Path(spec.model), dtype=dtype, device=device, trust_remote_code=spec.trust_remote_code)
    return LocalModel(loaded, spec.format, batch_size=spec.batch_size, progress=spec.progress)


class LocalModel:
    """`LanguageModel` of a loaded model.

    A batch holds what waits when every row waits: replies of one speaker, or scores. The model's weights are read for
    every batch, so a model that is being trained may be sampled between its steps.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        format: DialogueFormat | None = None,
        *,
        batch_size: int = 128,
        dtype: torch.dtype | None = None,
        lean: bool | None = None,
        progress: Progress | None = None,
    ):
        """
        Args:
            format: renders contexts, by default as Human/Assistant.
            dtype: arithmetic of generation, by default the model's own.
            lean: whether to use the lean Llama decoder; by default wherever it knows the model and gains by it.
            progress: called with rows and tokens while a batch is computed.
        """
        self.loaded = loaded
        self._format = format or HumanAssistant()
        self._batch_size, self._progress = batch_size, progress
        self._dtype = dtype or loaded.model.dtype
        self._kind = decoder_kind(loaded.model, lean=lean)
        self._text_of = TextOf(loaded.tokenizer, loaded.model.config.get_text_config().vocab_size)
        self._end_ids = end_ids(loaded.model, loaded.tokenizer)
        self._batcher = Batcher()
        self.max_context = context_of(loaded.model, loaded.tokenizer)
        self.can = Capabilities(logprobs="full", prefill=True, seed=True, context=self.max_context)

    @cached_property
    def identity(self) -> str:
        """sha256 over the files of the model's folder, e.g. `local:1f0c...`."""
        return f"local:{folder_hash(self.loaded.path)}"

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        """See `LanguageModel`. Raises `TooLongError` if the reply might not fit behind the context."""
        request = SampleRequest.of(self._format.render(context), sampling, seed=seed, stop=self._format.stop)
        prompt_ids = self._encode(request.prompt)
        self._must_fit(prompt_ids, request.max_new_tokens)
        return await self._batcher.ask(self._sample, (request, prompt_ids), kind=context.reply)

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        """See `LanguageModel`. Raises `TooLongError` if an option does not fit behind the context."""
        prompt = self._format.render(context)
        prompt_ids, option_ids = self._encode(prompt), [self._encode(option, after=prompt) for option in options]
        if not option_ids or not all(option_ids):
            raise ValueError("a request needs options, and no option may be empty")
        self._must_fit(prompt_ids, max(map(len, option_ids)))
        return await self._batcher.ask(self._score, (prompt_ids, option_ids), kind="score")

    def sample(self, requests: Sequence[SampleRequest]) -> list[Completion]:
        """Completions in the order of the requests, at once. One that would leave the context is cut there and has
        `ended == "length"`. Raises `PromptError` naming every prompt that is empty or too long."""
        rows = [(request, self._encode(request.prompt)) for request in requests]
        faults = []
        for number, (request, prompt_ids) in enumerate(rows):
            if not prompt_ids:
                faults.append(Fault(f"prompt {number} is empty", hint="leave it out"))
            elif len(prompt_ids) >= self.max_context:
                what = f"prompt {number} has {len(prompt_ids)} tokens, the model's context {self.max_context}"
                hint = "shorten it or leave it out"
                faults.append(Fault(f"{what}: {request.prompt[:_QUOTED]!r}...", hint=hint))
        if faults:
            raise PromptError(faults)
        return self._sample(rows)

    def count_tokens(self, text: str, *, after: str = "") -> int:
        """Length of `text` as a prompt, or as what follows the prompt `after`."""
        return len(self._encode(text, after=after))

    def _encode(self, text: str, *, after: str = "") -> list[int]:
        tokenizer = self.loaded.tokenizer
        return encode_continuation(tokenizer, after, text) if after else encode_prompt(tokenizer, text)

    def _must_fit(self, prompt_ids: Sequence[int], more: int) -> None:
        tokens = len(prompt_ids) + more
        if not prompt_ids:
            raise PromptError("a prompt is empty", hint="leave it out")
        if tokens > self.max_context:
            raise TooLongError(f"{tokens} tokens with the reply, more than the model's {self.max_context}")

    def _sample(self, rows: Sequence[tuple[SampleRequest, list[int]]]) -> list[Completion]:
        if any(request.max_new_tokens < 1 for request, _ in rows):
            raise ValueError("max_new_tokens must be at least 1")
        requests, prompts = [request for request, _ in rows], [prompt_ids for _, prompt_ids in rows]
        with self._decoding() as model:
            return sample_all(model, requests, prompts, batch_size=self._batch_size, progress=self._progress)

    def _score(self, rows: Sequence[tuple[list[int], list[list[int]]]]) -> list[OptionScores]:
        prompts, options = [prompt_ids for prompt_ids, _ in rows], [option_ids for _, option_ids in rows]
        with self._decoding() as model:
            return score_all(model, prompts, options, batch_size=self._batch_size, progress=self._progress)

    @contextmanager
    def _decoding(self) -> Iterator[DecodingModel]:
        """The model as it is now; in eval mode while it is used."""
        model = self.loaded.model
        training = model.training
        model.eval()
        try:
            yield DecodingModel(
                decoder=self._decoders(),
                text_of=self._text_of,
                end_ids=self._end_ids,
                max_context=self.max_context,
                max_columns=self.max_context if self._kind == "recomputing" else column_limit(model),
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
