from __future__ import annotations

import json
from pathlib import Path

import pytest

from solon.errors import PromptError
from solon.evals.published.opinions import likeness, opinions, read_surveys


@pytest.mark.parametrize(
    ("one", "other", "places", "expected"),
    [
        ((1, 0, 0), (1, 0, 0), (1, 2, 3), 1.0),
        ((1, 0, 0), (0, 0, 1), (1, 2, 3), 0.0),
        ((1, 0, 0), (0.5, 0, 0.5), (1, 2, 3), 0.5),
        ((1, 0, 0), (0, 1, 0), (1, 2, 3), 0.5),
        ((1, 0, 0), (0, 1, 0), (0, 1, 10), 0.9),  # by the places of the options
        ((0.5, 0.5), (0.25, 0.75), (0, 1), 0.75),
    ],
)
def test_likeness(one: tuple[float, ...], other: tuple[float, ...], places: tuple[float, ...], expected: float) -> None:
    assert likeness(one, other, places) == pytest.approx(expected)
    assert likeness(other, one, places) == pytest.approx(expected)


def written(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_groups_are_ranked(tmp_path: Path) -> None:
    options = ["never", "sometimes", "always"]
    file = written(
        tmp_path / "survey.jsonl",
        {"question": "1?", "options": options, "people": {"young": [1, 0, 0], "old": [0, 0, 9]}, "model": [1, 0, 0]},
        {"question": "2?", "options": options, "people": {"young": [0, 1, 0], "old": [0, 0, 1]}, "model": [1, 0, 0]},
        {"question": "3?", "options": options, "people": [1, 1, 1]},
    )
    surveys = read_surveys(file)
    found = opinions(surveys, [survey.model for survey in surveys])
    assert [(one.group, one.n, one.representativeness.mean) for one in found.groups] == [
        ("young", 2, pytest.approx(0.75)),
        ("old", 2, pytest.approx(0.0)),
    ]
    assert found.unasked == 1
    assert surveys[2].people == {"everybody": pytest.approx((1 / 3, 1 / 3, 1 / 3))}
    assert surveys[0].question.text((0, 1, 2)) == (
        "1?\nOptions:\n (A) never\n (B) sometimes\n (C) always\n\nThe answer is:"
    )


def test_one_question_has_no_interval(tmp_path: Path) -> None:
    row = {"question": "?", "options": ["no", "yes"], "people": [1, 1], "model": [1, 0]}
    surveys = read_surveys(written(tmp_path / "survey.jsonl", row))
    one = opinions(surveys, [surveys[0].model]).groups[0].representativeness
    assert (one.mean, one.low, one.high) == (0.5, None, None)


def test_faults(tmp_path: Path) -> None:
    two = {"question": "?", "options": ["no", "yes"]}
    rows: list[dict[str, object]] = [
        {"question": "?", "options": ["no"], "people": [1]},
        {**two, "people": [1]},
        {**two, "people": [0, 0]},
        {**two, "people": [1, 1], "places": [2, 1]},
        {**two, "people": [1, 1], "places": [0, float("nan")]},
        {**two, "people": [1, 1], "places": [0, float("inf")]},
    ]
    file = written(tmp_path / "survey.jsonl", *rows)
    with pytest.raises(PromptError) as told:
        read_surveys(file)
    assert str(told.value).splitlines() == [
        f'{file}:1: "options" must be a list of at least two texts, in their order',
        f'{file}:2: "people" must be a list of 2 shares or counts, one for each option, and 1 more row like it',
        f'{file}:4: "places" must be a list of 2 numbers that ascend, one for each option, and 2 more rows like it',
    ]
