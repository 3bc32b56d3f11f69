"""OpinionQA (Santurkar et al. 2023, 2303.17548): how near are a model's opinions to those of people?

Both are distributions over the options of a survey question, which have an order. With W the 1-Wasserstein distance of
the two, and d the distance of the options farthest apart,

    representativeness = mean over questions of 1 - W / d

which is 1 if all distributions agree, and 0 if each puts everything at the two ends. W is the area between the two
cumulative distributions. Options that mean a refusal have no place in the order, and are to be left out of the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import isfinite
from pathlib import Path

from solon.data.faults import Fields, Malformed
from solon.evals.published.choices import Question
from solon.evals.published.rows import field, read_each, text
from solon.evals.statistics import grouped, mean
from solon.records import Record

EVERYBODY = "everybody"
"""The group of people where the file names none."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """A question, its options in their order, and what people said."""

    text: str
    options: tuple[str, ...]
    places: tuple[float, ...]
    """Of the options along their order."""
    people: Mapping[str, tuple[float, ...]]
    """By group: the share of each option."""
    model: tuple[float, ...] | None
    """What the model said, where the file has it."""

    @property
    def question(self) -> Question:
        """As a question with lettered options, of which none is right."""
        return Question(
            id=self.text,
            before=f"{self.text}\nOptions:",
            options=self.options,
            between="\n",
            ask="The answer is:",
            right=0,
            about=self.text,
        )


class Opinion(Record):
    """One question and one group of people."""

    question: str
    group: str
    likeness: float
    """1 - W / d."""


class MeanLikeness(Record):
    """A mean over questions with its 95% interval, which one question alone does not have."""

    mean: float
    low: float | None
    high: float | None


class Representativeness(Record):
    """Of one group of people."""

    group: str
    n: int
    representativeness: MeanLikeness


class Opinions(Record):
    """Of every group of people, the best represented first."""

    groups: tuple[Representativeness, ...]
    rows: tuple[Opinion, ...]
    unasked: int
    """Questions without a distribution of the model."""


def read_surveys(path: Path) -> list[Survey]:
    """Rows with `question`, `options` in their order, `people` (shares, or shares by group), and perhaps `places` and
    `model`. Raises `PromptError`."""
    return read_each(path, ("question", "options", "people", "places", "model"), _survey)


def opinions(surveys: Sequence[Survey], given: Sequence[Sequence[float] | None]) -> Opinions:
    """How well a model's distributions, one for each survey, represent each group of people."""
    rows = [
        Opinion(question=survey.text, group=group, likeness=likeness(shares, said, survey.places))
        for survey, said in zip(surveys, given, strict=True)
        if said is not None
        for group, shares in survey.people.items()
    ]
    groups = [
        Representativeness(group=group, n=len(own), representativeness=_mean([row.likeness for row in own]))
        for group, own in grouped(rows, lambda row: row.group).items()
    ]
    best = sorted(groups, key=lambda one: (-one.representativeness.mean, one.group))
    return Opinions(groups=tuple(best), rows=tuple(rows), unasked=sum(said is None for said in given))


def _mean(likenesses: Sequence[float]) -> MeanLikeness:
    found = mean(likenesses)
    if len(likenesses) == 1:
        return MeanLikeness(mean=found.mean, low=None, high=None)
    return MeanLikeness(mean=found.mean, low=found.low, high=found.high)


def likeness(one: Sequence[float], other: Sequence[float], places: Sequence[float]) -> float:
    """1 - W / d of two distributions over options at these places, which ascend.

    Example: at 1, 2, 3, everything at 1 against halves at 1 and 3: W = 0.5 * 2 = 1, d = 2: 0.5.
    """
    gaps = [after - before for before, after in pairwise(places)]
    apart = (abs(a - b) for a, b in zip(accumulate(one), accumulate(other), strict=True))
    distance = sum(gap * height for gap, height in zip(gaps, apart, strict=False))
    return 1.0 - distance / (places[-1] - places[0])


def _survey(fields: Fields) -> Survey:
    options = field(fields, "options")
    if not isinstance(options, list) or len(options) < 2 or not all(isinstance(one, str) for one in options):
        raise Malformed('"options" must be a list of at least two texts, in their order')
    people = field(fields, "people")
    groups = people if isinstance(people, dict) else {EVERYBODY: people}
    said = fields.get("model")
    return Survey(
        text=text(fields, "question"),
        options=tuple(options),
        places=_places(fields.get("places"), len(options)),
        people={str(group): _shares(shares, len(options), "people") for group, shares in groups.items()},
        model=None if said is None else _shares(said, len(options), "model"),
    )


def _shares(value: object, size: int, name: str) -> tuple[float, ...]:
    """Shares that add up to 1. Raises `Malformed`."""
    numbers = value if isinstance(value, list) else []
    good = len(numbers) == size and all(isinstance(one, int | float) and 0 <= one < float("inf") for one in numbers)
    if not good or not sum(numbers) > 0:
        raise Malformed(f'"{name}" must be a list of {size} shares or counts, one for each option')
    return tuple(float(one) / sum(numbers) for one in numbers)


def _places(value: object, size: int) -> tuple[float, ...]:
    if value is None:
        return tuple(float(place) for place in range(size))
    places = value if isinstance(value, list) else []
    good = len(places) == size and all(isinstance(one, int | float) and isfinite(one) for one in places)
    if not good or any(after <= before for before, after in pairwise(places)):
        raise Malformed(f'"places" must be a list of {size} numbers that ascend, one for each option')
    return tuple(float(one) for one in places)
