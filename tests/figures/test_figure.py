"""What agrees with the paper is computed, and told in words."""

from __future__ import annotations

import pytest

from solon.evals.statistics import Interval
from solon.figures.figure import Claim, Expected, Held, held, outcome
from solon.figures.words import expected, measured, sentence


def interval(low: float, high: float) -> Interval:
    return Interval(value=(low + high) / 2, low=low, high=high)


@pytest.mark.parametrize(
    ("low", "high", "asked", "margin", "found"),
    [
        (0.01, 0.2, "above", 0.0, "agrees"),
        (-0.01, 0.2, "above", 0.0, "undecided"),
        (-0.2, -0.01, "above", 0.0, "disagrees"),
        (-0.2, -0.01, "below", 0.0, "agrees"),
        (0.01, 0.2, "below", 0.0, "disagrees"),
        (-0.02, 0.04, "same", 0.05, "agrees"),
        (-0.02, 0.04, "same", 0.03, "undecided"),
        (0.06, 0.1, "same", 0.05, "disagrees"),
        (-0.2, -0.06, "same", 0.05, "disagrees"),
        (-0.2, 0.2, "same", 0.05, "undecided"),
    ],
)
def test_the_rule(low: float, high: float, asked: Expected, margin: float, found: Held) -> None:
    assert held(interval(low, high), asked, margin) == found


def claim(found: Held) -> Claim:
    ends = {"agrees": (0.1, 0.3), "disagrees": (-0.3, -0.1), "undecided": (-0.1, 0.3)}[found]
    return Claim.of("something", interval(*ends), "above", "points", n=10)


def test_a_figure_agrees_if_all_of_its_claims_do() -> None:
    yes, no, open = (claim(held) for held in ("agrees", "disagrees", "undecided"))
    assert [one.held for one in (yes, no, open)] == ["agrees", "disagrees", "undecided"]
    assert outcome([yes, yes]) == "agrees"
    assert outcome([yes, no]) == outcome([yes, open]) == "agrees in part"
    assert outcome([no, open]) == "does not agree"
    assert outcome([open]) == "undecided"
    assert outcome([]) == "not measured"


def test_numbers_in_words() -> None:
    assert measured(interval(0.101, 0.145), "points") == "+12.3 points (+10.1 to +14.5)"
    assert measured(interval(-0.0001, 0.0002), "points") == "0.0 points (0.0 to 0.0)"
    assert measured(interval(-30.0, 50.0), "Elo") == "+10 Elo (\u221230 to +50)"
    assert measured(interval(0.5, 0.7), "share") == "60.0% (50.0 to 70.0)"
    same = Claim.of("x", interval(0, 0), "same", "points", n=1, margin=0.05)
    assert expected(same) == "within 5.0 points of 0"
    assert sentence([claim("agrees"), same]) == (
        "Something: +20.0 points (+10.0 to +30.0); x: 0.0 points (0.0 to 0.0)."
    )
