"""A language model that says what it is told to: it drives the tests, and rehearses a run without any weights."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np

from solon.errors import SolonError, TooLongError, UnsupportedError
from solon.lm.protocols import Capabilities, Completion, OptionScores, Sampling
from solon.lm.requests import OptionRequest, WriteRequest
from solon.lm.stops import first_stop
from solon.prompting.context import Context
from solon.prompting.dialogue import DialogueFormat, HumanAssistant
from solon.seeds import portable_seed

EVERYTHING = Capabilities(logprobs="full", prefill=True, seed=True, context=None)

Reply = str | Callable[[WriteRequest], str]
Scores = Sequence[float] | Callable[[OptionRequest], Sequence[float]]
T = TypeVar("T")
Script = Iterator[T] | Mapping[str, T] | Callable[..., Any]


class ScriptedModel:
    """`LanguageModel` by script.

    `replies` and `scores` are each a sequence, used up in order; a mapping from a regular expression to a reply, where
    the first that is found in the prompt counts; or a function of the request. Without `scores` every option is
    equally likely. A reply goes through stop strings and the length limit like any model's; its tokens are its words,
    and one for its end. A request that the script has no reply for is an error. It stands outside the house, so it is
    sent what a server would be: seeds of 63 bits.
    """

    identity = "scripted"

    def __init__(
        self,
        replies: Sequence[Reply] | Mapping[str, Reply] | Callable[[WriteRequest], str] = (),
        scores: Sequence[Scores] | Mapping[str, Scores] | Callable[[OptionRequest], Sequence[float]] | None = None,
        *,
        format: DialogueFormat | None = None,
        can: Capabilities = EVERYTHING,
        lowest: float = -math.inf,
    ):
        """`format` renders contexts, by default as Human/Assistant. `lowest`: the smallest log-probability that is
        returned where the engine `can` give the likeliest tokens alone."""
        scores = equally_likely if scores is None else scores
        self._replies: Script[Reply] = iter(replies) if isinstance(replies, Sequence) else replies
        self._scores: Script[Scores] = iter(scores) if isinstance(scores, Sequence) else scores
        self._format = format or HumanAssistant()
        self._lowest = lowest
        self.can = can
        self.written: list[WriteRequest] = []
        """Every request to write, in order."""
        self.scored: list[OptionRequest] = []
        """Every request to score options, in order."""

    def count_tokens(self, text: str) -> int:
        """Words."""
        return len(text.split())

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        request = WriteRequest(
            prompt=self._rendered(context),
            seed=portable_seed(seed),
            max_new_tokens=sampling.max_new_tokens,
            temperature=sampling.temperature,
            stop=self._format.stop,
        )
        self._must_fit(request.prompt, sampling.max_new_tokens)
        self.written.append(request)
        reply = _find(self._replies, request.prompt, len(self.written))
        return _end(reply if isinstance(reply, str) else reply(request), request)

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        if self.can.logprobs == "none":
            raise UnsupportedError("the engine gives no log-probabilities")
        request = OptionRequest(prompt=self._rendered(context), options=tuple(options))
        self._must_fit(request.prompt, max(map(self.count_tokens, options)))
        self.scored.append(request)
        scores = _find(self._scores, request.prompt, len(self.scored))
        logprobs = tuple(scores(request) if callable(scores) else scores)
        if len(logprobs) != len(request.options):
            raise SolonError(f"the script has {len(logprobs)} scores for {len(request.options)} options")
        if self.can.logprobs == "full":
            return OptionScores(logprobs=logprobs)
        below = frozenset(place for place, value in enumerate(logprobs) if value < self._lowest)
        return OptionScores(logprobs=tuple(max(value, self._lowest) for value in logprobs), bounded=below)

    def _rendered(self, context: Context) -> str:
        if context.prefill and not self.can.prefill:
            raise UnsupportedError("the engine cannot begin a reply")
        return self._format.render(context)

    def _must_fit(self, prompt: str, more: int) -> None:
        tokens = self.count_tokens(prompt) + more
        if self.can.context is not None and tokens > self.can.context:
            raise TooLongError(f"{tokens} tokens with the reply, more than the model's {self.can.context}")


def equally_likely(request: OptionRequest) -> tuple[float, ...]:
    """The same log-probability for every option."""
    return (-math.log(len(request.options)),) * len(request.options)


def not_numbers(request: OptionRequest) -> tuple[float, ...]:
    """A judge that has diverged: NaN for every option."""
    return (math.nan,) * len(request.options)


def babble(request: WriteRequest) -> str:
    """Words of no language, drawn from the request's seed: a model that cannot do what it was asked."""
    rng = np.random.Generator(np.random.Philox(key=request.seed))
    letters = list("abdegiklmnoprstu")
    words = ["".join(rng.choice(letters, size=int(rng.integers(2, 8)))) for _ in range(int(rng.integers(3, 12)))]
    return " ".join(words).capitalize() + "."


def _find(script: Script[T], prompt: str, number: int) -> T | Callable[..., Any]:
    """What the script has for the request with this prompt, the `number`-th of its kind."""
    if isinstance(script, Iterator):
        for entry in script:
            return entry
        raise SolonError(f"the script ends before request {number}: {prompt[-80:]!r}")
    if isinstance(script, Mapping):
        for pattern, entry in script.items():
            if re.search(pattern, prompt):
                return entry
        raise SolonError(f"the script has nothing for request {number}: {prompt[-80:]!r}")
    return script


def _end(reply: str, request: WriteRequest) -> Completion:
    """The reply as the protocol has it: cut before a stop string and at the length limit."""
    place = first_stop(reply, request.stop)
    text = (reply if place is None else reply[:place]).strip()
    words = text.split()
    if len(words) >= request.max_new_tokens:  # what ends a reply is a token too
        kept = " ".join(words[: request.max_new_tokens])
        return Completion(prompt=request.prompt, text=kept, tokens=request.max_new_tokens, ended="length")
    ended: Literal["eos", "stop"] = "eos" if place is None else "stop"
    return Completion(prompt=request.prompt, text=text, tokens=len(words) + 1, ended=ended)
