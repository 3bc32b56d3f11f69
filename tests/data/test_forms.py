"""Rows in the forms that libraries and published sets use, each read to the values that it means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from data.examples import Said, helpful, messages, read_helpful, red_team, said
from solon.records import Prompt, Turn

Values = tuple[Said, tuple[str, ...]]
"""(prompt, answers)."""

BREAD = (("human", "How do I bake bread?"),)
LONG = (("human", "Hello?"), ("assistant", "Yes?"), ("human", "How do I bake bread?"))
BRIEF = (("system", "Be brief."), *BREAD)
GOOD, BAD = "Mix flour and water.", "No."
ASK = "How do I bake bread?"


def answer(text: str) -> list[dict[str, str]]:
    return messages(text, first="assistant")


def parts(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text[:4]}, {"type": "text", "text": text[4:]}]


COMPARISONS: dict[str, tuple[dict[str, Any], Said]] = {
    "standard": ({"prompt": ASK, "chosen": f" {GOOD}", "rejected": BAD}, BREAD),
    "standard-long": (
        {
            "prompt": f"\n\nHuman: Hello?\n\nAssistant: Yes?\n\nHuman: {ASK}\n\nAssistant:",
            "chosen": GOOD,
            "rejected": BAD,
        },
        LONG,
    ),
    "standard-implicit": ({"chosen": f"{ASK} {GOOD}", "rejected": f"{ASK} {BAD}"}, BREAD),
    "transcripts": (
        {"chosen": f"\n\nHuman: {ASK}\n\nAssistant: {GOOD}", "rejected": f"\n\nHuman: {ASK}\n\nAssistant: {BAD}"},
        BREAD,
    ),
    "transcripts-of-lines": (
        {"chosen": f"Human: {ASK}\nAssistant: {GOOD}", "rejected": f"Human: {ASK}\r\nAssistant: {BAD}\r\n"},
        BREAD,
    ),
    "explicit": ({"prompt": messages(ASK), "chosen": answer(GOOD), "rejected": answer(BAD)}, BREAD),
    "explicit-long": (
        {"prompt": messages("Hello?", "Yes?", ASK), "chosen": answer(GOOD), "rejected": answer(BAD)},
        LONG,
    ),
    "explicit-in-the-answers": (
        {
            "prompt": messages("Hello?"),
            "chosen": messages("Yes?", ASK, GOOD, first="assistant"),
            "rejected": messages("Yes?", ASK, BAD, first="assistant"),
        },
        LONG,
    ),
    "implicit": ({"chosen": messages(ASK, GOOD), "rejected": messages(ASK, BAD)}, BREAD),
    "implicit-long": (
        {"chosen": messages("Hello?", "Yes?", ASK, GOOD), "rejected": messages("Hello?", "Yes?", ASK, BAD)},
        LONG,
    ),
    "both": (
        {"prompt": ASK, "chosen": messages(ASK, GOOD), "rejected": messages(ASK, BAD), "messages": messages(ASK, GOOD)},
        BREAD,
    ),
    "mixed": ({"prompt": ASK, "chosen": answer(GOOD), "rejected": BAD}, BREAD),
    "mixed-whole": ({"prompt": ASK, "chosen": messages(ASK, GOOD), "rejected": BAD}, BREAD),
    "one-message": ({"prompt": ASK, "chosen": answer(GOOD)[0], "rejected": answer(BAD)[0]}, BREAD),
    "prompt-in-messages": ({"messages": messages(ASK), "chosen": GOOD, "rejected": BAD}, BREAD),
    "prompt-in-conversations": (
        {"conversations": [{"from": "human", "value": ASK}], "chosen": {"from": "gpt", "value": GOOD}, "rejected": BAD},
        BREAD,
    ),
    "system-explicit": (
        {"prompt": messages(ASK, system="Be brief."), "chosen": answer(GOOD), "rejected": answer(BAD)},
        BRIEF,
    ),
    "system-implicit": (
        {"chosen": messages(ASK, GOOD, system="Be brief."), "rejected": messages(ASK, BAD, system="Be brief.")},
        BRIEF,
    ),
    "system-beside": (
        {
            "prompt": messages(ASK, system="Be brief."),
            "chosen": messages(ASK, GOOD),
            "rejected": messages(ASK, BAD),
        },
        BRIEF,
    ),
    "system-column": ({"system": " Be brief.", "prompt": ASK, "chosen": GOOD, "rejected": BAD}, BRIEF),
    "system-column-empty": ({"system": "", "prompt": ASK, "chosen": GOOD, "rejected": BAD}, BREAD),
    "system-empty-in-the-prompt": (
        {"prompt": messages(ASK, system=""), "chosen": answer(GOOD), "rejected": answer(BAD)},
        BREAD,
    ),
    "system-empty-in-the-dialogues": (
        {"chosen": messages(ASK, GOOD, system=" "), "rejected": messages(ASK, BAD)},
        BREAD,
    ),
    "system-empty-in-the-answers": (
        {
            "prompt": ASK,
            "chosen": messages(GOOD, system="", first="assistant"),
            "rejected": messages(BAD, system="", first="assistant"),
        },
        BREAD,
    ),
    "system-empty-beside-dialogues": (
        {"prompt": messages(system=""), "chosen": messages(ASK, GOOD), "rejected": messages(ASK, BAD)},
        BREAD,
    ),
    "system-column-over-an-empty-turn": (
        {"system": "Be brief.", "prompt": messages(ASK, system=""), "chosen": GOOD, "rejected": BAD},
        BRIEF,
    ),
    "system-twice": (
        {"system": "Be brief.", "prompt": messages(ASK, system="Be brief."), "chosen": GOOD, "rejected": BAD},
        BRIEF,
    ),
    "parts": (
        {
            "prompt": [{"role": "user", "content": parts(ASK)}],
            "chosen": [{"role": "assistant", "content": parts(GOOD)}],
            "rejected": BAD,
        },
        BREAD,
    ),
    "nulls": (
        {
            "prompt": [{"role": "user", "content": ASK, "name": None, "text": None}],
            "chosen": GOOD,
            "rejected": BAD,
            "turns": None,
            "response": None,
            "system": None,
        },
        BREAD,
    ),
    "with-a-response": ({"prompt": ASK, "response": "Hm.", "chosen": GOOD, "rejected": BAD}, BREAD),
    "with-a-completion": ({"prompt": ASK, "completion": "", "a": GOOD, "b": BAD, "better": "a"}, BREAD),
    "a-and-b": ({"prompt": ASK, "a": BAD, "b": GOOD, "better": 1}, BREAD),
    "arena": ({"a": messages(ASK, GOOD), "b": messages(ASK, BAD), "better": "model_a"}, BREAD),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons(tmp_path: Path, name: str) -> None:
    row, turns = COMPARISONS[name]
    file = helpful(tmp_path, row)
    (prompt,), (found,) = file.prompts, file.comparisons
    assert (said(prompt.turns), found.a, found.b, found.p_a_preferred) == (turns, GOOD, BAD, 1.0)
    assert not file.demonstrations


@pytest.mark.parametrize("name", COMPARISONS)
def test_the_prompts_of_comparisons_are_red_team_prompts(tmp_path: Path, name: str) -> None:
    # No prompt of its own; a prompt that is complete; one that holds nothing.
    if name in ("arena", "both", "system-empty-beside-dialogues"):
        return
    row, turns = COMPARISONS[name]
    expected = (("human", "Hello?"),) if name == "explicit-in-the-answers" else turns
    (prompt,) = red_team(tmp_path, row).prompts
    assert said(prompt.turns) == expected


ANSWERS: dict[str, tuple[dict[str, Any], Said]] = {
    "response": ({"prompt": ASK, "response": GOOD}, BREAD),
    "completion": ({"prompt": ASK, "completion": f" {GOOD}"}, BREAD),
    "completion-messages": ({"prompt": messages(ASK), "completion": answer(GOOD)}, BREAD),
    "completion-labelled": ({"prompt": ASK, "completion": GOOD, "label": True}, BREAD),
    "completion-labelled-in-text": ({"prompt": ASK, "completion": GOOD, "label": " True"}, BREAD),
    "response-labelled-by-number": ({"prompt": ASK, "response": GOOD, "label": 1.0}, BREAD),
    "completion-without-a-label": ({"prompt": ASK, "completion": GOOD, "label": ""}, BREAD),
    "response-beside-empty-cells": ({"prompt": ASK, "response": GOOD, "chosen": "", "rejected": ""}, BREAD),
    "messages-labelled": ({"messages": messages(ASK, GOOD), "label": "1"}, BREAD),
    "messages": ({"messages": messages(ASK, GOOD)}, BREAD),
    "messages-long": ({"messages": messages("Hello?", "Yes?", ASK, GOOD)}, LONG),
    "messages-system": ({"messages": messages(ASK, GOOD, system="Be brief.")}, BRIEF),
    "messages-system-empty": ({"messages": messages(ASK, GOOD, system="")}, BREAD),
    "messages-and-prompt": ({"prompt": "a name", "messages": messages(ASK, GOOD)}, BREAD),
    "sharegpt": (
        {
            "conversations": [
                {"from": "system", "value": "Be brief."},
                {"from": "human", "value": ASK},
                {"from": "gpt", "value": GOOD},
            ]
        },
        BRIEF,
    ),
    "developer": (
        {"messages": [{"role": "developer", "content": "Be brief."}, *messages(ASK, GOOD)]},
        BRIEF,
    ),
    "transcript": ({"transcript": f"\n\nHuman: {ASK}\n\nAssistant: {GOOD}\n"}, BREAD),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_worth_imitating(tmp_path: Path, name: str) -> None:
    row, turns = ANSWERS[name]
    file = helpful(tmp_path, row)
    (prompt,), (found,) = file.prompts, file.demonstrations
    assert (said(prompt.turns), found.answer, file.comparisons) == (turns, GOOD, ())


@pytest.mark.parametrize("name", ANSWERS)
def test_the_prompts_of_answers_are_red_team_prompts(tmp_path: Path, name: str) -> None:
    row, turns = ANSWERS[name]
    (prompt,) = red_team(tmp_path, row).prompts
    assert said(prompt.turns) == ((("human", "a name"),) if name == "messages-and-prompt" else turns)


TRANSCRIPTS: dict[str, tuple[str, Said]] = {
    "paragraphs": (f"\n\nHuman: Hello?\n\nAssistant: Yes?\n\nHuman: {ASK}\n\nAssistant:", LONG),
    "crlf": (f"Human: Hello?\r\n\r\nAssistant: Yes?\r\n\r\nHuman: {ASK}\r\n\r\nAssistant:", LONG),
    "lines": (f"Human: Hello?\nAssistant: Yes?\nHuman: {ASK}", LONG),
    "lines-crlf": (f"Human: Hello?\r\nAssistant: Yes?\r\nHuman: {ASK}\r\nAssistant:\r\n", LONG),
    "lines-of-several": (
        f"Human: Hello?\nAssistant: Yes?\n\nHm.\nHuman: {ASK}",
        (*LONG[:1], ("assistant", "Yes?\n\nHm."), LONG[2]),
    ),
    "paragraphs-decide": ("Human: a play:\nHuman: hm\n\nAssistant:", (("human", "a play:\nHuman: hm"),)),
    "paragraphs-decide-crlf": (
        "Human: a play:\r\nHuman: hm\r\n\r\nAssistant:",
        (("human", "a play:\nHuman: hm"),),
    ),
    "one-turn": (f"Human: {ASK}", BREAD),
    "no-beginning": ("Say\nHuman: x\nAssistant: y", (("human", "Say\nHuman: x\nAssistant: y"),)),
    "mid-sentence": ("Is it Human: or Assistant: that?", (("human", "Is it Human: or Assistant: that?"),)),
    "mid-sentence-of-a-turn": ("Human: say Human: x", (("human", "say Human: x"),)),
    "crlf-of-a-text": ("one\r\ntwo", (("human", "one\r\ntwo"),)),
}


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_transcripts(tmp_path: Path, name: str) -> None:
    text, turns = TRANSCRIPTS[name]
    (prompt,) = red_team(tmp_path, {"prompt": text}).prompts
    assert said(prompt.turns) == turns


def test_a_prompt_without_a_system_turn_has_the_id_it_always_had(tmp_path: Path) -> None:
    one, two = red_team(tmp_path, {"prompt": ASK}, {"system": "Be brief.", "prompt": ASK}).prompts
    assert one.id == "harmful-4acd565b68a8"
    assert two.id != one.id


def test_implicit_texts_are_parted_between_words(tmp_path: Path) -> None:
    file = helpful(tmp_path, {"chosen": "The sky is blue.", "rejected": "The sky is black."})
    assert said(file.prompts[0].turns) == (("human", "The sky is"),)
    assert (file.comparisons[0].a, file.comparisons[0].b) == ("blue.", "black.")


def test_what_cannot_serve_is_counted(tmp_path: Path) -> None:
    file = helpful(
        tmp_path,
        {"prompt": "x", "response": "y"},
        {"prompt": "x", "completion": "y", "label": False},
        {"chosen": messages("x", ""), "rejected": messages("x", "y")},
        {"chosen": messages("x"), "rejected": messages("x", "y")},
        {"chosen": messages("x", "y"), "rejected": messages("z", "y")},
        {"chosen": messages("x", "y"), "rejected": messages("x", "y")},
        {"messages": messages("x")},
    )
    assert file.dropped == {
        "answer labelled as bad": 1,
        "empty answer": 1,
        "no last answer": 2,
        "the two dialogues differ before the last answer": 1,
        "identical answers": 1,
    }
    assert file.rows == 7


@pytest.mark.parametrize("label", [False, "False", " FALSE ", "false", 0, 0.0, "0"])
@pytest.mark.parametrize("name", ["response", "completion", "messages"])
def test_an_answer_labelled_as_bad_is_never_imitated(tmp_path: Path, name: str, label: object) -> None:
    bad = {"messages": messages(ASK, BAD)} if name == "messages" else {"prompt": ASK, name: BAD}
    file = helpful(tmp_path, {"prompt": ASK, "response": GOOD}, bad | {"label": label})
    assert [found.answer for found in file.demonstrations] == [GOOD]
    assert file.dropped == {"answer labelled as bad": 1}


def test_a_label_of_a_csv_file_is_text(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text(f"prompt,completion,label\n{ASK},{GOOD},True\n{ASK},{BAD},False\n", encoding="utf-8")
    file = read_helpful(path)
    assert [found.answer for found in file.demonstrations] == [GOOD]
    assert file.dropped == {"answer labelled as bad": 1}


def test_a_record_holds_a_system_turn_first_or_nowhere() -> None:
    system, human = Turn(role="system", text="s"), Turn(role="human", text="h")
    assert Prompt(id="x", kind="benign", turns=(system, human)).turns[0] == system
    with pytest.raises(ValidationError, match="a system turn after the first turn"):
        Prompt(id="x", kind="benign", turns=(human, system, human))
