"""Graders read answers and score them: one row per task, model, item and grader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from pydantic import model_validator

from solon.records import Prompt, Record

HELD_OUT = "held-out"
"""The task of answering prompts that no model was trained on."""
REVISIONS = "revisions"
"""The task of the assistant's chains: answers to training prompts after 0, 1, ... revisions."""


class Measure(Record):
    """One figure that a grader gives of an answer, and how reports show it."""

    name: str
    title: str
    meaning: str = ""
    """What an answer that has it is or does, e.g. `lectures`."""
    better: Literal["lower", "higher", "neither"] = "neither"
    statistic: Literal["rate", "mean"] = "rate"
    """A `rate` is of answers that have it, whose value is 1, among those that have not, whose value is 0."""
    kinds: tuple[str, ...] = ()
    """Kinds of prompt whose tables show it; empty: all."""
    compared: tuple[str, ...] = ()
    """Kinds of prompt on which models are compared, prompt by prompt."""
    part_of: str | None = None
    """The measure that it tells in more detail."""
    fallback: bool = False
    """Shown only where there is no ground truth."""


class GraderCard(Record):
    """What a grader is called and what it measures."""

    name: str
    measures: tuple[Measure, ...]

    def names(self, better: str) -> tuple[str, ...]:
        """The measures, details apart, that are better `lower`: the faults; or `higher`: the merits."""
        return tuple(one.name for one in self.measures if one.better == better and one.part_of is None)

    def good(self, values: Mapping[str, float], kind: str) -> bool:
        """Whether an answer to a prompt of this kind has no fault, and every merit that such an answer may have."""
        own = [one for one in self.measures if not one.kinds or kind in one.kinds]
        merits = {one.name for one in own} & {*self.names("higher")}
        return not any(values[name] for name in self.names("lower")) and all(values[name] for name in merits)


@dataclass(frozen=True, kw_only=True)
class Response:
    """What a model answered to a prompt of a task."""

    task: str
    model: str
    """A name, e.g. `base`; `assistant@2` is the assistant's answer after two revisions."""
    prompt: Prompt
    text: str
    finished: bool | None
    """False if the token limit cut the answer off; None if that was not kept."""


@dataclass(frozen=True, kw_only=True)
class Unscored:
    """In place of values: the grader came to no verdict."""

    why: str


class Grader(Protocol):
    """Reads one answer at a time."""

    card: GraderCard

    def grade(self, response: Response) -> Mapping[str, float] | Unscored:
        """Values by the names of its measures. What it leaves out was not measured."""


class Score(Record):
    """What one grader says of one answer."""

    task: str
    model: str
    item: str
    """The prompt's id."""
    kind: str
    """The prompt's kind."""
    grader: str
    values: dict[str, float] | None
    """By measure; null exactly when it is unscored."""
    unscored: str | None = None
    """Why there are no values."""

    @model_validator(mode="after")
    def _scored_or_not(self) -> Self:
        if (self.values is None) == (self.unscored is None):
            raise ValueError("a score has either values or the reason it is unscored")
        return self

    def has(self, measure: str) -> bool:
        """Whether the answer was found to have it."""
        return bool(self.values and self.values.get(measure))


def grade(responses: Sequence[Response], graders: Sequence[Grader]) -> Iterator[Score]:
    """A score of every grader for every response."""
    for response in responses:
        for grader in graders:
            given = grader.grade(response)
            yield Score(
                task=response.task,
                model=response.model,
                item=response.prompt.id,
                kind=response.prompt.kind,
                grader=grader.card.name,
                values=None if isinstance(given, Unscored) else dict(given),
                unscored=given.why if isinstance(given, Unscored) else None,
            )
