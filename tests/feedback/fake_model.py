"""A model made of two functions, which remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from solon.errors import TooLongError
from solon.feedback.rows import Sampler
from solon.lm.engines.scripted import EVERYTHING
from solon.lm.protocols import Capabilities, Completion, OptionScores, SampleRequest, Sampling, ScoreRequest
from solon.prompting.context import Context
from solon.prompting.dialogue import HumanAssistant


def said(text: str, *, tokens: int = 1, ended: Any = "stop") -> Completion:
    return Completion(prompt="", text=text, tokens=tokens, ended=ended)


def sampler(model: Any, sampling: Sampling, stage: str, *, seed: int = 0) -> Sampler:
    return Sampler(model=model, sampling=sampling, seed=seed, stage=stage)


@dataclass(kw_only=True)
class Fake:
    writes: Callable[[SampleRequest], str | Completion] = lambda request: f"text {request.seed % 1000}"
    scores: Callable[[ScoreRequest], tuple[float, ...]] = lambda request: (-1.0, -1.0)
    context: int = 1_000_000
    """Characters."""
    format: Any = field(default_factory=HumanAssistant)
    can: Capabilities = EVERYTHING
    identity: str = "fake"
    write_requests: list[SampleRequest] = field(default_factory=list)
    score_requests: list[ScoreRequest] = field(default_factory=list)

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        prompt = self._fitting(context, sampling.max_new_tokens)
        request = SampleRequest.of(prompt, sampling, seed=seed, stop=self.format.stop)
        self.write_requests.append(request)
        reply = self.writes(request)
        return replace(said(reply) if isinstance(reply, str) else reply, prompt=prompt)

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        prompt = self._fitting(context, max(map(len, options)))
        self.score_requests.append(ScoreRequest(prompt=prompt, options=tuple(options)))
        return OptionScores(logprobs=self.scores(self.score_requests[-1]))

    def _fitting(self, context: Context, more: int) -> str:
        prompt: str = self.format.render(context)
        if len(prompt) + more > self.context:
            raise TooLongError(f"{len(prompt) + more} characters")
        return prompt
