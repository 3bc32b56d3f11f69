from __future__ import annotations

import math

import pytest

from solon.feedback.answers import rate_pairs
from solon.records import Pair, Prompt, Turn

PROMPT = Prompt(id="p", kind="benign", turns=(Turn(role="human", text="How?"),))


class Longer:
    """Longer is more helpful; equal lengths are a tie; nobody can tell an empty answer."""

    def rate(self, prompt: Prompt, a: str, b: str) -> float | None:
        assert prompt == PROMPT
        if not a or not b:
            return None
        return 0.5 if len(a) == len(b) else float(len(a) > len(b))


def pair(name: str, a: str, b: str) -> Pair:
    return Pair(id=name, prompt_id="p", a=a, b=b, source="needless-refusal")


def test_ratings_are_about_a() -> None:
    made = rate_pairs(
        [pair("1", "long", "no"), pair("2", "no", "long"), pair("3", "ab", "cd")], [PROMPT], Longer(), "oracle"
    )
    assert [c.p_a_preferred for c in made.records] == [1.0, 0.0, 0.5]
    assert {(c.rater, c.objective, c.method) for c in made.records} == {("oracle", "helpfulness", "needless-refusal")}


def test_not_knowing_is_not_a_tie() -> None:
    made = rate_pairs([pair("1", "", "x")], [PROMPT], Longer(), "oracle")
    assert made.records[0].p_a_preferred is None
    assert made.records[0].unscored == "the rater cannot tell"
    assert made.noted == {"unscored: the rater cannot tell": 1}


def test_identical_answers_are_dropped() -> None:
    made = rate_pairs([pair("1", "x", "x")], [PROMPT], Longer(), "human")
    assert (made.records, made.dropped) == ((), {"identical": 1})


@pytest.mark.parametrize("value", [math.nan, 1.5, -0.1, math.inf])
def test_a_rating_must_be_a_probability(value: float) -> None:
    class Broken:
        def rate(self, prompt: Prompt, a: str, b: str) -> float | None:
            return value

    with pytest.raises(ValueError, match="not a probability"):
        rate_pairs([pair("1", "x", "y")], [PROMPT], Broken(), "human")
