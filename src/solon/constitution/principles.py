"""Principles, and the constitution they make up.

A principle serves one or both stages: a critique request with its revision request (the supervised phase, CAI section
3.1), a comparison question (the RL phase, CAI section 4.1). The two stages may use different principles.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from solon.constitution.texts import Instruction, Text, Word
from solon.errors import ConstitutionError, Where
from solon.records import Record
from solon.text import did_you_mean, listed

WHOLE = "whole"
"""The id of what is asked by a constitution as a whole; no principle may have it."""
WHOLE_TAKEN = f"the id `{WHOLE}` stands for the constitution as a whole"
TEXT_KEYS = ("critique_request", "revision_request", "comparison_question")


def text_fault(critique_request: object, revision_request: object, comparison_question: object) -> str | None:
    """What is wrong with this set of texts, None if nothing: half a pair, or nothing at all."""
    if critique_request is None and revision_request is None and comparison_question is None:
        return "has no texts: neither a critique pair nor a comparison question"
    if (critique_request is None) != (revision_request is None):
        missing = "revision_request" if revision_request is None else "critique_request"
        return f"has half a pair: `{missing}` is missing"
    return None


class Principle(Record):
    """One principle, in the words that are put to a model."""

    id: Word
    """Stands in every row the principle shapes."""
    title: Text
    critique_request: Instruction | None = None
    revision_request: Instruction | None = None
    """Comes with a critique request, or not at all."""
    comparison_question: Instruction | None = None
    """Asks which of two answers is better; the options are shown after it."""
    weight: Annotated[float, Field(strict=True, gt=0.0, allow_inf_nan=False)] = 1.0
    """How often it is drawn, relative to the others. CAI drew all alike."""
    tags: tuple[Word, ...] = ()
    source: str = ""
    """Where it was taken from: a file and key, an article, a public statement."""

    @model_validator(mode="after")
    def _has_texts(self) -> Self:
        if fault := text_fault(self.critique_request, self.revision_request, self.comparison_question):
            raise ValueError(fault)
        return self

    @property
    def has_critique(self) -> bool:
        return self.critique_request is not None

    @property
    def has_comparison(self) -> bool:
        return self.comparison_question is not None


class Article(Record):
    """One article of a document. The principle of the same id quotes it, unless it has words of its own alone."""

    id: Word
    text: Text
    rank: int | None = None
    """The place in the order of precedence, from 0, of the heading that it is named by; articles below one such heading
    share it. None: the order leaves it out."""


class Constitution(Record):
    """Principles with a name. A document also has hard constraints and an order of precedence among its articles."""

    name: Text
    title: Text
    description: str = ""
    kind: Literal["list", "document"] = "list"
    principles: tuple[Principle, ...] = Field(min_length=1)
    hard_constraints: tuple[Text, ...] = ()
    """Documents only: what outranks every article. They already stand in every principle's texts."""
    constraint_question: Annotated[Instruction | None, Field(exclude_if=lambda question: question is None)] = None
    """Documents only: what asks a judge about the hard constraints, in the document's own words."""
    precedence: tuple[str, ...] = ()
    """Documents only: ids of articles, highest first."""
    articles: tuple[Article, ...] = Field((), exclude_if=lambda articles: not articles)
    """Documents only: one for each principle."""
    confirmed: bool = Field(True, exclude_if=lambda confirmed: confirmed)
    """False: proposed from a document, and not yet read by a person. Then no run uses it."""

    @model_validator(mode="after")
    def _ids_agree(self) -> Self:
        ids = [principle.id for principle in self.principles]
        if len(set(ids)) < len(ids):
            raise ValueError("two principles have the same id")
        if WHOLE in ids:
            raise ValueError(WHOLE_TAKEN)
        if not set(self.precedence) <= set(ids) or len(set(self.precedence)) < len(self.precedence):
            raise ValueError("the precedence must name each article at most once, and nothing else")
        return self

    @property
    def sha256(self) -> str:
        """Of everything in it, as canonical JSON: the same content has the same hash, whatever the file looked like.
        An article counts only if its principle has words of its own alone, and so does not quote it."""
        content = self.model_dump(mode="json", exclude={"articles"})
        said = {one.id: [text for key in TEXT_KEYS if (text := getattr(one, key))] for one in self.principles}
        unquoted = [one for one in self.articles if not any(one.text in text for text in said.get(one.id, ()))]
        if unquoted:
            content["articles"] = [one.model_dump(mode="json") for one in unquoted]
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def critique_principles(self, select: Sequence[str] = ()) -> tuple[Principle, ...]:
        """Those with a critique pair, in order; `select` narrows them to these ids or tags.

        Raises ConstitutionError if `select` names an unknown id or tag, or if no principle remains.
        """
        having = [one for one in self.principles if one.has_critique]
        return self._select(having, select, "critique pair", "critique_request and revision_request")

    def comparison_principles(self, select: Sequence[str] = ()) -> tuple[Principle, ...]:
        """Those with a comparison question, in order; otherwise as `critique_principles`."""
        having = [one for one in self.principles if one.has_comparison]
        return self._select(having, select, "comparison question", "comparison_question")

    def _select(
        self, having: Sequence[Principle], select: Sequence[str], what: str, keys: str
    ) -> tuple[Principle, ...]:
        known = sorted({name for principle in self.principles for name in (principle.id, *principle.tags)})
        unknown = [name for name in select if name not in known]
        if unknown:
            hints = [hint for hint in (did_you_mean(name, known) for name in unknown) if hint]
            raise ConstitutionError(
                f"constitution `{self.name}` has no principle or tag {listed(unknown)}",
                hint="; ".join([*hints, f"known are {listed(known)}"]),
            )
        chosen = tuple(one for one in having if not select or {one.id, *one.tags} & set(select))
        if not chosen:
            what += f" among {listed(select)}" if select else ""
            hint = f"give at least one principle a {keys}"
            raise ConstitutionError(f"constitution `{self.name}` has no {what}", hint=hint)
        return chosen


@dataclass(frozen=True, kw_only=True)
class ConstitutionFile:
    """A constitution that was read, and where each part of it stands."""

    constitution: Constitution
    path: Path
    lines: Mapping[tuple[str, str], int]
    """Line of each (principle id, key); an article has only the key `id`, its heading."""
    html: tuple[int, ...] = ()
    """Lines of a document with HTML, which no text of the constitution has."""

    def where(self, principle_id: str, key: str = "id") -> Where:
        """The line of a principle's key, or of the principle if the key was left out."""
        return Where(self.path, self.lines.get((principle_id, key)) or self.lines.get((principle_id, "id")))


def draw(principles: Sequence[Principle], rng: np.random.Generator) -> Principle:
    """One principle, with probability weight / sum of weights, from a single uniform number of `rng`.

    With weights 1 and 3, a number below 0.25 draws the first. Drawing again is independent, as in CAI section 3.1.
    """
    edges = np.cumsum([principle.weight for principle in principles])
    index = int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))
    return principles[min(index, len(principles) - 1)]


def draw_several(principles: Sequence[Principle], count: int, rng: np.random.Generator) -> Sequence[Principle]:
    """So many different ones, each drawn from those that are left; all, in their order, if there are no more."""
    if count > 1 and count >= len(principles):
        return principles
    return draw_in_turn(principles, count, rng)


def draw_in_turn(principles: Sequence[Principle], count: int, rng: np.random.Generator) -> Sequence[Principle]:
    """So many different ones at most, in the order in which they are drawn, each from those that are left."""
    left, drawn = list(principles), []
    for _ in range(min(count, len(principles))):
        drawn.append(draw(left, rng))
        left.remove(drawn[-1])
    return drawn
