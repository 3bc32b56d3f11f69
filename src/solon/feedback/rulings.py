"""What a judge says of a pair under several principles, and what the label is made of: their mean, or the first of them
that is no tie."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from solon.constitution.principles import Principle
from solon.feedback.rows import note
from solon.feedback.verdicts import Opinion, Side, pooled
from solon.records import Verdict


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """Under one principle, in one order or in both."""

    principle: Principle
    orders: Sequence[Side]
    """Which answer was shown first."""
    opinions: Sequence[Opinion]
    """For each order."""

    @property
    def opinion(self) -> Opinion:
        """The mean of both orders. If one is missing there is none: the other alone would favor a place."""
        return pooled(self.opinions, strict=True)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """For the record."""
        return tuple(map(self._verdict, self.orders, self.opinions))

    def _verdict(self, first: Side, one: Opinion) -> Verdict:
        return Verdict(
            principle_id=self.principle.id,
            shown_first=first,
            p_a_preferred=one.p_a,
            unscored=one.unscored,
            raw=one.raw,
        )


Rule = Callable[[Principle], Coroutine[Any, Any, Ruling]]


async def until_one_decides(rule: Rule, principles: Sequence[Principle], tie: float) -> list[Ruling]:
    """The rulings up to the first that is farther than `tie` from 0.5; all, if none is. An unreadable one ends it too:
    no principle below may decide in its place."""
    rulings: list[Ruling] = []
    for principle in principles:
        rulings.append(await rule(principle))
        if _decides(rulings[-1], tie):
            break
    return rulings


def up_to_the_decider(rulings: Sequence[Ruling], tie: float) -> Sequence[Ruling]:
    """Of all rulings those that `until_one_decides` would have asked for."""
    ends = (place for place, ruling in enumerate(rulings, start=1) if _decides(ruling, tie))
    return rulings[: next(ends, len(rulings))]


def disagree(rulings: Sequence[Ruling], tie: float) -> bool:
    """Whether one prefers `a` and another `b`, each by more than `tie`.

    Example: 0.9, 0.5 and 0.2 do; 0.9 and 0.45 do not if the tie is 0.1.
    """
    sides = {p_a > 0.5 for one in rulings if (p_a := one.opinion.p_a) is not None and abs(p_a - 0.5) > tie}
    return len(sides) > 1


def _decides(ruling: Ruling, tie: float) -> bool:
    p_a = ruling.opinion.p_a
    return p_a is None or abs(p_a - 0.5) > tie


def mean_of(rulings: Sequence[Ruling], *, weighted: bool) -> Opinion:
    """Over principles. Those without a verdict are left out, and noted, unless none has one."""
    opinions = [ruling.opinion for ruling in rulings]
    found = pooled(opinions, [ruling.principle.weight for ruling in rulings] if weighted else None, strict=False)
    if found.p_a is not None:
        note("principles left out of a mean: no verdict", sum(one.p_a is None for one in opinions))
    return found
