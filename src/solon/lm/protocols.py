"""All that the rest of Solon asks of a language model: write text, and score options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Progress = Callable[[int, int], None]
"""Called with (rows finished, tokens made) since the last call."""


@dataclass(frozen=True, kw_only=True)
class WriteRequest:
    """One text to continue."""

    prompt: str
    """Literal: it holds every mark that the model is to read, and nothing is added."""
    seed: int
    """This row's own seed: the same request gives the same text in any batch, up to floating-point rounding."""
    max_new_tokens: int
    temperature: float = 1.0
    """0 means greedy."""
    stop: tuple[str, ...] = ()
    """Writing ends before the first of these strings; it is not part of the text."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written, without the stop string and without surrounding white space."""

    text: str
    tokens: int
    """Generated tokens, the stop included."""
    ended: Literal["stop", "eos", "length"]


@dataclass(frozen=True, kw_only=True)
class OptionRequest:
    """Which of these continuations does the model expect?"""

    prompt: str
    options: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OptionScores:
    """`logprobs[i]`: summed log-probability of the tokens of option i after the prompt, in nats, not renormalised."""

    logprobs: tuple[float, ...]


class Writer(Protocol):
    """Writes continuations; answers come back in the order of the requests."""

    def write(self, requests: Sequence[WriteRequest], *, progress: Progress | None = None) -> list[Written]: ...


class OptionScorer(Protocol):
    """Scores options; answers come back in the order of the requests."""

    def score(self, requests: Sequence[OptionRequest], *, progress: Progress | None = None) -> list[OptionScores]: ...


class LanguageModel(Writer, OptionScorer, Protocol):
    """Both."""


@runtime_checkable
class ContextBound(Protocol):
    """A model that knows how much it can read."""

    @property
    def max_context(self) -> int:
        """Tokens that a prompt and what follows it may have together."""

    def count_tokens(self, text: str, *, after: str = "") -> int:
        """Length of `text` as a prompt, or as what follows the prompt `after`."""
