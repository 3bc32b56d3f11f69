"""The simulated public: districts, what each thinks of every statement, and how every person votes on it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, Self

from pydantic import Field, model_validator

from solon.records import Record
from solon.seeds import generator

Vote = Literal["agree", "disagree", "pass"]
PASSES = 0.3
"""Share of those who do not agree. Assumption."""


class District(Record):
    """People who mostly vote alike."""

    name: str
    people: int = Field(ge=1)


class TownStatement(Record):
    """What somebody said, and what comes of it."""

    text: str
    about: str = ""
    """The fault of the world that it is against: `harm`, `rude`, `preachy`, `evasive`; empty: none that is measured."""
    agrees: tuple[float, ...]
    """Share that agrees, by district."""
    author: int | None = None
    """The person who writes it; None: the organisers' own."""
    rejected: str = ""
    """The criterion by which moderators reject it; empty: they accept it."""
    why: str = ""
    """What they say of it."""

    @property
    def agreed(self) -> bool:
        """Whether most of every district agree."""
        return min(self.agrees) > 0.5

    @property
    def split(self) -> bool:
        """Whether most of one district agree, and most of another do not."""
        return max(self.agrees) > 0.5 >= min(self.agrees)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody of a district."""

    number: int
    district: int
    seed: int

    def vote(self, one: TownStatement) -> Vote:
        """Always the same on the same words, whenever they are asked. Who writes a statement agrees with it."""
        if one.author == self.number:
            return "agree"
        rng = generator(self.seed, "town-vote", self.number, one.text)
        if rng.random() < one.agrees[self.district]:
            return "agree"
        return "pass" if rng.random() < PASSES else "disagree"


class Public(Record):
    """`public.toml`."""

    topic: str
    organiser: str
    description: str
    district: tuple[District, ...]
    statement: tuple[TownStatement, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(len(one.agrees) != len(self.district) for one in self.statement):
            raise ValueError("a statement needs a share for every district")
        if any(one.author is not None and one.author >= self.size for one in self.statement):
            raise ValueError("a statement is by somebody who is not there")
        return self

    @property
    def size(self) -> int:
        return sum(one.people for one in self.district)

    @property
    def seeds(self) -> list[TownStatement]:
        """The organisers' own."""
        return [one for one in self.statement if one.author is None]

    @property
    def written(self) -> list[TownStatement]:
        """What people write, in the order in which they do."""
        return [one for one in self.statement if one.author is not None]

    def people(self, seed: int) -> list[Person]:
        """All of them, one district after the other."""
        homes = (home for home, one in enumerate(self.district) for _ in range(one.people))
        return [Person(number=number, district=home, seed=seed) for number, home in enumerate(homes)]

    def about(self, fault: str) -> list[TownStatement]:
        """The statements against a fault that people vote on."""
        return [one for one in self.statement if one.about == fault and not one.rejected]

    def agreed_faults(self) -> list[str]:
        """Faults that every statement about them is agreed on."""
        return [fault for fault in self._faults() if all(one.agreed for one in self.about(fault))]

    def split_faults(self) -> list[str]:
        """Faults that the districts differ on."""
        return [fault for fault in self._faults() if all(one.split for one in self.about(fault))]

    def population(self) -> str:
        """A population file: the one question that people are asked, and how many live where."""
        shares = "".join(f"{one.name} = {one.people / self.size:.6f}\n" for one in self.district)
        question = 'question = "Where in town do you live?"'
        return f'title = "Everybody in town"\n[attributes.{HOME}]\n{question}\n[attributes.{HOME}.shares]\n{shares}'

    def _faults(self) -> Iterator[str]:
        return iter(dict.fromkeys(one.about for one in self.statement if one.about))


HOME = "district"
"""The column of what people answer about themselves."""


def the_public() -> Public:
    """The one that ships."""
    text = files("solon.town").joinpath("public.toml").read_text(encoding="utf-8")
    return Public.model_validate(tomllib.loads(text))
