"""A language model that says what it is told to: it drives the tests, and rehearses a run without any weights."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from solon.errors import SolonError
from solon.lm.protocols import OptionRequest, OptionScores, Progress, WriteRequest, Written
from solon.lm.stops import first_stop

Reply = str | Callable[[WriteRequest], str]
Scores = Sequence[float] | Callable[[OptionRequest], Sequence[float]]
T = TypeVar("T")
Script = Iterator[T] | Mapping[str, T] | Callable[..., Any]


class ScriptedModel:
    """`LanguageModel` by script.

    `replies` and `scores` are each a sequence, used up in order; a mapping from a regular expression to a reply, where
    the first that is found in the prompt counts; or a function of the request. Without `scores` every option is
    equally likely. A reply goes through stop strings and the length limit like any model's; its tokens are its words.
    A request that the script has no reply for is an error.
    """

    def __init__(
        self,
        replies: Sequence[Reply] | Mapping[str, Reply] | Callable[[WriteRequest], str] = (),
        scores: Sequence[Scores] | Mapping[str, Scores] | Callable[[OptionRequest], Sequence[float]] | None = None,
        *,
        max_context: int = 1 << 20,
    ):
        scores = equally_likely if scores is None else scores
        self._replies: Script[Reply] = iter(replies) if isinstance(replies, Sequence) else replies
        self._scores: Script[Scores] = iter(scores) if isinstance(scores, Sequence) else scores
        self.max_context = max_context
        self.written: list[WriteRequest] = []
        """Every request to write, in order."""
        self.scored: list[OptionRequest] = []
        """Every request to score options, in order."""

    def count_tokens(self, text: str, *, after: str = "") -> int:
        return len(text.split())

    def write(self, requests: Sequence[WriteRequest], *, progress: Progress | None = None) -> list[Written]:
        results = []
        for request in requests:
            self.written.append(request)
            reply = _find(self._replies, request.prompt, len(self.written))
            results.append(_end(reply if isinstance(reply, str) else reply(request), request))
        if progress and results:
            progress(len(results), sum(result.tokens for result in results))
        return results

    def score(self, requests: Sequence[OptionRequest], *, progress: Progress | None = None) -> list[OptionScores]:
        results = []
        for request in requests:
            self.scored.append(request)
            scores = _find(self._scores, request.prompt, len(self.scored))
            logprobs = tuple(scores(request) if callable(scores) else scores)
            if len(logprobs) != len(request.options):
                raise SolonError(f"the script has {len(logprobs)} scores for {len(request.options)} options")
            results.append(OptionScores(logprobs=logprobs))
        if progress and results:
            progress(len(results), sum(len(request.options) for request in requests))
        return results


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


def _end(reply: str, request: WriteRequest) -> Written:
    """The reply as the protocol has it: cut before a stop string and at the length limit."""
    place = first_stop(reply, request.stop)
    text = (reply if place is None else reply[:place]).strip()
    words = text.split()
    if len(words) > request.max_new_tokens:
        kept = " ".join(words[: request.max_new_tokens])
        return Written(text=kept, tokens=request.max_new_tokens, ended="length")
    return Written(text=text, tokens=len(words) + 1, ended="eos" if place is None else "stop")
