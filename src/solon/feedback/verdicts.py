"""What a judge says of a pair that it is asked about once: in one order, under one principle.

What cannot be read is not a verdict: it has the reason, and the judge's text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

from solon.config.feedback import JudgeSection
from solon.errors import EngineError, ProseError, TooLongError
from solon.evals.lexical import refusal
from solon.feedback.rows import Sampler, fitting, note
from solon.lm.batcher import together
from solon.lm.protocols import Completion, OptionScores
from solon.prompting.comparison import OPTIONS, ComparisonFormat, Example, Task
from solon.prompting.context import Context
from solon.records import Pair, Prompt

Side = Literal["a", "b"]
REFUSED = "refused by the judge"
_DECLINED = re.compile(
    r"\bI(?: am|['\u2019]m)? (?:can ?not|can['\u2019]t|won['\u2019]t|will not|unable to|not able to) (?:\w+ ){0,3}"
    r"(?:choose|compare|judge|decide|pick|evaluate|rate|rank)\b[^.,;:!?\n]*",
    re.IGNORECASE,
)
"""What a judge says that will not be one, with what it will not choose; `refusal` knows how other requests are refused.
"""
_NAMED = re.compile(
    r"\([AB]\)|\b(?:(?i:option|response|answer) [AB]|(?i:the (?:first|second|former|latter|one|other)))\b"
)
_QUOTED = re.compile(
    r"""["\u201c][^"\u201c\u201d]*["\u201d]|(?<!\w)['\u2018](?:[^'\u2018\u2019]|(?<=\w)['\u2019](?=\w))*['\u2019](?!\w)"""
)


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """On a pair: the probability that `a` is better, or why there is none, and the judge's text."""

    p_a: float | None = None
    asked: tuple[str, ...] = ()
    """The texts of what was asked (`Context.texts`). Empty: it did not come so far."""
    rationale: str | None = None
    unscored: str | None = None
    raw: str | None = None
    bounded: bool = False
    """One log-probability is a bound."""
    unread: int = 0
    """Sampled replies that named no option."""


def pooled(opinions: Sequence[Opinion], weights: Sequence[float] | None = None, *, strict: bool) -> Opinion:
    """One opinion of several: their mean. `strict`: there is none if one of them is missing; else, if all are.

    Example: 0.9, 0.6 and one that could not be read: 0.75, or with `strict` unscored.
    """
    weighed = zip(opinions, weights or [1.0] * len(opinions), strict=True)
    known = [(one.p_a, weight) for one, weight in weighed if one.p_a is not None]
    lost = next((one for one in opinions if one.p_a is None), None)
    unread = sum(one.unread for one in opinions)
    rationale = "\n\n".join(one.rationale for one in opinions if one.rationale is not None) or None
    heard = Opinion(asked=tuple(chain(*(one.asked for one in opinions))), rationale=rationale, unread=unread)
    if lost and (strict or not known):
        return replace(heard, unscored=lost.unscored, raw=lost.raw)
    p_a = math.fsum(weight * p for p, weight in known) / math.fsum(weight for _, weight in known)
    return replace(heard, p_a=p_a, bounded=any(one.bounded for one in opinions))


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a judge is asked once."""

    pair: Pair
    prompt: Prompt
    first: Side
    """The answer that is shown first."""
    text: str
    shots: Sequence[Example] = ()

    @property
    def task(self) -> Task:
        one, two = (self.pair.a, self.pair.b) if self.first == "a" else (self.pair.b, self.pair.a)
        return Task(turns=self.prompt.turns, first=one, second=two, question=self.text)


async def verdict(question: Question, sampler: Sampler, format: ComparisonFormat, section: JudgeSection) -> Opinion:
    """The judge's answer; with chain of thought, the mean after `section.rationales` of them. Those that led to none
    are noted, and kept in `raw`.

    Raises `TooLongError` of a question that does not fit the context, even without examples.
    """
    if section.method == "logprob":
        return await _at_once(question, sampler, format)
    numbers = range(section.rationales)
    opinions = await together(_reasoned(question, sampler, format, number) for number in numbers)
    found, lost = pooled(opinions, strict=False), [one for one in opinions if one.p_a is None]
    for one in lost if found.p_a is not None else ():
        note(f"rationales left out of a mean: {one.unscored}")
    raw = [one.raw for one in lost if one.raw is not None]
    return replace(found, raw="\n\n".join(raw) if raw else None)


async def _at_once(question: Question, sampler: Sampler, format: ComparisonFormat) -> Opinion:
    async def score(shots: Sequence[Example]) -> tuple[Context, OptionScores]:
        context = format.comparison(question.task, shots)
        return context, await sampler.model.score(context, OPTIONS)

    try:
        return _opinion(question, *await fitting(score, question.shots))
    except TooLongError:
        raise
    except EngineError as error:
        return _failed(error)


async def _reasoned(question: Question, sampler: Sampler, format: ComparisonFormat, number: int) -> Opinion:
    """Empty, truncated or refused reasoning leads to no verdict: an option after it means nothing."""
    seed: list[str | int] = [question.pair.id, "rationale", question.first, *([number] if number else [])]
    rationale = None

    async def reason(shots: Sequence[Example]) -> tuple[Context, Completion]:
        context = format.reasoning(question.task, shots)
        return context, await sampler.complete(context, *seed, text="rationale")

    try:
        asked, thought = await fitting(reason, question.shots)
        if lost := _lost(thought):
            return Opinion(unscored=lost, raw=thought.text)
        rationale = thought.text
        context = format.verdict(asked, rationale)
        return _opinion(question, context, await sampler.model.score(context, OPTIONS), rationale)
    except TooLongError:
        raise
    except EngineError as error:
        return _failed(error, rationale)


def _lost(thought: Completion) -> str | None:
    """Why nothing follows from a judge's reasoning."""
    if not thought.text:
        return "empty reasoning"
    if thought.truncated:
        return "reasoning cut off"
    return REFUSED if _refuses(thought.text) else None


def _refuses(text: str) -> bool:
    """Whether a judge declines in its own words. One that names an option does not, unless it is what it declines."""
    own = _QUOTED.sub(" ", text)
    rest, declined = _DECLINED.subn(" ", own)
    return (declined > 0 or refusal(own) == "whole") and _NAMED.search(rest) is None


def _opinion(question: Question, context: Context, scores: OptionScores, rationale: str | None = None) -> Opinion:
    p_first, heard = soft_label(scores), Opinion(asked=context.texts, rationale=rationale)
    if p_first is None:
        raw = f"log-probabilities {', '.join(map(str, scores.logprobs)) or 'missing'}"
        return replace(heard, unscored="no probabilities", raw=_joined(rationale, raw))
    p_a = p_first if question.first == "a" else 1.0 - p_first
    return replace(heard, p_a=p_a, bounded=bool(scores.bounded), unread=scores.unread)


def _failed(error: EngineError, rationale: str | None = None) -> Opinion:
    """Prose in the place of an option may be a refusal."""
    reason = REFUSED if isinstance(error, ProseError) and _refuses(error.said) else error.reason
    return Opinion(unscored=reason, raw=_joined(rationale, str(error)), rationale=rationale)


def _joined(rationale: str | None, raw: str) -> str:
    return raw if rationale is None else f"{rationale}\n{raw}"


def soft_label(scores: OptionScores) -> float | None:
    """The probability of the first of two options, renormalised over the two; None if it cannot be told.

    A language model gives every option some probability, so -inf means that the engine did not see it. A bound on one
    option stands for its value, which makes the label less sure than it should be, never more; a bound above the value
    of the other option, or bounds on both, say nothing. Example: an option at -0.1 beside one that is at most
    -4.1 gives 1 / (1 + exp(-4)) = 0.982 or more.
    """
    known = all(math.isfinite(value) and value <= 1e-3 for value in scores.logprobs)
    if len(scores.logprobs) != 2 or not known or len(scores.bounded) > 1:
        return None
    first, second = scores.logprobs
    if any(scores.logprobs[place] > min(scores.logprobs) for place in scores.bounded):
        return None
    gap = first - second
    return 1.0 / (1.0 + math.exp(-gap)) if gap >= 0 else math.exp(gap) / (1.0 + math.exp(gap))
