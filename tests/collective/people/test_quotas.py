"""Seats by category, taken while people come."""

from __future__ import annotations

from pathlib import Path

import pytest

from solon.collective.people.population import Population, read_population
from solon.collective.people.quotas import category_in, has_seat, is_outside, seats

TEXT = """
participants = 10
[attributes.age]
unknown = ["prefer not to say"]
merge = { older = "old" }
shares = { young = 40, old = 40, older = 20 }
[attributes.place]
shares = { town = 50, village = 50 }
[[joint]]
attributes = ["age", "place"]
shares = { "young | town" = 40, "old | town" = 10, "old | village" = 50 }
[[screening]]
column = "resident"
accepted = ["yes"]
"""


@pytest.fixture
def population() -> Population:
    return read_population(TEXT, Path("p.toml"))


def test_every_category_and_combination_has_its_share_rounded_up(population: Population) -> None:
    people = [{"age": "young", "place": "town"}, {"age": "older", "place": "village"}, {"age": "", "place": "town"}]
    told = [(one.margin, one.category, one.seats, one.taken) for one in seats(population, people)]
    assert told == [
        ("age", "young", 4, 1),
        ("age", "old", 6, 1),
        ("place", "town", 5, 2),
        ("place", "village", 5, 1),
        ("age × place", "young | town", 4, 1),
        ("age × place", "old | town", 1, 0),
        ("age × place", "old | village", 5, 1),
    ]


@pytest.mark.parametrize(
    ("there", "comes", "free"),
    [
        ([], {"age": "young", "place": "town"}, True),
        ([{"age": "young", "place": "town"}] * 4, {"age": "young", "place": "town"}, False),
        ([{"age": "old", "place": "town"}], {"age": "older", "place": "town"}, False),
        ([{"age": "old", "place": "town"}], {"age": "older", "place": "village"}, True),
        ([], {"age": "young", "place": "village"}, False),
        ([{"age": "young", "place": "town"}] * 4, {"age": "prefer not to say", "place": ""}, True),
        ([{}] * 10, {}, False),
    ],
    ids=["first", "full", "joint full by merging", "joint free", "nobody is both", "not said", "all taken"],
)
def test_who_finds_a_seat(
    population: Population, there: list[dict[str, str]], comes: dict[str, str], free: bool
) -> None:
    assert has_seat(population, there, comes) is free


def test_without_a_number_of_people_there_is_room_for_all(population: Population) -> None:
    open_to_all = population.model_copy(update={"participants": 0})
    assert seats(open_to_all, []) == [] and has_seat(open_to_all, [{}] * 1000, {"age": "young", "place": "village"})


def test_screening(population: Population) -> None:
    assert not is_outside(population, {"resident": "yes"})
    assert is_outside(population, {"resident": "Yes"}) and is_outside(population, {})


def test_a_category_by_its_merged_name(population: Population) -> None:
    age = population.margins[0]
    assert [category_in(population, age, {"age": one}) for one in ("older", "old", "prefer not to say")] == [
        "old",
        "old",
        None,
    ]
