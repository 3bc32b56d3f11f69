"""Labels from scores, by worked arithmetic."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from data.examples import helpful, read_helpful
from solon.config.prompts import ReadingSection
from solon.errors import PromptError

TEXTS = {"prompt": "x", "chosen": "good", "rejected": "bad"}
NAMES = {"prompt": "x", "a": "good", "b": "bad"}


def labels(folder: Path, row: dict[str, Any], **how: Any) -> list[tuple[str, str, float | None]]:
    return [(c.a, c.b, c.p_a_preferred) for c in helpful(folder, row, **how).comparisons]


@pytest.mark.parametrize(
    ("scores", "temperature", "p"),
    [
        ({"score_chosen": 8.0, "score_rejected": 7.0}, 1.0, 0.7310585786),  # 1 / (1 + e^-1)
        ({"chosen_score": 8, "rejected_score": 5}, 1.0, 0.9525741268),  # 1 / (1 + e^-3)
        ({"chosen_score": "8", "rejected_score": "5"}, 3.0, 0.7310585786),
        ({"score_chosen": 7, "score_rejected": 8}, 0.5, 0.1192029220),  # 1 / (1 + e^2)
        ({"score_chosen": 2, "score_rejected": 2}, 1.0, 0.5),
        ({"score_chosen": 1e308, "score_rejected": 0}, 1.0, 1.0),
    ],
)
def test_a_label_is_the_logistic_of_the_difference(
    tmp_path: Path, scores: dict[str, Any], temperature: float, p: float
) -> None:
    ((a, b, label),) = labels(tmp_path, TEXTS | scores, scores="label", score_temperature=temperature)
    assert (a, b) == ("good", "bad")
    assert label == pytest.approx(p, abs=1e-9)
    ((_, _, ignored),) = labels(tmp_path, TEXTS | scores)
    assert ignored == 1.0


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (NAMES | {"better": "a"}, ("good", "bad", 1.0)),
        (NAMES | {"better": 0}, ("good", "bad", 1.0)),
        (NAMES | {"better": "B"}, ("bad", "good", 1.0)),
        (NAMES | {"better": "1"}, ("bad", "good", 1.0)),
        (NAMES | {"better": "tie"}, ("good", "bad", 0.5)),
        (NAMES | {"p_a_preferred": 0.25}, ("good", "bad", 0.25)),
        (NAMES | {"p_a_preferred": 0}, ("bad", "good", 1.0)),
        (NAMES | {"p_a_preferred": "1", "better": "b"}, ("good", "bad", 1.0)),
    ],
)
def test_of_a_and_b_the_row_says_which_is_better(
    tmp_path: Path, row: dict[str, Any], expected: tuple[str, str, float]
) -> None:
    assert labels(tmp_path, row) == [expected]


def test_scores_of_a_and_b(tmp_path: Path) -> None:
    ((a, b, p),) = labels(tmp_path, NAMES | {"score_a": 1, "score_b": 3}, scores="label", score_temperature=2)
    assert (a, b) == ("good", "bad") and p == pytest.approx(0.2689414214)  # 1 / (1 + e)


@pytest.mark.parametrize(("better", "first"), [(0.0, "good"), (1.0, "bad"), ("0.0", "good"), ("1.0", "bad")])
def test_whole_numbers_with_a_point_name_the_better_one(tmp_path: Path, better: object, first: str) -> None:
    ((a, _, p),) = labels(tmp_path, NAMES | {"better": better})
    assert (a, p) == (first, 1.0)


def test_decimal_scores(tmp_path: Path) -> None:
    row = TEXTS | {"score_chosen": Decimal("8.00"), "score_rejected": Decimal("7.00")}
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "p.parquet")
    (one,) = read_helpful(tmp_path / "p.parquet", ReadingSection(scores="label")).comparisons
    assert one.p_a_preferred == pytest.approx(0.7310585786, abs=1e-9)  # 1 / (1 + e^-1)


def test_a_number_has_no_underscores(tmp_path: Path) -> None:
    with pytest.raises(PromptError) as error:
        labels(tmp_path, TEXTS | {"score_chosen": "1_0", "score_rejected": "7"}, scores="label")
    assert str(error.value) == f'{tmp_path}/h.jsonl:1: "score_chosen" must be a finite number'


@pytest.mark.parametrize("better", ["Neither", "both", "", "ab"])
def test_neither_is_not_both_and_neither_is_a_tie(tmp_path: Path, better: str) -> None:
    """Defect of a published label reader: what it does not know falls through to another answer's count."""
    with pytest.raises(PromptError) as error:
        labels(tmp_path, NAMES | {"better": better})
    assert str(error.value) == f'{tmp_path}/h.jsonl:1: "better" is {better!r} (use a, b or tie; or 0 for a, 1 for b)'
