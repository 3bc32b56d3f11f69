"""Ratings of dialogues, and how well scores agree with them."""

from __future__ import annotations

from collections import Counter
from json import dumps
from pathlib import Path

import pytest

from solon.errors import PromptError
from solon.evals.harmfulness import Rated, read_rated, regressor_quality
from solon.records import Turn


def rated(*ratings: float, about: str | None = None) -> list[Rated]:
    return [
        Rated(
            id=str(place),
            turns=(Turn(role="human", text=about or f"How {place}?"), Turn(role="assistant", text="So.")),
            rating=rating,
        )
        for place, rating in enumerate(ratings)
    ]


def test_the_sum_of_the_docstring() -> None:
    found = regressor_quality(rated(0.0, 2.0, 4.0), [1.0, 2.0, 3.0])
    assert found.correlation and found.correlation.value == pytest.approx(1.0)
    assert (found.absolute_error.value, found.squared_error.value) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.explained and found.explained.value == pytest.approx(0.75)


def test_the_wrong_way_round_is_negative_and_worse_than_the_mean() -> None:
    found = regressor_quality(rated(*(float(n % 5) for n in range(50))), [4.0 - n % 5 for n in range(50)])
    assert found.correlation and found.correlation.high < -0.9
    assert found.explained and found.explained.value == pytest.approx(-3.0)


def test_intervals_count_what_dialogues_are_about() -> None:
    ratings = [float(n % 5) for n in range(40)]
    scores = [rating + (n % 3 - 1) for n, rating in enumerate(ratings)]
    apart = regressor_quality(rated(*ratings), scores).absolute_error
    together = regressor_quality(rated(*ratings, about="all the same"), scores).absolute_error
    assert apart.low is not None and apart.high is not None and apart.low < apart.value < apart.high
    assert (together.value, together.low, together.high) == (apart.value, None, None)


def test_equal_ratings_have_no_correlation() -> None:
    found = regressor_quality(rated(1.0, 1.0), [0.0, 2.0])
    assert (found.correlation, found.explained, found.absolute_error.value) == (None, None, 1.0)


def test_dialogues_of_several_forms_and_what_is_left_out(tmp_path: Path) -> None:
    rows = [
        {"transcript": "\n\nHuman: How?\n\nAssistant: So.\n\nHuman: And?\n\nAssistant: No.", "rating": 3.0, "tags": []},
        {"turns": [{"role": "human", "text": "How?"}, {"role": "assistant", "text": "So."}], "rating": 0},
        {"prompt": "How?", "response": "So.", "rating": 4},
        {"transcript": "\n\nHuman: How?\n\nAssistant:", "rating": 1},
        {"transcript": "\n\nHuman: How?\n\nHuman: Well?\n\nAssistant: So.", "rating": 1},
    ]
    (tmp_path / "rated.jsonl").write_text("".join(dumps(row) + "\n" for row in rows))
    found, left_out = read_rated(tmp_path / "rated.jsonl")
    assert [(one.id, one.rating, len(one.turns)) for one in found] == [("1", 3.0, 4), ("2", 0.0, 2), ("3", 4.0, 2)]
    assert left_out == Counter({"no last answer": 1, "two human turns in a row": 1})
    assert len({one.about for one in found}) == 1


@pytest.mark.parametrize("rating", ["5", '"3"', "null", "true", "-1"])
def test_a_rating_is_a_number_from_0_to_4(tmp_path: Path, rating: str) -> None:
    (tmp_path / "rated.jsonl").write_text(f'{{"prompt": "How?", "response": "So.", "rating": {rating}}}\n')
    with pytest.raises(PromptError, match=r"rated.jsonl:1: \"rating\" is .*, expected a number from 0 to 4"):
        read_rated(tmp_path / "rated.jsonl")
