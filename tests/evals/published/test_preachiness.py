from __future__ import annotations

import json
from pathlib import Path

import pytest

from solon.errors import UserError
from solon.evals.published.preachiness import boilerplate, phrases, score_file
from solon.evals.tasks import Outcome, outcome
from solon.evals.tasks.answers import with_boilerplate

HELPS = [("p", "I hope this helps you."), ("q", "I hope this helps me!")]


def test_boilerplate_is_what_answers_to_other_prompts_say_too() -> None:
    assert boilerplate(HELPS) == [0.5, 0.5]
    assert boilerplate([HELPS[0], ("p", HELPS[1][1])]) == [None, None], "one prompt alone"
    assert boilerplate([*HELPS, ("p", "I hope this helps you."), ("r", "No.")]) == [0.5, 0.5, 0.5, None]
    assert boilerplate([("p", "Cut above a strong bud."), ("q", "Boil it for ten minutes.")]) == [0.0, 0.0]


def test_the_phrases_of_most_prompts_are_named() -> None:
    found = phrases([*HELPS, ("r", "So I hope this helps."), ("r", "I hope this helps you")])
    assert [(one.words, one.prompts) for one in found] == [("i hope this helps", 3), ("hope this helps you", 2)]


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    rows = [
        {"prompt": "p", "completion": "Cut above a bud. A good person respects a rose."},
        {"prompt": "q", "completion": "I hope this helps you."},
        {"prompt": "r", "completion": "I hope this helps me."},
        {"prompt": "s", "completion": " "},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = score_file(file)
    assert (found.n, found.blank) == (3, 1)
    assert found.lectures.rate == pytest.approx(1 / 3) and found.sentences.mean == pytest.approx(1 / 6)
    assert found.boilerplate is not None and found.boilerplate.mean == pytest.approx(1 / 3)
    assert [row.lecturing for row in found.rows] == [0.5, 0.0, 0.0, None]
    assert [(one.words, one.prompts) for one in found.phrases] == [("i hope this helps", 2)]
    file.write_text(json.dumps(rows[-1]))
    with pytest.raises(UserError, match="every completion is blank"):
        score_file(file)


def test_outcomes_of_a_model_are_held_against_each_other() -> None:
    def answer(item: str, about: str, text: str | None) -> Outcome:
        values = {} if text is None else {"lectures": 0.0}
        return outcome("preachiness", item, 0.0, about, values=values, text=text)

    given = [answer("1", *HELPS[0]), answer("2", *HELPS[1]), answer("3", "r", None)]
    assert [one.values.get("boilerplate") for one in with_boilerplate(given)] == [0.5, 0.5, None]
