"""Which of two answers is better, by a model that reads one principle (CAI section 4.1).

What cannot be read is not a verdict: such a comparison is `unscored`, with the reason and the judge's text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

import numpy as np

from solon.config.feedback import JudgeSection
from solon.constitution.few_shots import FewShots
from solon.constitution.principles import Principle, draw
from solon.errors import EngineError, EngineUnavailableError, TooLongError, UnscoredError
from solon.feedback.answers import IDENTICAL
from solon.feedback.rows import Dropped, Rows, Sampler, fitting, note, run_rows
from solon.lm.batcher import together
from solon.lm.protocols import Completion, OptionScores
from solon.prompting.comparison import OPTIONS, ComparisonFormat, Example, Task, draw_comparisons, reasoned
from solon.prompting.context import Context, digest
from solon.records import Comparison, Pair, Prompt

Side = Literal["a", "b"]
DRAWINGS = 2
"""So often a stage draws its few-shot examples, each time once more with the better answers in the other places. Rows
take one of these by chance: an engine reads it once for all that share it."""


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    """On a pair in one order: the probability that `a` is better, or why there is none and the judge's text."""

    p_a: float | None = None
    context: Context | None = None
    """What was asked. None: it did not come so far."""
    rationale: str | None = None
    unscored: str | None = None
    raw: str | None = None
    bounded: bool = False
    """One log-probability is a bound."""
    unread: int = 0
    """Sampled replies that named no option."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A model that compares answers; with `cot` it reasons first, as its sampler says."""

    sampler: Sampler
    format: ComparisonFormat
    principles: Sequence[Principle]
    section: JudgeSection
    shots: FewShots = field(default_factory=FewShots)

    def __post_init__(self) -> None:
        """Raises `EngineUnavailableError` of an engine that could make no label."""
        can = self.sampler.model.can
        lacks = {
            "gives no log-probabilities, and the judge's labels are made of them": can.logprobs == "none",
            "cannot go on with a reply that is begun, and the judge's verdicts are": not can.prefill,
        }
        for what, lacking in lacks.items():
            if lacking:
                hint = "choose another model as judge"
                raise EngineUnavailableError(f"{self.sampler.model.identity} {what}", hint=hint)

    @property
    def method(self) -> str:
        """How a label comes about: that of the section, or the same by sampled verdicts."""
        method = self.section.method
        if self.sampler.model.can.logprobs != "sampled":
            return method
        return "sampled" if method == "logprob" else f"{method}, sampled"

    def compare(
        self, pairs: Sequence[Pair], prompts: Mapping[str, Prompt], principle: Principle | None = None
    ) -> Rows[Comparison]:
        """One soft label per pair, in the order of the pairs: p(option of a) / (p(option of a) + p(option of b)).

        Each pair has `principle`, or one drawn from its own generator. It is shown in an order drawn from that, or in
        both with the labels averaged (`section.orders`; not in the paper). Labels are clamped into `section.clamp`.
        Example: log-probs -1.0 for (A) and -2.0 for (B) give p = 1 / (1 + exp(-1)) = 0.731 for the answer shown first.

        Unscored, never guessed: missing, NaN or infinite log-probabilities; empty or truncated reasoning. With both
        orders, one unreadable verdict leaves the pair unscored. Dropped: pairs that do not fit the context, even
        without few-shot examples (examples left out are noted), and identical answers.
        """
        rows = run_rows(self.label(pair, prompts[pair.prompt_id], principle) for pair in pairs)
        rows.noted.update(f"unscored: {row.unscored}" for row in rows.records if row.unscored is not None)
        return rows

    async def label(self, pair: Pair, prompt: Prompt, principle: Principle | None = None) -> Comparison:
        """From a verdict in one order, or in both; the principle, by default drawn, and the examples are the same in
        both."""
        if pair.a == pair.b:
            raise Dropped(IDENTICAL)
        rng = self.sampler.rng(pair.id)
        principle = principle or draw(self.principles, rng)
        drawn: Side = "a" if rng.random() < 0.5 else "b"
        orders: tuple[Side, ...] = ("a", "b") if self.section.orders == "both" else (drawn,)
        question = _question(principle)
        if self.section.method == "cot":
            shots = reasoned(self.shots.reasoning, question)
        else:
            shots = self._drawn(int(rng.integers(DRAWINGS)), mirrored=rng.random() < 0.5)
        verdicts = await together([self.verdict(pair, prompt, first, question, shots) for first in orders])
        failed = next((verdict for verdict in verdicts if verdict.p_a is None), None)
        if failed is None and any(verdict.bounded for verdict in verdicts):
            note("label from a bound on one log-probability")
        if unread := sum(verdict.unread for verdict in verdicts):
            note("sampled verdicts that named no option", unread)
        asked = [verdict.context.texts for verdict in verdicts if verdict.context]
        return Comparison(
            id=pair.id,
            prompt_id=pair.prompt_id,
            a=pair.a,
            b=pair.b,
            p_a_preferred=None if failed else self.clamped([v.p_a for v in verdicts if v.p_a is not None]),
            unscored=failed and failed.unscored,
            rater="model",
            objective="harmlessness",
            method=self.method,
            principle_id=principle.id,
            prompt_hash=digest(*chain.from_iterable(asked)) if asked else None,
            shown_first=drawn if len(orders) == 1 else "both",
            rationale="\n\n".join(v.rationale for v in verdicts if v.rationale is not None) or None,
            raw=failed and failed.raw,
        )

    def _drawn(self, number: int, *, mirrored: bool) -> list[Example]:
        """One of the stage's drawings of the examples."""

        def question(rng: np.random.Generator) -> str:
            return _question(draw(self.principles, rng))

        rng = self.sampler.rng("examples", number)
        return draw_comparisons(self.shots.comparison, question, rng, mirrored=mirrored)

    async def verdict(
        self, pair: Pair, prompt: Prompt, first: Side, question: str, shots: Sequence[Example]
    ) -> _Verdict:
        """The judge's, when it is shown the answer `first` first. Empty or truncated reasoning leads to none: an option
        after it means nothing."""
        model, rationale = self.sampler.model, None
        one, two = (pair.a, pair.b) if first == "a" else (pair.b, pair.a)
        task = Task(turns=prompt.turns, first=one, second=two, question=question)

        async def reason(shots: Sequence[Example]) -> tuple[Context, Completion]:
            context = self.format.reasoning(task, shots)
            return context, await self.sampler.complete(context, pair.id, "rationale", first, text="rationale")

        async def score(shots: Sequence[Example]) -> tuple[Context, OptionScores]:
            context = self.format.comparison(task, shots)
            return context, await model.score(context, OPTIONS)

        try:
            if self.section.method == "cot":
                asked, thought = await fitting(reason, shots)
                if not thought.text or thought.truncated:
                    reason_lost = "reasoning cut off" if thought.text else "empty reasoning"
                    return _Verdict(unscored=reason_lost, raw=thought.text)
                rationale = thought.text
                context = self.format.verdict(asked, rationale)
                scores = await model.score(context, OPTIONS)
            else:
                context, scores = await fitting(score, shots)
        except TooLongError:
            raise
        except EngineError as error:
            return _Verdict(unscored=error.reason, raw=_joined(rationale, str(error)), rationale=rationale)
        p_first = soft_label(scores)
        if p_first is None:
            raw = f"log-probabilities {', '.join(map(str, scores.logprobs)) or 'missing'}"
            raw = _joined(rationale, raw)
            return _Verdict(unscored="no probabilities", raw=raw, rationale=rationale, context=context)
        p_a = p_first if first == "a" else 1.0 - p_first
        bounded = bool(scores.bounded)
        return _Verdict(p_a=p_a, rationale=rationale, bounded=bounded, unread=scores.unread, context=context)

    def clamped(self, values: Sequence[float]) -> float:
        """Their mean."""
        low, high = self.section.clamp or (0.0, 1.0)
        return min(max(math.fsum(values) / len(values), low), high)


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


def check_unscored(verdicts: Sequence[str | None], max_share: float) -> None:
    """Raises `UnscoredError` if more than this share of verdicts could not be read. `verdicts`: why, None where one
    could."""
    reasons = Counter(reason for reason in verdicts if reason is not None)
    if reasons.total() > max_share * len(verdicts):
        listed = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
        raise UnscoredError(
            f"{reasons.total()} of {len(verdicts)} comparisons could not be read ({listed}), more than the "
            f"allowed share of {max_share:g} (judge.max_unscored)"
        )


def _question(principle: Principle) -> str:
    if principle.comparison_question is None:
        raise ValueError(
            f"principle {principle.id!r} has no comparison question; choose with Constitution.comparison_principles"
        )
    return principle.comparison_question


def _joined(rationale: str | None, raw: str) -> str:
    return raw if rationale is None else f"{rationale}\n{raw}"
