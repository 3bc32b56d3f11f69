"""What a judge favors besides what it is asked about: the answer shown first, the longer one, its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from solon.evals.statistics import Mean, Rate, mean, wilson
from solon.records import Comparison, Record

DECIDED = 0.1
"""How far from 0.5 a probability is at least that prefers an answer. Assumption, as `judge.tie`."""
Better = Literal["a", "b", "tie"]
"""Which answer is truly better under the comparison's principle."""


class PositionBias(Record):
    """Does the judge favor the answer it is shown first? Of labels of both orders, by what it said in each."""

    n: int
    """Verdicts. The figures of a pair that was shown in both orders are the mean of the two."""
    p_first: float
    """Mean probability given to the answer shown first."""
    excess: Mean
    """The same minus what it should be, in [-1, 1]: 1 where the first answer is truly better, 0 where the second is,
    0.5 for ties and without ground truth (the order is random, so an unbiased judge gives 0.5 on average)."""
    turned: Rate | None = None
    """Of pairs of which the judge prefers an answer in both orders: those where it is not the same; null where there
    are none."""


class Bias(Record):
    """Does the judge favor answers with some mark? Pairs in which neither or both have it are left out."""

    n: int
    p: float
    """Mean probability given to the marked answer."""
    excess: Mean
    """The same minus what it should be, as in `PositionBias`. Without ground truth this is no bias by itself: marked
    answers may be better."""


Marked = tuple[str, float, float]
"""The prompt, the probability given to a marked answer, and what that should be."""


def _marked(label: Comparison, p_a: float, side: str, better: Better | None) -> Marked:
    should = 0.5 if better in (None, "tie") else float(better == side)
    return label.prompt_id, p_a if side == "a" else 1.0 - p_a, should


def position_bias(comparisons: Sequence[Comparison], truths: Sequence[Better | None]) -> PositionBias | None:
    """Of scored comparisons. Example: label 0.8 for a, shown second, b truly better: p_first 0.2, should be 1, excess
    -0.8."""
    rows: list[Marked] = []
    turned: list[bool] = []
    n = 0
    for label, better in zip(comparisons, truths, strict=True):
        shown = list(_shown(label))
        n += len(shown)
        by_order = {first: fmean(said) for first, said in _by_order(shown).items() if said}
        if marked := [_marked(label, p_a, first, better) for first, p_a in by_order.items()]:
            rows.append((label.prompt_id, fmean(p for _, p, _ in marked), fmean(should for *_, should in marked)))
        sides = [prefers(p_a) for p_a in by_order.values()]
        if len(sides) == 2 and all(sides):
            turned.append(sides[0] != sides[1])
    if not rows:
        return None
    found = _bias(rows)
    share = wilson(sum(turned), len(turned)) if turned else None
    return PositionBias(n=n, p_first=found.p, excess=found.excess, turned=share)


def _shown(label: Comparison) -> Iterator[tuple[str, float]]:
    """Which answer stood first, and what a verdict gave to `a`."""
    for one in label.verdicts:
        if one.p_a_preferred is not None:
            yield one.shown_first, one.p_a_preferred
    if not label.verdicts and label.shown_first != "both" and label.p_a_preferred is not None:
        yield label.shown_first, label.p_a_preferred


def prefers(p_a: float) -> int:
    """1 for a, -1 for b, 0 for neither, by `DECIDED`."""
    return (p_a >= 0.5 + DECIDED) - (p_a <= 0.5 - DECIDED)


def _by_order(shown: Sequence[tuple[str, float]]) -> dict[str, list[float]]:
    """What the verdicts with `a` first gave to `a`, and those with `b` first."""
    return {side: [p_a for first, p_a in shown if first == side] for side in ("a", "b")}


def length_bias(comparisons: Sequence[Comparison], truths: Sequence[Better | None]) -> Bias | None:
    """For the answer with more words. Example: 0.8 for a, which is longer, and neither is better: excess 0.3."""
    rows = []
    for label, better in zip(comparisons, truths, strict=True):
        a, b = len(label.a.split()), len(label.b.split())
        if a != b and label.p_a_preferred is not None:
            rows.append(_marked(label, label.p_a_preferred, "a" if a > b else "b", better))
    return _bias(rows) if rows else None


def self_preference(comparisons: Sequence[Comparison], truths: Sequence[Better | None]) -> Bias | None:
    """For the judge's own answer (`rater_id` wrote it) beside another's; None where no label names all three."""
    rows = []
    for label, better in zip(comparisons, truths, strict=True):
        own = [side for side, who in (("a", label.model_a), ("b", label.model_b)) if who and who == label.rater_id]
        if len(own) == 1 and label.p_a_preferred is not None:
            rows.append(_marked(label, label.p_a_preferred, own[0], better))
    return _bias(rows) if rows else None


@dataclass(frozen=True, kw_only=True)
class JudgedGame:
    """A game between two players, and who judged it."""

    judge: str
    prompt: str
    a: str
    b: str
    p_a: float
    """1, 0, or one half for a tie."""

    def given_to(self, player: str) -> float:
        """What its judge gave to one of the two."""
        return self.p_a if player == self.a else 1.0 - self.p_a


def self_preference_of_players(games: Sequence[JudgedGame]) -> Bias | None:
    """For the judge's own answer, in games that it plays in and judges; None where there are none.

    What it should give is what judges who wrote neither answer give to it, on the mean, about the same prompt; where
    nobody else judged it, one half, and then the excess is no bias by itself: its answers may be better.

    Example: x judges x against y, and wins; y, who judges the same, ties, and z gives it to y: only z wrote neither, so
    the excess is 1 for x, and for y, who gives itself one half of what z gives whole, -0.5.
    """
    others: dict[tuple[str, frozenset[str]], list[JudgedGame]] = {}
    for game in games:
        if game.judge not in (game.a, game.b):
            others.setdefault((game.prompt, frozenset((game.a, game.b))), []).append(game)
    rows = []
    for game in games:
        if game.judge in (game.a, game.b):
            heard = others.get((game.prompt, frozenset((game.a, game.b))), [])
            should = fmean(one.given_to(game.judge) for one in heard) if heard else 0.5
            rows.append((game.prompt, game.given_to(game.judge), should))
    return _bias(rows) if rows else None


def _bias(rows: Sequence[Marked]) -> Bias:
    """Rows of one prompt are not independent."""
    excess = [p - should for _, p, should in rows]
    return Bias(n=len(rows), p=sum(p for _, p, _ in rows) / len(rows), excess=mean(excess, [name for name, *_ in rows]))
