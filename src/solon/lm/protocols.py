"""All that the rest of Solon asks of a language model: complete one context, and score options after one.

Rows ask one at a time and side by side; what is computed together is the engine's business. An engine is a file in
`lm/engines` whose model fulfills `LanguageModel`, and a class of tests that holds it to the contract
(`tests/lm/contract.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, Protocol, runtime_checkable

from solon.prompting.context import Context

Progress = Callable[[int, int], None]
"""Called with (rows finished, tokens made) since the last call."""
Tell = Callable[[str], None]
"""Called with a part of a text while it is written. What it raises ends the writing."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What an engine can do."""

    logprobs: Literal["full", "top-k", "sampled", "none"]
    """Of options: exact; a bound for those that are not among the likeliest tokens; shares of sampled replies that name
    them; or none, and `score` raises `UnsupportedError`."""
    prefill: bool
    """Whether a context may begin the reply. Without it `UnsupportedError` is raised for one that does."""
    seed: bool
    """Whether the same request with the same seed gives the same text."""
    context: int | None
    """Tokens that a context and its reply may have together; None if the engine does not say."""
    manner: str = ""
    """How it asks, where an engine has several ways; the manifest keeps it."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How a reply is drawn. `lm/sampling.py` says which distribution that is."""

    max_new_tokens: int = 256
    temperature: float = 1.0
    """0 means greedy: the likeliest token, whatever the filters say."""
    top_k: int = 0
    """Only the k likeliest tokens. 0: off."""
    top_p: float = 1.0
    """Only the likeliest tokens that have this much probability together. 1: off."""
    min_p: float = 0.0
    """Only tokens that are at least this many times as likely as the likeliest. 0: off."""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """A reply, without what ended it and without surrounding white space."""

    prompt: str
    """What the model read, as exactly as the engine can say."""
    text: str
    tokens: int
    """Generated tokens, those that ended the reply included."""
    ended: Literal["stop", "eos", "length"]
    prompt_ids: tuple[int, ...] = ()
    """With `answer_ids` what reinforcement learning trains on; empty where the engine does not say."""
    answer_ids: tuple[int, ...] = ()
    """Every sampled token, the end token or stop string included: ending is the policy's act too."""
    logprobs: tuple[float, ...] = field(default=(), compare=False)
    """Log-probability of each answer token under the distribution it was drawn from, in nats. Not compared: it changes
    with the batch, by rounding."""

    @property
    def truncated(self) -> bool:
        """Whether the token limit ended it."""
        return self.ended == "length"


@dataclass(frozen=True, kw_only=True)
class OptionScores:
    """`logprobs[i]`: summed log-probability of the tokens of option i after the context, in nats, not renormalised."""

    logprobs: tuple[float, ...]
    bounded: frozenset[int] = frozenset()
    """Options that the engine did not see among the likeliest: their true log-probability is at most the one here,
    which is no more than that of any option it saw."""
    unread: int = 0
    """Of sampled replies: those that named no option, and do not count."""


class LanguageModel(Protocol):
    """A model and the engine that drives it.

    Both methods raise an `EngineError` where this request alone failed; anything else ends the stage.
    """

    @property
    def identity(self) -> str:
        """What a run must name to say which model it asked: the hash of its weights, or an address and a revision."""

    @property
    def can(self) -> Capabilities: ...

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        """The reply that the context waits for. `seed` is this request's own, of 64 bits; see `portable_seed`."""

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        """How likely each of the options is to come next in the reply."""


@runtime_checkable
class Streaming(Protocol):
    """A `LanguageModel` that says its replies while it writes them."""

    async def stream(self, context: Context, sampling: Sampling, *, seed: int, tell: Tell) -> Completion:
        """As `complete`, and the same reply. `tell` is given all that is certain of its text whenever that has grown;
        each time it begins with what was given before."""


# For engines that render contexts themselves.


@dataclass(frozen=True, kw_only=True)
class SampleRequest(Sampling):
    """A rendered prompt to complete, and how."""

    prompt: str
    """Literal: it holds every mark that the model is to read, and nothing is added."""
    seed: int
    """This row's own seed: the same request gives the same text in any batch, up to floating-point rounding."""
    stop: tuple[str, ...] = ()
    """The completion ends before the first of these strings."""

    @classmethod
    def of(cls, prompt: str, sampling: Sampling, *, seed: int, stop: tuple[str, ...]) -> SampleRequest:
        """A request for a reply that is drawn as `sampling` says."""
        how = {one.name: getattr(sampling, one.name) for one in fields(Sampling)}
        return cls(prompt=prompt, seed=seed, stop=stop, **how)


@dataclass(frozen=True, kw_only=True)
class ScoreRequest:
    """A rendered prompt, and the continuations to score after it."""

    prompt: str
    options: tuple[str, ...]
