"""Populations and samples for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from solon.collective.people.population import Attribute, Joint, Population, load_population
from solon.collective.people.sample import Sample
from solon.places import toml_places

GOOD = """\
title = "Adults in Redshire"
source = "made up"
participants = 200
minimum = 5

[attributes.age]
ordered = true
minimum = 8
unknown = ["prefer not to say"]
merge = { "75+" = "55-74" }
[attributes.age.shares]
"18-34" = 28
"35-54" = 34
"55-74" = 27
"75+" = 11

[attributes.region]
shares = { north = 0.4, south = 0.6 }

[[joint]]
attributes = ["age", "region"]
[joint.shares]
"18-34 | north" = 10
"18-34 | south" = 18
"35-54 | north" = 14
"35-54 | south" = 20
"55-74 | north" = 11
"55-74 | south" = 16
"75+ | north" = 5
"75+ | south" = 6

[[screening]]
column = "resident"
question = "Do you live in Redshire?"
accepted = ["yes"]
"""


def population_file(folder: Path, text: str = GOOD) -> Path:
    path = folder / "adults.toml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str = GOOD) -> Population:
    return load_population(population_file(folder, text))


Shares = Mapping[str, float]


def a_population(
    attributes: Mapping[str, Shares],
    *,
    joint: Mapping[tuple[str, ...], Shares] | None = None,
    ordered: Sequence[str] = (),
    minimum: int = 0,
    suppress_below: int = 10,
) -> Population:
    return Population(
        path=Path("adults.toml"),
        places=toml_places("".join(f"[attributes.{name}]\n" for name in attributes)),
        title="Adults",
        minimum=minimum,
        suppress_below=suppress_below,
        attributes={
            name: Attribute(shares=dict(shares), ordered=name in ordered) for name, shares in attributes.items()
        },
        joint=tuple(Joint(attributes=names, shares=dict(shares)) for names, shares in (joint or {}).items()),
    )


def a_sample(population: Population, *rows: tuple[int, tuple[str, ...]]) -> Sample:
    """From (how many people, their categories) in the order of the population's attributes; ids count from 1."""
    people = [categories for count, categories in rows for _ in range(count)]
    return Sample(
        population=population,
        participant_ids=np.arange(1, len(people) + 1),
        categories={name: tuple(one[at] for one in people) for at, name in enumerate(population.attributes)},
    )
