"""Which of two answers is better, by a model that reads one principle (CAI section 4.1).

What cannot be read is not a verdict: such a comparison is `unscored`, with the reason and what the judge wrote.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from solon.config import JudgeSection, SamplingSection
from solon.constitution.few_shots import FewShots
from solon.constitution.principles import Principle, draw
from solon.errors import UnscoredError
from solon.feedback.made import TOO_LONG, Made, R, by_id, fitting
from solon.feedback.pair import IDENTICAL
from solon.lm.protocols import LanguageModel, OptionRequest, OptionScores, Progress, WriteRequest
from solon.prompting.comparison import OPTIONS
from solon.prompting.few_shots import ComparisonFormat, Task, Worked, draw_comparisons, reasoned
from solon.records import Comparison, Pair, Prompt
from solon.seeds import derive_seed, generator

Side = Literal["a", "b"]


@dataclass(kw_only=True)
class _Look:
    """One pair shown to the judge in one order."""

    pair: Pair
    principle: Principle
    first: Side
    """Which answer is shown as (A)."""
    task: Task
    worked: Sequence[Worked]
    seed: int
    prompt: str = ""
    """What stands before the option."""
    rationale: str | None = None
    p_a: float | None = None
    unscored: str | None = None
    raw: str | None = None
    too_long: bool = False

    def fail(self, reason: str, raw: str) -> None:
        self.unscored, self.raw = reason, raw


@dataclass(kw_only=True)
class _Judge:
    model: LanguageModel
    format: ComparisonFormat
    principles: Sequence[Principle]
    section: JudgeSection
    sampling: SamplingSection
    few_shots: FewShots
    seed: int
    stage: str
    progress: Progress | None
    noted: Counter[str] = field(default_factory=Counter)
    tokens: int = 0

    def looks(self, pair: Pair, prompt: Prompt) -> list[_Look]:
        """One look, or one in either order; the principle and the examples are the same in both."""
        rng = generator(self.seed, self.stage, pair.id)
        principle = draw(self.principles, rng)
        drawn: Side = "a" if rng.random() < 0.5 else "b"
        orders: tuple[Side, ...] = ("a", "b") if self.section.orders == "both" else (drawn,)
        question = _question(principle)
        if self.section.method == "cot":
            worked = reasoned(self.few_shots.reasoning, question)
        else:
            worked = draw_comparisons(self.few_shots.comparison, lambda own: _question(draw(self.principles, own)), rng)
        looks = []
        for first in orders:
            shown = (pair.a, pair.b) if first == "a" else (pair.b, pair.a)
            task = Task(turns=prompt.turns, first=shown[0], second=shown[1], question=question)
            seed = derive_seed(self.seed, self.stage, pair.id, "rationale", first)
            look = _Look(pair=pair, principle=principle, first=first, task=task, worked=worked, seed=seed)
            looks.append(look)
        return looks

    def reason(self, looks: Sequence[_Look]) -> None:
        """The judge thinks aloud. Empty or cut-off reasoning gives no verdict: an option after it means nothing."""
        ready = self._ready(looks, self._reasoning_request)
        answers = self.model.write([request for _, request in ready], progress=self.progress)
        for (look, request), written in zip(ready, answers, strict=True):
            self.tokens += written.tokens
            if not written.text:
                look.fail("empty reasoning", written.text)
            elif written.ended == "length":
                look.fail("reasoning cut off", written.text)
            else:
                look.rationale = written.text
                look.prompt = self.format.verdict(request.prompt, written.text)

    def score(self, looks: Sequence[_Look]) -> None:
        """The two options' probabilities, renormalised over the two."""
        ready = self._ready([look for look in looks if look.unscored is None], self._option_request)
        scores = self.model.score([request for _, request in ready], progress=self.progress)
        for (look, _), options in zip(ready, scores, strict=True):
            p_first = soft_label(options)
            if p_first is None:
                raw = f"log-probabilities {', '.join(map(str, options.logprobs)) or 'missing'}"
                look.fail("no probabilities", raw if look.rationale is None else f"{look.rationale}\n{raw}")
            else:
                look.p_a = p_first if look.first == "a" else 1.0 - p_first

    def _reasoning_request(self, look: _Look, worked: Sequence[Worked]) -> WriteRequest:
        return WriteRequest(
            prompt=self.format.reasoning(look.task, worked),
            seed=look.seed,
            max_new_tokens=self.sampling.max_new_tokens,
            temperature=self.sampling.temperature,
            stop=self.format.stop,
        )

    def _option_request(self, look: _Look, worked: Sequence[Worked]) -> OptionRequest:
        return OptionRequest(prompt=look.prompt or self.format.comparison(look.task, worked), options=OPTIONS)

    def _ready(self, looks: Sequence[_Look], build: Callable[[_Look, Sequence[Worked]], R]) -> list[tuple[_Look, R]]:
        """Looks that fit the context, with their requests; the others are marked."""
        ready = []
        for look in looks:
            shots = () if look.prompt else look.worked
            request = None if look.too_long else fitting(self.model, partial(build, look), shots, self.noted)
            look.too_long = request is None
            if request is not None:
                ready.append((look, request))
        return ready

    def comparison(self, looks: Sequence[_Look]) -> Comparison:
        """The verdict over the looks at one pair; none if any of them gave none."""
        failed = next((look for look in looks if look.unscored is not None), None)
        p: float | None = None
        if failed is None:
            values = [look.p_a for look in looks if look.p_a is not None]
            p = math.fsum(values) / len(values)
            if self.section.clamp is not None:
                low, high = self.section.clamp
                p = min(max(p, low), high)
        look = looks[0]
        rationales = [each.rationale for each in looks if each.rationale is not None]
        return Comparison(
            id=look.pair.id,
            prompt_id=look.pair.prompt_id,
            a=look.pair.a,
            b=look.pair.b,
            p_a_preferred=p,
            unscored=failed.unscored if failed else None,
            rater="model",
            objective="harmlessness",
            method=self.section.method,
            principle_id=look.principle.id,
            shown_first=look.first if len(looks) == 1 else "both",
            rationale="\n\n".join(rationales) or None,
            raw=failed.raw if failed else None,
        )


def judge(
    pairs: Sequence[Pair],
    prompts: Sequence[Prompt],
    model: LanguageModel,
    format: ComparisonFormat,
    principles: Sequence[Principle],
    section: JudgeSection,
    sampling: SamplingSection,
    *,
    seed: int,
    stage: str = "comparisons",
    few_shots: FewShots | None = None,
    progress: Progress | None = None,
) -> Made[Comparison]:
    """One soft label per pair, in the order of the pairs: p(option of a) / (p(option of a) + p(option of b)).

    Each pair has one principle, drawn from its own generator, and is shown in an order drawn from it, or in both with
    the labels averaged (`section.orders`; not in the paper). With `cot` the judge reasons first, at the temperature of
    `sampling`. Labels are then clamped into `section.clamp`. Worked example: log-probs -1.0 for (A) and -2.0 for (B)
    give p = 1 / (1 + exp(-1)) = 0.731 for the answer shown first.

    Unscored, never guessed: missing, NaN or infinite log-probabilities; empty or cut-off reasoning. With both orders,
    one unreadable look leaves the pair unscored. Dropped: pairs that do not fit the context, even without few-shot
    examples (examples left out are noted), and identical answers.
    """
    asked = by_id(prompts)
    worker = _Judge(
        model=model,
        format=format,
        principles=principles,
        section=section,
        sampling=sampling,
        few_shots=few_shots or FewShots(),
        seed=seed,
        stage=stage,
        progress=progress,
    )
    different = [pair for pair in pairs if pair.a != pair.b]
    looks = [worker.looks(pair, asked[pair.prompt_id]) for pair in different]
    every = [look for group in looks for look in group]
    if section.method == "cot":
        worker.reason(every)
    worker.score(every)
    kept = [group for group in looks if not any(look.too_long for look in group)]
    dropped = Counter({IDENTICAL: len(pairs) - len(different), TOO_LONG: len(looks) - len(kept)})
    comparisons = tuple(worker.comparison(group) for group in kept)
    unscored = Counter(f"unscored: {c.unscored}" for c in comparisons if c.unscored is not None)
    return Made(records=comparisons, dropped=+dropped, noted=worker.noted + unscored, tokens=worker.tokens)


def soft_label(scores: OptionScores) -> float | None:
    """The probability of the first of two options, renormalised over the two; None if either is missing.

    A language model gives every option some probability, so -inf means that the engine did not see it.
    """
    if len(scores.logprobs) != 2 or not all(math.isfinite(value) and value <= 1e-3 for value in scores.logprobs):
        return None
    first, second = scores.logprobs
    gap = first - second
    return 1.0 / (1.0 + math.exp(-gap)) if gap >= 0 else math.exp(gap) / (1.0 + math.exp(gap))


def check_unscored(comparisons: Sequence[Comparison], max_share: float) -> None:
    """Raises `UnscoredError` if more than this share of the comparisons has no verdict."""
    reasons = Counter(c.unscored for c in comparisons if c.unscored is not None)
    if reasons.total() > max_share * len(comparisons):
        listed = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
        raise UnscoredError(
            f"{reasons.total()} of {len(comparisons)} comparisons could not be read ({listed}), more than the "
            f"allowed share of {max_share:g} (judge.max_unscored)"
        )


def _question(principle: Principle) -> str:
    if principle.comparison_question is None:
        raise ValueError(
            f"principle {principle.id!r} has no comparison question; choose with Constitution.comparison_principles"
        )
    return principle.comparison_question
