"""The local engine: contexts rendered in the model's dialogue format, and computed in this process, in batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property, partial

from solon.errors import TooLongError
from solon.lm.batcher import Batcher
from solon.lm.inprocess import InProcessModel
from solon.lm.protocols import Capabilities, Completion, OptionScores, Progress, Sampling
from solon.lm.requests import OptionRequest, WriteRequest
from solon.models.fingerprint import fingerprints
from solon.prompting.context import Context
from solon.prompting.dialogue import DialogueFormat


class LocalModel:
    """`LanguageModel` of a loaded model.

    A batch holds what waits when every row waits: replies of one speaker, or scores.
    """

    def __init__(self, engine: InProcessModel, format: DialogueFormat, *, progress: Progress | None = None):
        """`progress` is told of rows and tokens while a batch is computed."""
        self._engine, self._format, self._batcher = engine, format, Batcher()
        self._write = partial(engine.write, progress=progress)
        self._score = partial(engine.score, progress=progress)
        self.can = Capabilities(logprobs="full", prefill=True, seed=True, context=engine.max_context)

    @cached_property
    def identity(self) -> str:
        """sha256 over the files of the model's folder, e.g. `local:1f0c...`."""
        files = json.dumps(fingerprints(self._engine.loaded.path), sort_keys=True)
        return f"local:{hashlib.sha256(files.encode()).hexdigest()}"

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        """See `LanguageModel`. Raises `TooLongError` if the reply might not fit behind the context."""
        request = WriteRequest(
            prompt=self._format.render(context),
            seed=seed,
            max_new_tokens=sampling.max_new_tokens,
            temperature=sampling.temperature,
            stop=self._format.stop,
        )
        self._must_fit(request.prompt, request.max_new_tokens)
        return await self._batcher.ask(self._write, request, kind=context.reply)

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        """See `LanguageModel`. Raises `TooLongError` if an option does not fit behind the context."""
        request = OptionRequest(prompt=self._format.render(context), options=tuple(options))
        self._must_fit(request.prompt, *(self._engine.count_tokens(option, after=request.prompt) for option in options))
        return await self._batcher.ask(self._score, request, kind="score")

    def _must_fit(self, prompt: str, *more: int) -> None:
        tokens = self._engine.count_tokens(prompt) + max(more)
        if tokens > self._engine.max_context:
            raise TooLongError(f"{tokens} tokens with the reply, more than the model's {self._engine.max_context}")
