"""Quotas that fill while people come: seats for each category, and who finds one free.

A category has as many seats as its share of the people wanted, rounded up. Joint quotas have seats of their own.
Whoever does not say an attribute takes a seat of the whole alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from solon.collective.people.population import JOINER, Margin, Population

Answers = Mapping[str, str]
"""By attribute, as somebody gave them; empty: not said."""
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Seats:
    """One category of an attribute or of a joint quota."""

    margin: str
    category: str
    seats: int
    taken: int

    @property
    def free(self) -> bool:
        return self.taken < self.seats


def is_outside(population: Population, answers: Answers) -> bool:
    """Does a screening question say that somebody does not belong to the population?"""
    return any(answers.get(one.column, "") not in one.accepted for one in population.screening)


def category_in(population: Population, margin: Margin, answers: Answers) -> str | None:
    """The category of a margin that somebody belongs to; None if they did not say.

    Answers are merged as the population says: `75+` may be `55-74`.
    """
    parts = [population.attributes[name].category(answers.get(name, "")) for name in margin.attributes]
    return JOINER.join(parts) if all(parts) else None


def seats(population: Population, people: Iterable[Answers]) -> list[Seats]:
    """Every category with its seats and how many `people` took. None at all where no number of people is wanted.

    Of 100 wanted, 40% young: 40 seats; of 25, 10.
    """
    if not population.participants:
        return []
    everybody, found = list(people), []
    for margin in population.margins:
        taken = Counter(category_in(population, margin, answers) for answers in everybody)
        for category, share in margin.shares.items():
            wanted = ceil(share * population.participants - ROUNDING)
            found.append(Seats(margin=margin.name, category=category, seats=wanted, taken=taken[category]))
    return found


def has_seat(population: Population, people: Iterable[Answers], answers: Answers) -> bool:
    """Is there room for one more who answers so, beside these?"""
    everybody = list(people)
    if population.participants and len(everybody) >= population.participants:
        return False
    free = {(one.margin, one.category): one.free for one in seats(population, everybody)}
    own = ((margin.name, category_in(population, margin, answers)) for margin in population.margins)
    # A combination that nobody of the population has, has no seat.
    return all(free.get((name, category), False) for name, category in own if category is not None) if free else True
