from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from constitution_files import told
from solon.config.paths import FEW_SHOTS_FILE
from solon.constitution.few_shots import FewShots, load_few_shots
from solon.records import Turn

SHOT: dict[str, Any] = {"turns": [{"role": "human", "text": "Hello"}], "better": "Hi", "worse": "No"}


def write(folder: Path, value: object) -> Path:
    (folder / FEW_SHOTS_FILE).write_text(
        value if isinstance(value, str) else json.dumps(value, indent=1), encoding="utf-8"
    )
    return folder


def test_every_kind_may_be_left_out(tmp_path: Path) -> None:
    assert load_few_shots(write(tmp_path, {})) == FewShots()
    [shot] = load_few_shots(write(tmp_path, {"comparison": [SHOT]})).comparison
    assert (shot.turns, shot.better, shot.worse) == ((Turn(role="human", text="Hello"),), "Hi", "No")


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([], "must end with a human turn"),
        ([{"role": "assistant", "text": "Hi"}], "must end with a human turn"),
        ([{"role": "human", "text": "a"}] * 2, "has two human turns in a row"),
        (
            [{"role": role, "text": "a"} for role in ("human", "system", "human")],
            "has a system turn after the first turn",
        ),
        ([{"role": "human", "text": "\ud800"}], "has half a character at position 0, a lone surrogate"),
        ([{"role": "human", "text": " "}], "is empty; write the text or leave the key out"),
    ],
)
def test_a_dialogue_that_does_not_await_an_answer(tmp_path: Path, turns: object, message: str) -> None:
    folder = write(tmp_path, {"comparison": [SHOT | {"turns": turns}]})
    assert told(lambda: load_few_shots(folder), tmp_path) == [f"few_shots.json:4: `comparison.0.turns` {message}"]


def test_all_faults_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = """\
{
 "comparison": [
  {"turns": [{"role": "robot", "text": "a"}], "better": "b",
   "worse": ""}
 ],
 "reasoning": 3,
 "comparison": [],
 "more": 1,
 "critique": [{"turns": [{"role": "human", "text": "a"}], "answer": "b", "critique_request": "c", "critique": "d",
   "revision_request": 5, "revisoin": "f"}]
}
"""
    assert told(lambda: load_few_shots(write(tmp_path, text)), tmp_path) == [
        "few_shots.json:6: `reasoning` must be a list, not a number",
        "few_shots.json:7: the key `comparison` is given twice in one object (keep one of them)",
        "few_shots.json:8: unknown key `more` (remove it)",
        "few_shots.json:9: `critique.0.revision` is missing",
        "few_shots.json:10: `critique.0.revision_request` must be text, not a number",
        "few_shots.json:10: unknown key `critique.0.revisoin` (remove it)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{\n'a': 1}", "few_shots.json:2: is not JSON: Expecting property name enclosed in double quotes"),
        ("[]", "few_shots.json:1: must hold an object, not a list"),
        ("[" * 100_000, "few_shots.json: is nested too deeply"),
    ],
)
def test_files_of_another_kind(tmp_path: Path, text: str, expected: str) -> None:
    [fault] = told(lambda: load_few_shots(write(tmp_path, text)), tmp_path)
    assert fault.startswith(expected)


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    assert told(lambda: load_few_shots(tmp_path), tmp_path) == [
        "few_shots.json: there is no such file (`solon constitution import` writes one)"
    ]
