"""What reinforcement learning did, step by step, read from the rollouts it kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import pstdev, pvariance
from typing import Annotated

from pydantic import Field

from solon.evals.statistics import Mean, Rate, distinct, grouped, mean, rate
from solon.records import Record, Rollout


class RLStep(Record):
    """The answers sampled in one step, before its update. Intervals treat prompts, not answers, as independent."""

    step: int
    n: int
    """Answers."""
    reward: Mean
    """Preference score minus the KL penalty, what the policy is trained to raise."""
    preference_score: Mean
    """With several terms, their sum."""
    terms: Annotated[dict[str, Mean], Field(exclude_if=lambda terms: not terms)] = Field(default_factory=dict)
    """Of the reward, before weights; not in the file where the reward is one score."""
    kl: Mean
    """Of the whole answer, policy against SL-CAI, in nats; one sample each, so a single step may be below 0."""
    tokens: float
    """Mean length."""
    finished: Rate
    """Share not cut off by the token limit."""
    distinct: Rate
    score_by_kind: dict[str, float]
    """Mean preference score of the answers to each kind of prompt."""
    score_spread: float | None = None
    """Standard deviation of the preference score over all answers. With `preference_score` it says how far the policy
    has moved the scores that the preference model gives, from those of SL-CAI in step 1. None in older summaries."""
    score_spread_within: float | None = None
    """The same among answers to one prompt: what algorithms that compare answers have to learn from."""


class RL(Record):
    """Reinforcement learning as a curve."""

    kl_coefficient: float
    """Reward lost per nat of KL."""
    steps: tuple[RLStep, ...]


def rl_curve(rollouts: Sequence[Rollout], kinds: Mapping[str, str], *, kl_coefficient: float) -> RL | None:
    """The curve of a whole run, None without rollouts. `kinds`: prompt id to kind.

    Example: two rollouts of one step with scores 1 and 3, KL 2 and 4, coefficient 0.1: reward 2 - 0.1 * 3 = 1.7.
    """
    if not rollouts:
        return None
    by_step = grouped(rollouts, lambda rollout: rollout.step)
    steps = tuple(_step(k, by_step[k], kinds, kl_coefficient) for k in sorted(by_step))
    return RL(kl_coefficient=kl_coefficient, steps=steps)


def _step(step: int, rows: Sequence[Rollout], kinds: Mapping[str, str], kl_coefficient: float) -> RLStep:
    prompts = [row.prompt_id for row in rows]
    by_kind = sorted(grouped(rows, lambda row: kinds[row.prompt_id]).items())
    return RLStep(
        step=step,
        n=len(rows),
        reward=mean([row.preference_score - kl_coefficient * row.kl for row in rows], prompts),
        preference_score=mean([row.preference_score for row in rows], prompts),
        terms={name: mean([row.terms[name] for row in rows], prompts) for name in rows[0].terms},
        kl=mean([row.kl for row in rows], prompts),
        tokens=sum(row.tokens for row in rows) / len(rows),
        finished=rate([row.finished for row in rows], prompts),
        distinct=distinct([row.text for row in rows]),
        score_by_kind={kind: sum(row.preference_score for row in own) / len(own) for kind, own in by_kind},
        score_spread=pstdev([row.preference_score for row in rows]),
        score_spread_within=_spread_within(rows),
    )


def _spread_within(rows: Sequence[Rollout]) -> float:
    """The root of the mean squared distance from the prompt's mean. Example: scores 1 and 3, and 10 and 10, of two
    prompts: (1 + 1 + 0 + 0) / 4 = 0.5, whose root is 0.707."""
    groups = grouped(rows, lambda row: row.prompt_id).values()
    return sqrt(sum(len(own) * pvariance([row.preference_score for row in own]) for own in groups) / len(rows))
