"""What answers earn: a sum of named terms, each with a weight.

samples of a step -> the score of each term -> times their weights -> one reward per answer

A term scores all samples of a step at once, since some compare them: those of one prompt stand together. What is wrong
with a text is a score below 0, so weights are never negative. Scores of models can be standardized.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum
from statistics import fmean, pstdev

from solon.lm.protocols import Completion
from solon.records import Record
from solon.train.rollouts import PolicyPrompt, Sample

Scores = Sequence[float]
Score = Callable[[Sequence[Sample]], Scores]
"""One number per sample."""
EVEN = 1e-4
"""A standard deviation below this is rounding of equal scores, by which nothing is divided."""


@dataclass(frozen=True)
class OfAnswers:
    """A `Score` by prompts and answers alone; `prompts[i]` belongs to `answers[i]`."""

    score: Callable[[Sequence[PolicyPrompt], Sequence[Completion]], Scores]

    def __call__(self, samples: Sequence[Sample]) -> Scores:
        return self.score([one.prompt for one in samples], [one.answer for one in samples])


class Spread(Record):
    """Of the scores of one term in one step, before weights."""

    mean: float
    std: float
    """Population standard deviation."""

    @classmethod
    def of(cls, scores: Scores) -> Spread:
        return cls(mean=fmean(scores), std=pstdev(scores))

    def standardize(self, score: float) -> float:
        """Example: mean 2, standard deviation 4: a score of 8 becomes 1.5."""
        return (score - self.mean) / (self.std if self.std > EVEN else 1.0)


@dataclass(frozen=True, kw_only=True)
class Term:
    """One part of the reward."""

    name: str
    """As `rl.rewards` of the run file calls it, e.g. `length` or `models.kind`."""
    weight: float
    score: Score
    compares: bool = False
    """Whether scores say of answers only which of them are better, so that their mean is the same in every step."""
    standardized: bool = False
    """Whether mean and standard deviation of the first step's scores are taken out: the policy is then still what it
    started as."""


@dataclass(frozen=True, kw_only=True)
class Earned:
    """What the samples of a step earned, before any penalty for the KL or for being cut off."""

    rewards: Scores
    terms: Mapping[str, Scores]
    """The scores behind them, by term; empty where the reward is one score as it is."""

    @property
    def spreads(self) -> dict[str, Spread]:
        return {name: Spread.of(scores) for name, scores in self.terms.items()}

    @property
    def by_sample(self) -> list[dict[str, float]]:
        """The terms of each."""
        return [{name: scores[row] for name, scores in self.terms.items()} for row in range(len(self.rewards))]


@dataclass(frozen=True, kw_only=True)
class Reward:
    """The sum of its terms."""

    terms: tuple[Term, ...]
    first: Mapping[str, Spread] = field(default_factory=dict)
    """Of the first step; empty in that step."""

    @classmethod
    def of(cls, score: Score) -> Reward:
        """One score as it is."""
        return cls(terms=(Term(name="score", weight=1.0, score=score),))

    def after(self, first: Mapping[str, Spread]) -> Reward:
        """As it is in the steps after the first one, in which the scores were spread like this."""
        return replace(self, first=first)

    def __call__(self, samples: Sequence[Sample]) -> Earned:
        """Example: scores 3 and 1 of a standardized term of weight 2, -5 and 0 of a term of weight 0.1: 2 * 1 - 0.5
        = 1.5 and 2 * -1 - 0 = -2."""
        scores = {term.name: list(term.score(samples)) for term in self.terms}
        parts = [self._weighted(term, scores[term.name]) for term in self.terms]
        rewards = [fsum(each) for each in zip(*parts, strict=True)]
        return Earned(rewards=rewards, terms={} if self._plain else scores)

    @property
    def absolute(self) -> Reward:
        """The sum of scores as they are, but for those that compare answers with each other: what can be compared from
        one step to another."""
        return replace(self, terms=tuple(replace(one, standardized=False) for one in self.terms if not one.compares))

    def _weighted(self, term: Term, scores: Scores) -> Scores:
        if not term.standardized:
            return [term.weight * score for score in scores]
        spread = self.first.get(term.name) or Spread.of(scores)
        return [term.weight * spread.standardize(score) for score in scores]

    @property
    def _plain(self) -> bool:
        return len(self.terms) == 1 and self.terms[0].weight == 1.0 and not self.terms[0].standardized
