"""The scripted engine: functions in the place of a model. It drives tests, and rehearses a run without any weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from solon.errors import SolonError, TooLongError, UnsupportedError
from solon.lm.engines import ModelSpec
from solon.lm.protocols import Capabilities, Completion, OptionScores, SampleRequest, Sampling, ScoreRequest
from solon.lm.stops import first_stop
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context
from solon.prompting.dialogue import HumanAssistant
from solon.seeds import portable_seed

READS_FOLDER = False
EVERYTHING = Capabilities(logprobs="full", prefill=True, seed=True, context=None)


def open_engine(spec: ModelSpec) -> ScriptedModel:
    """One that babbles, and finds every option equally likely."""
    return ScriptedModel(format=spec.format)


def babble(request: SampleRequest) -> str:
    """Words of no language, drawn from the request's seed."""
    rng = np.random.Generator(np.random.Philox(key=request.seed))
    letters = list("abdegiklmnoprstu")
    words = ["".join(rng.choice(letters, size=int(rng.integers(2, 8)))) for _ in range(int(rng.integers(3, 12)))]
    return " ".join(words).capitalize() + "."


def equally_likely(request: ScoreRequest) -> tuple[float, ...]:
    """The same log-probability for every option."""
    return (-math.log(len(request.options)),) * len(request.options)


class ScriptedModel:
    """`LanguageModel` whose replies and log-probabilities are functions of the request.

    Replies go through stop strings and the length limit like any model's; the tokens of one are its words, and one for
    its end. It stands for a server, so it is sent what a server would be: seeds of 63 bits.
    """

    identity = "scripted"

    def __init__(
        self,
        reply: Callable[[SampleRequest], str] = babble,
        score: Callable[[ScoreRequest], Sequence[float]] = equally_likely,
        *,
        format: DialogueFormat | None = None,
        can: Capabilities = EVERYTHING,
        lowest: float = -math.inf,
    ):
        """`format` renders contexts, by default as Human/Assistant. `lowest`: the smallest log-probability that is
        returned where the engine `can` give the likeliest tokens alone."""
        self._reply, self._score = reply, score
        self._format = format or HumanAssistant()
        self._lowest = lowest
        self.can = can
        self.sampled: list[SampleRequest] = []
        """Every request for a completion, in order."""
        self.scored: list[ScoreRequest] = []
        """Every request to score options, in order."""

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        prompt = self._rendered(context, sampling.max_new_tokens)
        request = SampleRequest.of(prompt, sampling, seed=portable_seed(seed), stop=self._format.stop)
        self.sampled.append(request)
        return _ended(self._reply(request), request)

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        if self.can.logprobs == "none":
            raise UnsupportedError("the engine gives no log-probabilities")
        prompt = self._rendered(context, max(len(option.split()) for option in options))
        self.scored.append(ScoreRequest(prompt=prompt, options=tuple(options)))
        logprobs = tuple(self._score(self.scored[-1]))
        if len(logprobs) != len(options):
            raise SolonError(f"the script has {len(logprobs)} scores for {len(options)} options")
        if self.can.logprobs == "full":
            return OptionScores(logprobs=logprobs)
        below = frozenset(place for place, value in enumerate(logprobs) if value < self._lowest)
        return OptionScores(logprobs=tuple(max(value, self._lowest) for value in logprobs), bounded=below)

    def _rendered(self, context: Context, more: int) -> str:
        if context.prefill and not self.can.prefill:
            raise UnsupportedError("the engine cannot begin a reply")
        prompt = self._format.render(context)
        tokens = len(prompt.split()) + more
        if self.can.context is not None and tokens > self.can.context:
            raise TooLongError(f"{tokens} tokens with the reply, more than the model's {self.can.context}")
        return prompt


def _ended(reply: str, request: SampleRequest) -> Completion:
    """The reply, cut before a stop string and at the length limit."""
    place = first_stop(reply, request.stop)
    words = reply[:place].split()
    if len(words) >= request.max_new_tokens:  # what ends a reply is a token too
        kept = " ".join(words[: request.max_new_tokens])
        return Completion(prompt=request.prompt, text=kept, tokens=request.max_new_tokens, ended="length")
    ended: Literal["eos", "stop"] = "eos" if place is None else "stop"
    return Completion(prompt=request.prompt, text=reply[:place].strip(), tokens=len(words) + 1, ended=ended)
