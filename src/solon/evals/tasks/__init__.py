"""Evaluations that models of a run are asked alike, so that they can be compared item by item; a file for each kind.

An item knows how to ask a model, and gives an `Outcome` for each temperature: the values of its measures. What is made
of the outcomes of all items is in `evals.evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol, TypeVar

from pydantic import Field

from solon.lm.protocols import Completion, LanguageModel
from solon.prompting.context import Context
from solon.records import Record
from solon.seeds import generator

T = TypeVar("T")
Statistic = Literal["rate", "mean", "ratio", "perplexity"]
"""What is made of the values of a measure: their mean, of which a `rate` is a share; the sum of values by the sum of
weights; or e to the power of that."""


class Outcome(Record):
    """What a model made of one item at one temperature."""

    id: str
    task: str
    item: str
    temperature: float | None
    """None: nothing is drawn, and nothing chosen."""
    about: str
    """Items about the same thing are not independent."""
    values: dict[str, float]
    """By measure; those that the item does not have, or that could not be told, are missing."""
    weights: dict[str, float] = Field(default_factory=dict, exclude_if=lambda weights: not weights)
    """Of the values of ratios."""
    unscored: str | None = None
    """Why there are no values."""
    text: str | None = None
    """What the model wrote, if it wrote."""
    finished: bool | None = None
    """False if the token limit cut it off."""


class Write(Protocol):
    """How a model writes."""

    async def __call__(self, context: Context, temperature: float, most: int | None, /, *names: str) -> Completion:
        """A reply of at most so many new tokens (None: as held-out prompts are answered). `names`: of its seed."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A model that is evaluated, and how it is asked."""

    model: LanguageModel
    chat: bool
    """Whether it reads messages, and not plain text."""
    write: Write

    count_tokens: Callable[[str], int]
    seed: int


class Item(Protocol):
    """One item of an evaluation."""

    @property
    def task(self) -> str:
        """The evaluation."""

    @property
    def says(self) -> str:
        """What it puts before a model, as text."""

    def unasked(self, why: str) -> tuple[Outcome, ...]:
        """Its outcomes where nobody is asked."""

    async def ask(self, by: Asked) -> tuple[Outcome, ...]:
        """Where the model fails at this item, the outcome says why."""


def outcome(task: str, item: str, temperature: float | None, about: str = "", **more: object) -> Outcome:
    """An outcome, with the name that its evaluation, temperature and item give it."""
    at = "" if temperature is None else f"@{temperature:g}"
    names = {"id": f"{task}{at}/{item}", "task": task, "item": item, "about": about or item}
    return Outcome.model_validate({**names, "temperature": temperature, "values": {}, **more})


def spread(rows: Sequence[T], limit: int | None, kind: Callable[[T], str] = lambda row: "") -> list[T]:
    """At most so many, in their order: one, drawn, from each of as many equal parts of the rows, sorted by kind, so
    that each kind has its share. Files are sorted, so that their first rows are all of one kind, or kinds take turns,
    so that every tenth is. All runs draw the same."""
    order = sorted(range(len(rows)), key=lambda place: kind(rows[place]))
    count = len(rows) if limit is None else min(limit, len(rows))
    ends = [place * len(rows) // count for place in range(count + 1)] if count else [0]
    rng = generator(0, "slice", len(rows), count)
    return [rows[place] for place in sorted(order[int(rng.integers(low, high))] for low, high in pairwise(ends))]
