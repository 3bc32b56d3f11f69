"""The judge as the reward (online AI feedback): in every step it compares the answers of the policy as it is now.

An answer earns its mean probability of winning over those that it met (2401.04056), from soft labels as in CAI section
4.1, each under a principle drawn for the pair. Source of asking the judge in RL itself, in the place of a preference
model: 2402.04792, 2309.00267 (d-RLAIF).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from statistics import fmean

from solon.feedback.judge import Judge
from solon.feedback.rows import Rows
from solon.records import Comparison, Pair, Prompt
from solon.train.rollouts import Sample

Meeting = tuple[int, int]
EVEN = 0.5


def meetings(size: int, begins: int | None) -> list[Meeting]:
    """Which answers of a group are compared: each with the `begins` that follow it, in a circle; every two if that is
    None, or would be no less.

    Example: of four answers, each beginning one: (0, 1), (1, 2), (2, 3), (3, 0).
    """
    if begins is None or 2 * begins >= size - 1:
        return list(combinations(range(size), 2))
    return [(one, (one + step) % size) for one in range(size) for step in range(1, begins + 1)]


def mean_wins(size: int, p_first: Mapping[Meeting, float | None]) -> list[float]:
    """Each answer's mean probability of winning, over the comparisons that were scored.

    None, a verdict that could not be read, says nothing of either answer. One without any verdict has 0.5, which is the
    mean over all comparisons, whoever wins.

    Example: of three, 0 beats 1 by 0.9 and 2 by 0.7, and 1 beats 2 by 0.6: 0.8, 0.35, 0.35.
    """
    won: list[list[float]] = [[] for _ in range(size)]
    for (first, second), p in p_first.items():
        if p is not None:
            won[first].append(p)
            won[second].append(1.0 - p)
    return [fmean(each) if each else EVEN for each in won]


@dataclass(frozen=True, kw_only=True)
class JudgeReward:
    """Scores samples by those beside them that answer the same prompt."""

    judge: Judge
    prompts: Mapping[str, Prompt]
    """By id."""
    begins: int | None
    """As `meetings` takes it."""
    heard: Callable[[Rows[Comparison]], object]
    """Told in every step what the judge said."""

    def __call__(self, samples: Sequence[Sample]) -> list[float]:
        """Equal texts are even, and nobody is asked."""
        groups = [list(some) for _, some in groupby(samples, lambda one: one.prompt.id)]
        met = [_pairs(some, meetings(len(some), self.begins)) for some in groups]
        asked = [pair for pairs in met for pair in pairs.values() if pair.a != pair.b]
        rows = self.judge.compare(asked, self.prompts)
        self.heard(rows)
        said = {row.id: row.p_a_preferred for row in rows.records}

        def p_first(pair: Pair) -> float | None:
            return EVEN if pair.a == pair.b else said.get(pair.id)

        wins = (
            mean_wins(len(some), {which: p_first(pair) for which, pair in pairs.items()})
            for some, pairs in zip(groups, met, strict=True)
        )
        return [win for some in wins for win in some]


def _pairs(group: Sequence[Sample], met: Sequence[Meeting]) -> dict[Meeting, Pair]:
    """The id of each names both samples, and so the step: its principle and order are drawn anew in every step."""
    return {
        (a, b): Pair(
            id=f"{group[a].id}:{group[b].id}",
            prompt_id=group[a].prompt.id,
            a=group[a].answer.text,
            b=group[b].answer.text,
        )
        for a, b in met
    }
