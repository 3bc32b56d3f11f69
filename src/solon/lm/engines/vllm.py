"""The vLLM engine: a model folder, run by vLLM in this process. Needs the extra `vllm`.

Rows ask one at a time and side by side. At every token vLLM decides which of them are computed together, and it reads
once what prompts begin with alike. An option is scored token by token: what comes next is asked for after every
beginning of an option, so that all of them share the reading of their prompt as well.
"""

from __future__ import annotations

import asyncio
import gc
import math
import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from solon.config.engines import VllmSection
from solon.errors import ConfigError, PromptError, TooLongError
from solon.lm.batcher import run, together
from solon.lm.engines import ModelSpec
from solon.lm.engines.local import context_of
from solon.lm.protocols import Capabilities, Completion, OptionScores, SampleRequest, Sampling
from solon.lm.sampling import no_numbers
from solon.lm.stops import TextOf, first_stop
from solon.models.folder import folder_hash
from solon.models.load import load_tokenizer
from solon.models.outline import load_outline
from solon.models.runtime import resolve_device, resolve_dtype
from solon.models.tokens import encode_continuation, encode_prompt, end_ids
from solon.prompting.context import Context
from solon.seeds import portable_seed

NEEDS = ("vllm",)
TAKES_PROCESS = True
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # in this process, where the same rows form the same batches
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
}
"""What vLLM is told where the user's environment says nothing else."""
PASSES = 4
"""Passes of the event loop between two tokens, in which rows that have their reply ask for the next; as many as
`batcher.QUIET`."""
SHARE_OF_MAIN_MEMORY = 0.25
"""For vLLM where there is no GPU. Assumption."""
_HINT = (
    "see the keys of [models.ROLE.vllm], in RL [rl.vllm]: max_model_len, gpu_memory_utilization, tensor_parallel_size"
)


def open_engine(spec: ModelSpec) -> VllmModel:
    """The model in the folder `spec.model`. Raises `ConfigError` if vLLM cannot run it on this machine."""
    return VllmModel(spec)


class VllmModel:
    """`LanguageModel` of a folder."""

    def __init__(self, spec: ModelSpec):
        self._folder, self._format, self._progress = Path(spec.model), spec.format, spec.progress
        outline = load_outline(self._folder, trust_remote_code=spec.trust_remote_code)
        self._tokenizer = load_tokenizer(self._folder, trust_remote_code=spec.trust_remote_code)
        vocabulary = outline.config.get_text_config().vocab_size
        self._text_of = TextOf(self._tokenizer, vocabulary)
        self._end_ids = [token for token in sorted(end_ids(outline, self._tokenizer)) if token < vocabulary]
        context = context_of(outline, self._tokenizer)
        own = spec.vllm or VllmSection()
        self.max_context = min(context, own.max_model_len or context)
        self.can = Capabilities(logprobs="full", prefill=True, seed=True, context=self.max_context)
        self._engine = _engine(spec, own, self.max_context)
        self._steps = _Steps(self._engine)

    @cached_property
    def identity(self) -> str:
        """sha256 over the files of the model's folder, e.g. `vllm:1f0c...`."""
        return f"vllm:{folder_hash(self._folder)}"

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        """See `LanguageModel`. Raises `TooLongError` if the reply might not fit behind the context."""
        request = SampleRequest.of(self._format.render(context), sampling, seed=seed, stop=self._format.stop)
        prompt_ids = encode_prompt(self._tokenizer, request.prompt)
        self._must_fit(prompt_ids, request.max_new_tokens)
        return await self._sample(request, prompt_ids)

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        """See `LanguageModel`. Raises `TooLongError` if an option does not fit behind the context."""
        prompt = self._format.render(context)
        prompt_ids = encode_prompt(self._tokenizer, prompt)
        option_ids = [tuple(encode_continuation(self._tokenizer, prompt, option)) for option in options]
        if not option_ids or not all(option_ids):
            raise ValueError("a request needs options, and no option may be empty")
        self._must_fit(prompt_ids, max(map(len, option_ids)))
        after = next_tokens(option_ids)
        asked = (self._next(prompt_ids, begun, tokens) for begun, tokens in after.items())
        found = dict(zip(after, await together(asked), strict=True))
        if self._progress:
            self._progress(1, sum(map(len, option_ids)))
        return OptionScores(logprobs=tuple(math.fsum(_along(option, found)) for option in option_ids))

    def sample(self, requests: Sequence[SampleRequest]) -> list[Completion]:
        """Completions in the order of the requests, at once. One that would leave the context is cut there."""
        prompts = [encode_prompt(self._tokenizer, request.prompt) for request in requests]
        for prompt_ids in prompts:
            self._must_fit(prompt_ids, 1)
        return run(together(map(self._sample, requests, prompts)))

    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """From now on the model has these weights, by the names that they have in its folder, e.g. of a policy in
        training: `policy.state_dict().items()`. What was read with the old ones is forgotten."""
        self._engine.collective_rpc("reload_weights", kwargs={"weights_iterator": iter(weights)})
        self._engine.reset_prefix_cache()

    def has_weights(self, name: str) -> bool:
        """Whether vLLM keeps weights by this name too: it joins some of a folder's, and a head may have none."""

        def of(worker: Any) -> bool:
            return name in dict(worker.get_model().named_parameters(remove_duplicate=False))

        return all(self._engine.collective_rpc(of))

    def _must_fit(self, prompt_ids: Sequence[int], more: int) -> None:
        if not prompt_ids:
            raise PromptError("a prompt is empty", hint="leave it out")
        if (tokens := len(prompt_ids) + more) > self.max_context:
            raise TooLongError(f"{tokens} tokens with the reply, more than the model's {self.max_context}")

    async def _sample(self, request: SampleRequest, prompt_ids: list[int]) -> Completion:
        params = _sampling_params(
            temperature=request.temperature,
            top_k=request.top_k,
            top_p=request.top_p,
            min_p=request.min_p,
            seed=portable_seed(request.seed),
            max_tokens=min(request.max_new_tokens, self.max_context - len(prompt_ids)),
            logprobs=0,  # of the sampled token alone
            stop=list(request.stop),
            stop_token_ids=self._end_ids,
        )
        completion = self._completion(request, prompt_ids, await self._steps.ask(prompt_ids, params))
        if self._progress:
            self._progress(1, completion.tokens)
        return completion

    def _completion(self, request: SampleRequest, prompt_ids: Sequence[int], output: Any) -> Completion:
        ids = list(output.token_ids)
        finished = ids[-1] in self._end_ids
        text = self._text_of.decode(ids[:-1] if finished else ids)
        place = None if finished else first_stop(text, request.stop)
        ended: Literal["stop", "eos", "length"] = "eos" if finished else "length" if place is None else "stop"
        return Completion(
            prompt=request.prompt,
            text=self._text_of.clean(ids, text[:place]),
            tokens=len(ids),
            ended=ended,
            prompt_ids=tuple(prompt_ids),
            answer_ids=tuple(ids),
            logprobs=tuple(_number(at[token].logprob) for at, token in zip(output.logprobs, ids, strict=True)),
        )

    async def _next(self, prompt_ids: list[int], begun: tuple[int, ...], tokens: set[int]) -> dict[int, float]:
        """Log-probability of each of the tokens as the one that comes after the prompt and what is begun."""
        params = _sampling_params(temperature=0.0, max_tokens=1, logprob_token_ids=sorted(tokens))
        output = await self._steps.ask([*prompt_ids, *begun], params)
        return {token: _number(output.logprobs[0][token].logprob) for token in tokens}


def next_tokens(options: Iterable[tuple[int, ...]]) -> dict[tuple[int, ...], set[int]]:
    """Which tokens come next in any of the options, by what stands before them.

    Example: of options (5, 7) and (5, 8), token 5 after (), 7 and 8 after (5,).
    """
    after: dict[tuple[int, ...], set[int]] = {}
    for option in options:
        for place, token in enumerate(option):
            after.setdefault(option[:place], set()).add(token)
    return after


def _along(option: tuple[int, ...], found: dict[tuple[int, ...], dict[int, float]]) -> Iterable[float]:
    return (found[option[:place]][token] for place, token in enumerate(option))


def _number(logprob: float) -> float:
    if math.isnan(logprob):
        raise no_numbers()
    return logprob


class _Steps:
    """Requests of all rows, one token of each at a time, for as long as any row waits. Loops may follow each other."""

    def __init__(self, engine: Any):
        self._engine = engine
        self._names = count()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, prompt_ids: list[int], params: Any) -> Any:
        """vLLM's `CompletionOutput` for vLLM's `SamplingParams`."""
        name, future = str(next(self._names)), asyncio.get_running_loop().create_future()
        self._engine.add_request(name, {"prompt_token_ids": prompt_ids}, params)
        self._waiting[name] = future
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        try:
            return await future
        finally:
            if self._waiting.pop(name, None):  # the row gives up
                self._engine.abort_request([name])

    async def _work(self) -> None:
        try:
            while self._waiting:
                for _ in range(PASSES):
                    await asyncio.sleep(0)
                self._step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the rows that wait are told
            for future in filter(_waits, self._waiting.values()):
                future.set_exception(error)

    def _step(self) -> None:
        for output in self._engine.step():
            if output.finished and _waits(future := self._waiting[output.request_id]):
                future.set_result(output.outputs[0])
                del self._waiting[output.request_id]


def _waits(future: asyncio.Future[Any]) -> bool:
    """Whether its row does: it may have given up since the last token."""
    return not future.done()


def _sampling_params(**sampling: Any) -> Any:
    """Texts end where Solon says, and what comes of a request comes at once, marks and all."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    marks = {"skip_special_tokens": False, "spaces_between_special_tokens": False}
    return SamplingParams(**sampling, **marks, ignore_eos=True, output_kind=RequestOutputKind.FINAL_ONLY)


def _engine(spec: ModelSpec, own: VllmSection, max_context: int) -> Any:
    """vLLM's engine of a folder. Raises `ConfigError` with what vLLM says against it."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    gc.collect()  # in one process, the end of an engine is the end of the next one too
    from vllm import EngineArgs, LLMEngine
    from vllm.platforms import current_platform

    device = resolve_device(spec.device)
    if (device.type, device.index or 0) != (current_platform.device_type, 0):
        what = f"vLLM computes on {current_platform.device_type} here, but models.device is {device}"
        raise ConfigError(what, hint='set it to "auto"; CUDA_VISIBLE_DEVICES says which GPUs there are')
    try:
        engine = LLMEngine.from_engine_args(EngineArgs(**_arguments(spec, own, device), max_model_len=max_context))
        engine.add_request("first", {"prompt_token_ids": [0]}, _sampling_params(max_tokens=1))
        while engine.has_unfinished_requests():  # that it cannot run some models it finds out here
            engine.step()
    except (ValueError, RuntimeError) as error:
        raise ConfigError(f"vLLM cannot run {spec.model}: {' '.join(str(error).split())}", hint=_HINT) from error
    return engine


def _arguments(spec: ModelSpec, own: VllmSection, device: torch.device) -> dict[str, Any]:
    """vLLM's `EngineArgs`, but for the context."""
    return {
        "model": spec.model,
        "dtype": str(resolve_dtype(spec.dtype, device)).removeprefix("torch."),
        "trust_remote_code": spec.trust_remote_code,
        "load_format": "safetensors",
        "generation_config": "vllm",  # a request says all
        "logprobs_mode": "processed_logprobs",  # of the distribution that a token was drawn from
        "gpu_memory_utilization": own.gpu_memory_utilization or (SHARE_OF_MAIN_MEMORY if device.type == "cpu" else 0.9),
        "tensor_parallel_size": own.tensor_parallel_size,
        "enforce_eager": own.enforce_eager,
        # On a processor it cannot take back what it drew, by a request's seed, behind a piece of a prompt.
        "enable_chunked_prefill": False if device.type == "cpu" else None,
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }
