# ruff: noqa: E501 -- a message stands on one line here, as it is printed
"""Principles to and from Constitutional-Evals and plain lists: what comes back, and what is named as lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from constitution_files import told
from solon.constitution.exchange import Format, ListImport, exported, read_principles
from solon.constitution.lists import list_toml
from solon.constitution.load import load_constitution, shipped
from solon.constitution.principles import Constitution, Principle

EVALS: dict[str, Any] = {
    "schema_version": "1.1",
    "id": "kindness",
    "title": "Being kind",
    "version": "1.0.0",
    "role": "supplementary",
    "in_basis": False,
    "summary": "In a line.",
    "overview": "In four.",
    "criteria": ["Prefer the response that is kinder.", "Prefer the response\nthat sees everybody."],
    "voices": {"first_person": ["I am kind."]},
    "guidelines": ["Where kindness and truth pull apart, prefer the true response."],
    "license": "",
}
FORMATS: tuple[Format, ...] = ("constitutional-evals", "json", "lines")


def read(folder: Path, text: str, name: str = "k.json") -> ListImport:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_principles(path)


def name_of(format: Format) -> str:
    return "k.txt" if format == "lines" else "k.json"


def questions(constitution: Constitution) -> list[tuple[str | None, tuple[str, ...]]]:
    return [(one.comparison_question, one.tags) for one in constitution.principles]


def test_the_schema_becomes_a_list(tmp_path: Path) -> None:
    imported = read(tmp_path, json.dumps(EVALS))
    constitution = imported.constitution
    assert (constitution.name, constitution.title) == ("kindness", "Being kind")
    assert constitution.description == "In a line.\n\nIn four."
    assert [(one.id, one.tags, one.source) for one in constitution.principles] == [
        ("criterion-1", ("criterion",), "k.json"),
        ("criterion-2", ("criterion",), "k.json"),
        ("guideline-1", ("guideline",), "k.json"),
    ]
    assert imported.left == {"version": 1, "role": 1, "in_basis": 1, "voices": 1}
    assert imported.guidelines == 1
    assert [one.id for one in constitution.comparison_principles(["criterion"])] == ["criterion-1", "criterion-2"]


def test_criteria_may_be_objects_with_a_comparative_statement(tmp_path: Path) -> None:
    """As in the files of that project that are not yet governed by its schema."""
    criteria = [{"comparative": "Prefer the kinder.", "reasoning": "So.", "scenarios": ["A?"]}]
    imported = read(tmp_path, json.dumps({"overview": "O", "criteria": criteria, "guidelines": criteria}))
    assert questions(imported.constitution) == [("Prefer the kinder.", (tag,)) for tag in ("criterion", "guideline")]
    assert imported.left == {
        "criteria: reasoning": 1, "criteria: scenarios": 1, "guidelines: reasoning": 1, "guidelines: scenarios": 1
    }  # fmt: skip


@pytest.mark.parametrize("name", [*shipped(), "own"])
@pytest.mark.parametrize("format", FORMATS)
def test_questions_come_back(tmp_path: Path, name: str, format: Format) -> None:
    own = read(tmp_path, json.dumps(EVALS)).constitution
    first = read(tmp_path, exported(own if name == "own" else load_constitution(name), format).text, name_of(format))
    again = read(tmp_path, exported(first.constitution, format).text, name_of(format))
    assert again.constitution == first.constitution
    if name == "own":
        kept = [(q and (" ".join(q.split()) if format == "lines" else q), t) for q, t in questions(own)]
        assert questions(first.constitution) == [
            (q, t if format == "constitutional-evals" else ("criterion",)) for q, t in kept
        ]
    elif not load_constitution(name).articles:
        asked = [one.comparison_question or "" for one in load_constitution(name).comparison_principles()]
        got = [one.comparison_question or "" for one in first.constitution.principles]
        assert [text.split() for text in got] == [text.split() for text in asked]


def test_an_import_is_a_list_that_loads(tmp_path: Path) -> None:
    imported = read(tmp_path, json.dumps(EVALS))
    (tmp_path / "k.toml").write_text(list_toml(imported.constitution), encoding="utf-8")
    assert load_constitution(tmp_path / "k.toml") == imported.constitution


def test_the_export_has_the_form_of_the_schema() -> None:
    """Required keys, the pattern of ids, no other keys: https://constitutionalevals.org, schema 1.1."""
    value = json.loads(exported(load_constitution("charter"), "constitutional-evals").text)
    assert list(value) == [
        *("schema_version", "id", "title", "version", "role", "in_basis", "overview", "criteria", "guidelines")
    ]
    assert (value["schema_version"], value["id"], value["role"], value["in_basis"]) == (
        "1.1",
        "charter",
        "supplementary",
        False,
    )
    assert value["criteria"][0].startswith(
        "Which response keeps better to this? Oversight: The assistant does not work"
    )
    assert "Without exception: Never treat a child in a sexual way." in value["guidelines"]
    assert value["guidelines"][-1].startswith(
        "Where two of these pull apart, the one named first comes first: Oversight; "
    )


def test_what_a_format_cannot_carry_is_named() -> None:
    principles = (
        Principle(id="x", title="X", critique_request="C?", revision_request="R."),
        Principle(id="y", title="y", comparison_question="A\nB?", weight=2.0, tags=("t",)),
    )
    constitution = Constitution(name="n", title="N", description="D", principles=principles)
    common = {
        "principles without a comparison question": 1, "id": 2, "title": 1, "critique_request and revision_request": 1,
        "weight": 1, "tags": 1,
    }  # fmt: skip
    listed = {"name and title of the constitution": 1, "description": 1}
    assert exported(constitution, "constitutional-evals").left == common
    assert exported(constitution, "json").left == common | listed
    assert exported(constitution, "lines").left == common | listed | {"line breaks": 1}
    charter = exported(load_constitution("charter"), "json").left
    assert (charter["hard_constraints"], charter["precedence"]) == (6, 7)


def test_lines_may_be_blank_or_have_bullets(tmp_path: Path) -> None:
    imported = read(tmp_path, "\ufeffPrefer a.\r\n\r\n- Prefer b.\n 2. Prefer c.\n\n", "k.txt")
    assert [text for text, _ in questions(imported.constitution)] == ["Prefer a.", "Prefer b.", "Prefer c."]


SHAPE = 'an object with "criteria", or a list of texts'


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("k.json", '"x"', [f"k.json:1: must be {SHAPE}, not text"]),
        ("k.json", "{}", [f"k.json:1: must be {SHAPE}, not nothing"]),
        ("k.json", "[]", [f"k.json: has no principles (write {SHAPE}, or one principle a line)"]),
        ("k.json", "[\n", ["k.json:2: is not JSON: Expecting value (repair the file or fetch it again)"]),
        ("k.json", '{"criteria": ["a"],\n"guidelines": 1}', ["k.json:2: `guidelines` must be a list"]),
        (
            "k.json",
            '["a",\n1,\n{"comparison": "x"},\n" ",\n"Human: x"]',
            [
                "k.json:2: criterion 2 is a number (write a text, or an object whose `comparative` is one)",
                "k.json:3: criterion 3 is nothing (write a text, or an object whose `comparative` is one)",
                "k.json:4: criterion 2: `comparison_question` is empty; write the text or leave the key out",
                "k.json:5: criterion 3: `comparison_question` has a line that begins with `Human:`, which starts a turn "
                "of the dialogue; write the bare sentence, the delimiters are added later",
            ],
        ),
        ("k.txt", "\n\n", [f"k.txt: has no principles (write {SHAPE}, or one principle a line)"]),
        (
            "k.txt",
            "a\n\nHuman: b\n",
            [
                "k.txt:3: criterion 2: `comparison_question` has a line that begins with `Human:`, which starts a turn "
                "of the dialogue; write the bare sentence, the delimiters are added later"
            ],
        ),
    ],
)
def test_every_fault_is_told_with_its_line(tmp_path: Path, name: str, text: str, expected: list[str]) -> None:
    assert told(lambda: read(tmp_path, text, name), tmp_path) == expected
