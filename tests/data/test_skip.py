"""One bad row among many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.examples import read_prompts, red_team, write
from solon.config.prompts import PromptsSection, ReadingSection
from solon.data.choose import choose_red_team
from solon.errors import PromptError

GOOD = [{"prompt": f"request {number}"} for number in range(95)]
BAD = [{"prompt": ""}, {"prompt": 3}, {"prompt": ""}, {}, {"messages": [{"role": "tool", "content": "x"}]}]


def test_faulty_rows_are_left_out_counted_and_named(tmp_path: Path) -> None:
    file = red_team(tmp_path, *BAD, *GOOD, {"prompt": "request 3"}, on_fault="skip", max_faults=0.05)
    assert len(file.prompts) == 95
    assert file.dropped == {
        'faulty row: "prompt" is empty': 2,
        'faulty row: "prompt" must be text or a list of turns': 1,
        "faulty row: no prompt": 1,
        "faulty row: unknown role": 1,
        "duplicate": 1,
    }
    assert file.rows == len(file.prompts) + file.dropped.total()
    (note,) = file.notes
    assert note.startswith(f"{tmp_path / 'p.jsonl'}: faulty rows left out: 5 (")
    assert note.endswith("), at 1, 2, 3, 4, 5")
    assert '"prompt" is empty: 2' in note


def test_only_the_first_lines_are_named(tmp_path: Path) -> None:
    (note,) = red_team(tmp_path, *BAD, *BAD, *GOOD, on_fault="skip", max_faults=0.5).notes
    assert note.endswith("), at 1, 2, 3, 4, 5, ...")


def test_items_of_a_list_on_one_line_are_named_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps([*GOOD, *BAD]), encoding="utf-8")
    (note,) = read_prompts(path, "harmful", ReadingSection(on_fault="skip", max_faults=0.05)).notes
    assert note.endswith("), at item 96, item 97, item 98, item 99, item 100")


def test_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError) as error:
        red_team(tmp_path, *BAD, *GOOD, on_fault="skip", max_faults=0.049)
    lines = [str(fault).replace(f"{tmp_path}/", "") for fault in error.value.faults]
    assert lines[0] == (
        "p.jsonl: 5 of 100 rows cannot be read, more than prompts.max_faults = 0.049 allows "
        "(repair the file, or allow more)"
    )
    assert lines[1] == 'p.jsonl:1: "prompt" is empty' and len(lines) == 6


def test_lines_that_are_no_rows_can_be_left_out_too(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"prompt\none\n\xff\nx,y\ntwo\n")
    file = read_prompts(path, "harmful", ReadingSection(on_fault="skip", max_faults=0.5))
    assert [prompt.source for prompt in file.prompts] == ["p.csv:2", "p.csv:5"]
    assert set(file.dropped) == {"faulty row: not UTF-8", "faulty row: another number of fields than the header"}


def test_a_damaged_file_is_refused_in_any_case(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('[{"prompt": "x"}, {"prompt"', encoding="utf-8")
    with pytest.raises(PromptError, match="broken JSON list"):
        read_prompts(path, "harmful", ReadingSection(on_fault="skip", max_faults=1.0))


def test_a_file_of_nothing_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError) as error:
        red_team(tmp_path, {"prompt": ""}, on_fault="skip", max_faults=1.0)
    assert str(error.value) == (
        f'{tmp_path / "p.jsonl"}: no usable prompt in 1 rows (faulty row: "prompt" is empty: 1)'
    )


def test_the_choice_says_the_same_and_is_that_of_the_file_without_them(tmp_path: Path) -> None:
    section = PromptsSection(source="p", on_fault="skip", max_faults=0.1, harmful=9, mixed=0, evaluation=5)
    spoilt = choose_red_team(write(tmp_path / "p.jsonl", *BAD, *GOOD), section, 1)
    sound = choose_red_team(write(tmp_path / "q.jsonl", *GOOD), section, 1)
    dropped = spoilt.first.left_out()
    assert dropped - sound.first.left_out() == {name: n for name, n in dropped.items() if "faulty" in name}
    assert spoilt.first.notes() and not sound.first.notes()
    kept = [[example.prompt.id for example in choice.read().training] for choice in (spoilt, sound)]
    assert kept[0] == kept[1] and len(kept[0]) == 9
