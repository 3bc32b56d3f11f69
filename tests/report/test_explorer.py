from __future__ import annotations

from typing import Any, cast

from report.sample import sample_data
from solon.report.explorer import explorer_data, spread


def test_spread_is_even_and_keeps_the_first() -> None:
    assert spread("abcd", 2) == ["a", "c"]
    assert spread("abc", 5) == ["a", "b", "c"]
    assert spread(range(100), 4) == [0, 25, 50, 75]


def test_every_row_leads_back_to_its_prompt_and_principle() -> None:
    found = cast(dict[str, Any], explorer_data(sample_data(3)))
    for name, listed in found["lists"].items():
        assert listed["rows"], name
        assert {row["prompt_id"] for row in listed["rows"]} <= set(found["prompts"])
    steps = [step for row in found["lists"]["chains"]["rows"] for step in row["steps"][1:]]
    assert {step["principle"] for step in steps} <= set(found["principles"])


def test_a_chain_carries_the_grade_of_each_round() -> None:
    data = sample_data(3)
    found = cast(dict[str, Any], explorer_data(data))
    scores = {(row.item, row.model): row for row in data.scores if row.grader == "oracle"}
    for row in found["lists"]["chains"]["rows"]:
        for number, step in enumerate(row["steps"]):
            values = scores[row["prompt_id"], f"assistant@{number}"].values
            assert values is not None
            names = ("harmful", "evasive", "preachy", "rude", "malformed")
            assert step["grade"]["faults"] == [name for name in names if values[name]]
