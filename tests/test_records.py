"""Who wrote and who judged: said where the stage does not say it, and nowhere else."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from solon.artifacts.atomic import canonical_json
from solon.records import Comparison, Prompt, Turn

OWN = Comparison(id="c", prompt_id="p", a="A.", b="B.", p_a_preferred=0.8, rater="model", objective="harmlessness")
GIVEN = OWN.model_copy(update={"rater": "human", "model_a": "north", "model_b": "south", "rater_id": "r7"})


def test_names_that_nobody_gave_are_not_in_the_row() -> None:
    assert list(json.loads(canonical_json(OWN)))[-1] == "raw"
    assert list(json.loads(canonical_json(GIVEN)))[-3:] == ["model_a", "model_b", "rater_id"]


@pytest.mark.parametrize("row", [OWN, GIVEN])
def test_rows_with_and_without_names_are_read_as_they_were_written(row: Comparison) -> None:
    assert Comparison.model_validate_json(canonical_json(row)) == row


def test_a_swap_exchanges_the_writers_and_twice_is_none() -> None:
    swapped = GIVEN.swap()
    assert (swapped.a, swapped.model_a, swapped.model_b, swapped.rater_id) == ("B.", "south", "north", "r7")
    assert swapped.p_a_preferred == pytest.approx(0.2)
    again = swapped.swap()
    assert again.model_copy(update={"p_a_preferred": 0.8}) == GIVEN


def test_a_speaker_may_be_the_system_and_speaks_first() -> None:
    system, human = Turn(role="system", text="Be brief."), Turn(role="human", text="Hello.")
    assert Prompt(id="p", kind="benign", turns=(system, human)).turns[0].role == "system"
    with pytest.raises(ValidationError, match="a system turn after the first turn"):
        Prompt(id="p", kind="benign", turns=(human, system, human))
