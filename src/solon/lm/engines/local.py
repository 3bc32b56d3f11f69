"""The local engine: any Hugging Face causal LM in this process, sampled and scored in batches by our own loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from solon.errors import Fault, PromptError, TooLongError
from solon.lm.batcher import Batcher
from solon.lm.decoder import CachedDecoder, RecomputingDecoder, cache_parameter, column_limit
from solon.lm.engines import ModelSpec
from solon.lm.jobs import Job, Reply, Score
from solon.lm.llama import LlamaNetwork, LlamaWeights, supports
from solon.lm.lockstep import LockstepReader
from solon.lm.memory import token_budget
from solon.lm.packed import PackedNetwork, arithmetic, packs
from solon.lm.protocols import Capabilities, Completion, OptionScores, Progress, SampleRequest, Sampling, Tell
from solon.lm.reader import PackedReader, Reader
from solon.lm.scheduler import Counts, Scheduler
from solon.lm.stops import TextOf
from solon.models.folder import folder_hash
from solon.models.inputs import context_length
from solon.models.load import LoadedModel, load_model
from solon.models.runtime import resolve_device, resolve_dtype
from solon.models.tokens import encode_continuation, encode_prompt, end_ids
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context
from solon.prompting.dialogue import HumanAssistant

LOCKSTEP_BUDGET = 1 << 17
"""Tokens of a batch of rows that go in step, padding and all. Assumption."""
_QUOTED = 40
"""Characters of a prompt quoted in a fault."""

DecoderKind = Literal["lean", "packed", "cached", "recomputing"]


def decoder_kind(model: PreTrainedModel, *, lean: bool | None = None) -> DecoderKind:
    """How a model is read: packed, by our own arithmetic (unless `lean` decides) or by its own layers; or in lockstep,
    with transformers' cache, or anew for every token."""
    if supports(model) if lean is None else lean:
        return "lean"
    if packs(model):
        return "packed"
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

    Its weights are read anew whenever nothing waits, so a model that is being trained may be sampled between its steps.
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
        budget: int | None = None,
    ):
        """
        Args:
            format: renders contexts, by default as Human/Assistant.
            dtype: arithmetic of generation, by default the model's own.
            lean: whether to use the lean Llama decoder; by default wherever it knows the model and gains by it.
            progress: called with rows and tokens while they are computed.
            budget: tokens whose keys and values are held at once, by default what the machine has room for.
        """
        self.loaded = loaded
        self._format = format or HumanAssistant()
        self._batch_size, self._progress, self._budget = batch_size, progress, budget
        self._dtype = dtype or loaded.model.dtype
        self._kind = decoder_kind(loaded.model, lean=lean)
        self._text_of = TextOf(loaded.tokenizer, loaded.model.config.get_text_config().vocab_size)
        self._end_ids = end_ids(loaded.model, loaded.tokenizer)
        self._batcher = Batcher()
        self.counts = Counts()
        """What was computed so far."""
        self.max_context = context_of(loaded.model, loaded.tokenizer)
        self.can = Capabilities(logprobs="full", prefill=True, seed=True, context=self.max_context)

    @cached_property
    def identity(self) -> str:
        """sha256 over the files of the model's folder, e.g. `local:1f0c...`."""
        return f"local:{folder_hash(self.loaded.path)}"

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        """See `LanguageModel`. Raises `TooLongError` if the reply might not fit behind the context."""
        return await self.stream(context, sampling, seed=seed)

    async def stream(self, context: Context, sampling: Sampling, *, seed: int, tell: Tell | None = None) -> Completion:
        """See `Streaming`."""
        request = SampleRequest.of(self._format.render(context), sampling, seed=seed, stop=self._format.stop)
        prompt_ids = self._encode(request.prompt)
        self._must_fit(prompt_ids, request.max_new_tokens)
        completion: Completion = await self._batcher.ask(self._reply(request, prompt_ids, tell), self._working)
        return completion

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        """See `LanguageModel`. Raises `TooLongError` if an option does not fit behind the context."""
        prompt = self._format.render(context)
        prompt_ids, option_ids = self._encode(prompt), [self._encode(option, after=prompt) for option in options]
        if not option_ids or not all(option_ids):
            raise ValueError("a request needs options, and no option may be empty")
        self._must_fit(prompt_ids, max(map(len, option_ids)))
        logprobs = [0.0] * len(options)
        for before in dict.fromkeys(tuple(ids[:-1]) for ids in option_ids):
            places = [place for place, ids in enumerate(option_ids) if tuple(ids[:-1]) == before]
            job = Score.of(prompt_ids, before, [option_ids[place][-1] for place in places])
            found = await self._batcher.ask(job, self._working)
            for place, value in zip(places, found, strict=True):
                logprobs[place] = value
        self._tell(1, sum(map(len, option_ids)))
        return OptionScores(logprobs=tuple(logprobs))

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
        jobs = [self._reply(request, prompt_ids) for request, prompt_ids in rows]
        for number, job in enumerate(jobs):
            job.place = (number,)
        self._answer(jobs)
        return [job.result for job in jobs]

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

    def _reply(self, request: SampleRequest, prompt_ids: list[int], tell: Tell | None = None) -> Reply:
        if request.max_new_tokens < 1:
            raise ValueError("max_new_tokens must be at least 1")
        return Reply.to(request, prompt_ids, context=self.max_context, tell=tell)

    def _answer(self, jobs: Sequence[Job]) -> None:
        # Around all steps, so that weights are cast once.
        casts = nullcontext() if self._kind == "lean" else arithmetic(self.loaded.model, self._dtype)
        with self._working() as scheduler, casts:
            scheduler.add(jobs)
            while scheduler:
                for job in scheduler.step():
                    if job.error:
                        raise job.error

    def _tell(self, rows: int, tokens: int) -> None:
        if self._progress:
            self._progress(rows, tokens)

    @contextmanager
    def _working(self) -> Iterator[Scheduler]:
        """A scheduler over the model as it is now; in eval mode while it is used."""
        model = self.loaded.model
        training = model.training
        model.eval()
        try:
            scheduler = Scheduler(
                self._reader(),
                text_of=self._text_of,
                end_ids=self._end_ids,
                rows=self._batch_size,
                device=model.device,
                counts=self.counts,
                progress=self._progress,
            )
            with closing(scheduler):
                yield scheduler
        finally:
            model.train(training)

    def _reader(self) -> Reader:
        model, dtype = self.loaded.model, self._dtype
        if self._kind in ("lean", "packed"):
            lean = self._kind == "lean"
            network = LlamaNetwork(LlamaWeights(model, dtype)) if lean else PackedNetwork(model, dtype)
            budget = self._budget or token_budget(model.config, network.dtype, network.device)
            return PackedReader(network, budget=budget, rows=self._batch_size)
        return LockstepReader(
            lambda: (CachedDecoder if self._kind == "cached" else RecomputingDecoder)(model, dtype),
            columns=self.max_context if self._kind == "recomputing" else column_limit(model),
            budget=self._budget or LOCKSTEP_BUDGET,
            device=model.device,
        )
