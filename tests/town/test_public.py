"""The public that is known: what it thinks, and that the world and the site understand it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from solon.collective.people.population import read_population
from solon.report.public.language import Language
from solon.town.compare import FAULTS
from solon.town.public import HOME, Person, Public, the_public
from solon.web.collect.moderating import usual_criteria
from solon.world.raters import terms_of


def test_what_it_agrees_on_and_what_not() -> None:
    public = the_public()
    assert public.agreed_faults() == ["harm", "rude", "evasive"]
    assert public.split_faults() == ["preachy"]
    assert {*public.agreed_faults(), *public.split_faults()} == FAULTS.keys()


def test_statements_name_the_faults_that_they_are_about() -> None:
    """By the oracle's own reading, which decides later what a constitution is about."""
    for one in the_public().statement:
        named = tuple(fault for fault in terms_of(one.text) if fault in FAULTS)
        assert named == ((one.about,) if one.about else ()), one.text


def test_somebody_votes_the_same_whenever_asked_and_districts_as_they_think() -> None:
    public = the_public()
    preaching = next(one for one in public.statement if "no preaching" in one.text)
    for home, share in enumerate(preaching.agrees):
        people = [Person(number=number, district=home, seed=3) for number in range(400)]
        votes = [one.vote(preaching) for one in people]
        assert votes == [one.vote(preaching) for one in people]
        assert abs(votes.count("agree") / 400 - share) < 0.04
    assert {"agree", "disagree", "pass"} == set(votes)


def test_other_seeds_are_other_people() -> None:
    one = the_public().statement[9]
    first, second = ([Person(number=at, district=0, seed=seed).vote(one) for at in range(99)] for seed in (0, 1))
    assert first != second


def test_the_site_asks_everybody_where_they_live() -> None:
    public = the_public()
    population = read_population(public.population(), Path("population"))
    assert tuple(population.attributes[HOME].shares) == ("harbour", "hill")


def test_rejections_name_a_criterion_of_the_site() -> None:
    criteria = usual_criteria(Language()).splitlines()
    assert [one.rejected in criteria for one in the_public().statement if one.rejected] == [True]


def test_what_does_not_fit_together_is_refused() -> None:
    data = the_public().model_dump()
    with pytest.raises(ValidationError, match="a share for every district"):
        Public.model_validate(data | {"district": data["district"][:1]})
    alone = [one | {"people": 1} for one in data["district"]]
    with pytest.raises(ValidationError, match="somebody who is not there"):
        Public.model_validate(data | {"district": alone})
