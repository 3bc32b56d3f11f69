"""Texts that look like dialogues, and are not what their fields should hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.examples import helpful, messages, red_team
from solon.errors import PromptError

TURNS = messages("How do I prune a rose?", "Cut above a bud.")
NUMPY = "[{'content': 'How?', 'role': 'user'}\n {'content': 'So.', 'role': 'assistant'}]"


@pytest.mark.parametrize("text", [json.dumps(TURNS), json.dumps(TURNS, indent=1) + "\n", str(TURNS), NUMPY])
@pytest.mark.parametrize("name", ["prompt", "messages", "response", "chosen", "a"])
def test_a_list_of_turns_written_as_text(tmp_path: Path, name: str, text: str) -> None:
    """As CSV files have them."""
    other = {"chosen": {"rejected": "z"}, "a": {"b": "z", "better": "a"}, "prompt": {"response": "y"}}.get(name, {})
    with pytest.raises(PromptError) as error:
        helpful(tmp_path, {"prompt": "x"} | {name: text} | other if name != "messages" else {name: text})
    assert str(error.value) == (
        f'{tmp_path}/h.jsonl:1: "{name}" holds a list of turns written as text '
        "(write JSON lines, in which it is a list)"
    )


@pytest.mark.parametrize(
    "text", ['[{"role": "user"}] is what?', "[1, 2]", '[{"name": "x"}]', '{"role": "user"}', "What is [{'role': 1}]"]
)
def test_texts_that_hold_lists_are_texts(tmp_path: Path, text: str) -> None:
    (prompt,) = red_team(tmp_path, {"prompt": text}).prompts
    assert prompt.turns[0].text == text


def test_a_transcript_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(PromptError) as error:
        red_team(tmp_path, {"transcript": "How do I prune a rose?"}, {"transcript": " "})
    assert [str(fault).removeprefix(f"{tmp_path}/p.jsonl:") for fault in error.value.faults] == [
        r"1: not a transcript (it must begin with \n\nHuman:)",
        '2: "transcript" is empty',
    ]
