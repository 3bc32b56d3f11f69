"""Which of two answers is better, by a model that reads one principle or several (CAI section 4.1).

A pair is put to the judge under each principle in each order; a label is made of the verdicts. What cannot be read is
not a verdict: such a comparison is `unscored`, with the reason and the judge's text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from solon.config.feedback import JudgeSection
from solon.constitution.few_shots import FewShots
from solon.constitution.principles import Principle, draw, draw_in_turn, draw_several
from solon.errors import EngineUnavailableError, UnscoredError
from solon.evals.reliability import tempered
from solon.feedback.answers import IDENTICAL
from solon.feedback.rows import Dropped, Rows, Sampler, note, run_rows
from solon.feedback.rulings import Rule, Ruling, disagree, mean_of, until_one_decides, up_to_the_decider
from solon.feedback.verdicts import Opinion, Question, Side, verdict
from solon.lm.batcher import together
from solon.prompting.comparison import ComparisonFormat, Example, draw_comparisons, reasoned
from solon.prompting.context import digest
from solon.records import Comparison, Pair, Prompt, Verdict

NO_CONFLICT = "no principles disagree about it"
"""Why a pair is dropped where only conflicts are wanted."""
DRAWINGS = 2
"""So often a stage draws its few-shot examples, each time once more with the better answers in the other places. Rows
take one of these by chance: an engine reads it once for all that share it."""

Shots = Callable[[Principle], Sequence[Example]]
"""Worked examples, for a question under a principle."""


def question_of(principle: Principle) -> str:
    """What a judge is asked under a principle."""
    if principle.comparison_question is None:
        raise ValueError(
            f"principle {principle.id!r} has no comparison question; choose with Constitution.comparison_principles"
        )
    return principle.comparison_question


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A model that compares answers; with `cot` it reasons first, as its sampler says."""

    sampler: Sampler
    format: ComparisonFormat
    principles: Sequence[Principle]
    """Those that are drawn from; with `precedence`, highest first."""
    section: JudgeSection
    shots: FewShots = field(default_factory=FewShots)
    asks: Callable[[Principle], str] = question_of
    """How a pair is asked about under a principle. Examples too: they would tell the principle's own question."""

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

        Each pair has `principle`, or as many as `section.principles` says, drawn from its own generator; with `first`
        `section.draws` at most, until one decides; or with `precedence` all, until one decides. It is shown in an order
        drawn from that generator, or in both (`section.orders`).
        With `section.conflicts` all are asked, and pairs about which they do not disagree are dropped.
        The label is the mean, scaled by `section.temperature` and clamped into `section.clamp`.
        Example: log-probs -1.0 for (A) and -2.0 for (B) give p = 1 / (1 + exp(-1)) = 0.731 for the answer shown first.

        Unscored, never guessed: missing, NaN or infinite log-probabilities; empty, truncated or refused reasoning. With
        both orders, one unreadable verdict leaves the principle without one; a mean over principles leaves that out
        (noted), and where precedence comes to it, the pair is unscored. Dropped: pairs that do not fit the context,
        even without few-shot examples (examples left out are noted), and identical answers.
        """
        rows = run_rows(self.label(pair, prompts[pair.prompt_id], principle) for pair in pairs)
        rows.noted.update(f"unscored: {row.unscored}" for row in rows.records if row.unscored is not None)
        return rows

    async def label(self, pair: Pair, prompt: Prompt, principle: Principle | None = None) -> Comparison:
        """By this principle alone, or as the section says. Orders and examples are the same under all principles."""
        if pair.a == pair.b:
            raise Dropped(IDENTICAL)
        rng = self.sampler.rng(pair.id)
        principles = [principle] if principle else self._chosen(rng)
        drawn: Side = "a" if rng.random() < 0.5 else "b"
        orders: tuple[Side, ...] = ("a", "b") if self.section.orders == "both" else (drawn,)
        rulings = await self._rulings(partial(self._rule, pair, prompt, orders, self._shots(rng)), principles)
        found, decider = self._decided(rulings)
        verdicts = tuple(one for ruling in rulings for one in ruling.verdicts)
        asked = [text for ruling in rulings for one in ruling.opinions for text in one.asked]
        return Comparison(
            id=pair.id,
            prompt_id=pair.prompt_id,
            a=pair.a,
            b=pair.b,
            p_a_preferred=None if found.p_a is None else self._scaled(found.p_a),
            unscored=found.unscored,
            rater="model",
            objective="harmlessness",
            method=self.method,
            principle_id=decider and decider.id,
            prompt_hash=digest(*asked) if asked else None,
            shown_first=drawn if len(orders) == 1 else "both",
            rationale=found.rationale,
            raw=found.raw,
            verdicts=verdicts if len(verdicts) > 1 or _more_is_known(verdicts) else (),
        )

    async def _rule(
        self, pair: Pair, prompt: Prompt, orders: Sequence[Side], shots: Shots, principle: Principle
    ) -> Ruling:
        question, own = self.asks(principle), shots(principle)
        asked = [Question(pair=pair, prompt=prompt, first=first, text=question, shots=own) for first in orders]
        said = await together([verdict(one, self.sampler, self.format, self.section) for one in asked])
        return Ruling(principle=principle, orders=orders, opinions=said)

    async def _rulings(self, rule: Rule, principles: Sequence[Principle]) -> Sequence[Ruling]:
        tie = self.section.tie
        if self.section.decide != "mean" and not self.section.conflicts:
            return await until_one_decides(rule, principles, tie)
        rulings = await together(map(rule, principles))
        if not self.section.conflicts or len(principles) == 1:
            return rulings
        decided = up_to_the_decider(rulings, tie)
        if decided[-1].opinion.p_a is not None and not disagree(rulings, tie):
            raise Dropped(NO_CONFLICT)
        return decided

    def _decided(self, rulings: Sequence[Ruling]) -> tuple[Opinion, Principle | None]:
        """What the label is, and the principle that it is by, unless it is a mean over several."""
        if self.section.decide != "mean" or len(rulings) == 1:
            found, decider = rulings[-1].opinion, rulings[-1].principle
        else:
            found, decider = mean_of(rulings, weighted=len(rulings) == len(self.principles)), None
        if found.bounded:
            note("label from a bound on one log-probability")
        if unread := sum(one.unread for ruling in rulings for one in ruling.opinions):
            note("sampled verdicts that named no option", unread)
        return found, decider

    def _chosen(self, rng: np.random.Generator) -> Sequence[Principle]:
        if self.section.decide == "precedence":
            return self.principles
        if self.section.decide == "first":
            return draw_in_turn(self.principles, self.section.draws, rng)
        return draw_several(self.principles, self.section.principles, rng)

    def _shots(self, rng: np.random.Generator) -> Shots:
        """The examples of a pair. Those with reasons keep their order, and ask as the principle does unless they have a
        question of their own; the others are one of the stage's drawings."""
        if self.section.method == "cot":
            return lambda principle: reasoned(self.shots.reasoning, self.asks(principle))
        examples = self._drawn(int(rng.integers(DRAWINGS)), mirrored=rng.random() < 0.5)
        return lambda principle: examples

    def _drawn(self, number: int, *, mirrored: bool) -> list[Example]:
        """One of the stage's drawings of the examples, each with a principle of its own."""

        def question(rng: np.random.Generator) -> str:
            return self.asks(draw(self.principles, rng))

        rng = self.sampler.rng("examples", number)
        return draw_comparisons(self.shots.comparison, question, rng, mirrored=mirrored)

    def _scaled(self, p_a: float) -> float:
        """Divided by the temperature, in log-odds, and clamped."""
        low, high = self.section.clamp or (0.0, 1.0)
        return min(max(tempered(p_a, self.section.temperature), low), high)


def _more_is_known(verdicts: Sequence[Verdict]) -> bool:
    """Whether a label's own fields do not tell all of them."""
    return any(one.raw is not None and one.unscored is None for one in verdicts)


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
