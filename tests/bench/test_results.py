"""Results of measurements, and the page that is made of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from pydantic import ValidationError

from measuring.page import PAGE, page
from measuring.result import Bound, Result, append_results, at_least, at_most, newest, read_results, within


def result(figure: float, *, processor: str = "one core", asked: Bound | None = None, day: int = 1) -> Result:
    return Result(
        claim="texts",
        setting="8 rows",
        peer="somebody",
        peer_figure=2.0,
        solon_figure=figure,
        unit="texts/s",
        ratio=figure / 2.0,
        asked=asked,
        date=dt.date(2026, 1, day),
        processor=processor,
        versions={"torch": "2"},
    )


def test_the_page_is_what_the_results_make() -> None:
    """`python bench --page` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page(read_results())


def test_the_page_has_the_newest_figure_of_each_processor() -> None:
    text = page([result(4.0, day=1), result(5.0, processor="two | cores"), result(6.0, asked=at_least(3), day=2)])
    assert "| texts (8 rows) | somebody | 2 | 6 | texts/s | 3 | at least 3 | yes | 2026-01-02 |" in text
    assert "2026-01-01 |" in text.split("## two | cores")[1] and "| 4 |" not in text


def test_a_broken_promise_is_shown() -> None:
    assert "| at least 3 | NO |" in page([result(4.0, asked=at_least(3))])


def test_bounds_hold_at_their_edge() -> None:
    assert at_least(3).holds(3.0) and not at_least(3).holds(2.99)
    assert at_most(2.5).holds(2.5) and not at_most(2.5).holds(2.51)
    assert within(0.25).holds(0.75) and within(0.25).holds(1.25) and not within(0.25).holds(1.26)
    assert str(within(0.15)) == "within 15%"


def test_results_survive_the_file_and_take_the_place_of_older_ones(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    assert read_results(file) == []
    append_results([result(1.0), result(2.0)], file)
    append_results([result(3.0)], file)
    assert read_results(file) == [result(1.0), result(2.0), result(3.0)]
    assert newest(read_results(file)) == [result(3.0)]


def test_a_result_has_no_other_keys() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Result.model_validate(result(1.0).model_dump() | {"score": 1})
