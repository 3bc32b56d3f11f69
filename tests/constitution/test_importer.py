# ruff: noqa: E501 -- a message stands on one line here, as it is printed
from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from constitution_files import PUBLISHED, told, write_published
from solon.constitution.few_shots import ComparisonShot, CritiqueShot, FewShots, ReasoningShot, load_few_shots
from solon.constitution.importer import FILES, import_published, write_folder
from solon.constitution.lists import list_toml
from solon.constitution.load import load_constitution
from solon.errors import ConstitutionError
from solon.records import Turn

COMPARE = "compare it with the published file, or fetch that again"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return write_published(tmp_path / "published")


def change(folder: Path, name: str, old: str, new: str) -> None:
    """Replaces text that the JSON file must contain."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_principles_lose_their_delimiters_and_keep_their_source(published: Path) -> None:
    first, _, asks, asks_too = import_published(published).constitution.principles
    assert first.model_dump(exclude_defaults=True) == {
        "id": "harmful0",
        "title": "harmful0",
        "critique_request": "Is anything in it unkind?",
        "revision_request": "Make it kind.",
        "tags": ("critique",),
        "source": "CritiqueRevisionInstructions.json harmful0",
    }
    assert asks.model_dump(exclude_defaults=True) == {
        "id": "comparison0",
        "title": "comparison0",
        "comparison_question": "Which one is kinder?",
        "tags": ("comparison",),
        "source": "RLMadisonInstructions.json 0",
    }
    assert asks_too.comparison_question == "Which one is safer?\nTake your time."


def test_few_shots_become_records(published: Path) -> None:
    shots = import_published(published).few_shots
    hello, hi = Turn(role="human", text="Hello"), Turn(role="assistant", text="Hi")
    assert shots.critique == (
        CritiqueShot(
            turns=(hello, hi, Turn(role="human", text="Insult me")),
            answer="You fool",
            critique_request="Unkind?",
            critique="Yes, it insults.",
            revision_request="Be kind.",
            revision="I would rather not.",
        ),
    )
    assert shots.comparison == (
        ComparisonShot(turns=(Turn(role="human", text="Good day"),), better="Good day to you", worse="Go away"),
    )
    assert shots.reasoning == (
        ReasoningShot(
            turns=(hello, hi, Turn(role="human", text="Bye")),
            first="Stay!\n\nI mean it",
            second="Bye",
            question=None,
            rationale="Option (A) is rude.\n\n(B) is fine.",
            answer="B",
        ),
    )


def test_a_question_in_place_of_the_slot_is_kept(published: Path) -> None:
    change(published, "RLMadisonPrecogFewShotPrompts.json", "{}", "Which one is kinder? Options:")
    assert import_published(published).few_shots.reasoning[0].question == "Which one is kinder?"


def test_what_is_written_loads_as_what_was_read(published: Path, tmp_path: Path) -> None:
    change(published, "RLMadisonInstructions.json", "kinder", 'k\\"i\\\\n\\u007fd\\te\\u00e9r')
    imported = import_published(published)
    write_folder(imported.constitution, imported.few_shots, tmp_path / "out")
    assert load_constitution(tmp_path / "out") == imported.constitution
    assert load_few_shots(tmp_path / "out") == imported.few_shots


def test_absent_files_are_named(published: Path) -> None:
    for name in FILES[1:]:
        (published / name).unlink()
    imported = import_published(published)
    assert imported.absent == FILES[1:]
    assert [one.id for one in imported.constitution.principles] == ["harmful0", "harmful1"]
    assert imported.few_shots.model_dump() == {"critique": (), "comparison": (), "reasoning": ()}


def test_folders_that_hold_nothing_to_import(published: Path, tmp_path: Path) -> None:
    assert told(lambda: import_published(tmp_path), tmp_path.parent) == [
        f"{tmp_path.name}: holds none of the published instruction files (did you mean `{published.relative_to(tmp_path.parent)}`?)"
    ]
    [fault] = told(lambda: import_published(tmp_path / "none"), tmp_path)
    assert fault.startswith("none: there is no such folder")
    [fault] = told(lambda: import_published(published / FILES[0]), published)
    assert fault.startswith(f"{FILES[0]}: is a file, not a folder")


PAIRS, QUESTIONS, CRITIQUES, COMPARISONS, REASONED = FILES


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (PAIRS, "unkind?\\n\\nCritique:", "unkind?", "3: `harmful0.prompt` is not in the form `CritiqueRequest: ... Critique:`"),
        (PAIRS, "RevisionRequest: Make it safe.", "Make it safe.", "12: `harmful1.edit_request` is not in the form `RevisionRequest: ... Revision:`"),
        (PAIRS, "Is anything in it unkind?", " ", "3: `harmful0.prompt` is not in the form `CritiqueRequest: ... Critique:`"),
        (PAIRS, "edit_request\": \"\\n\\nRevisionRequest: Make it safe", "edit\": \"x", "8: `harmful1.edit_request` is missing|12: `harmful1.edit` is unknown"),
        (PAIRS, "unkind?\\n", "unkind?\\nHuman: hello\\n", "2: `harmful0` gives no principle: `critique_request` has a line that begins with `Human:`"),
        (PAIRS, '"harmful1"', '"harmful0"', "8: the key `harmful0` is given twice in one object"),
        (PAIRS, '"harmful1"', '"comparison1"', " the id `comparison1` would be used twice"),
        (PAIRS, '"harmful1"', '"harmful 1"', "8: `harmful 1` gives no principle: `id` must be one word"),
        (QUESTIONS, "Take your time. Options:", "Take your time.", "3: `[1]` is not a question that ends with `Options:`"),
        (QUESTIONS, '"\\nWhich one is kinder? Options:"', "7", "2: `[0]` must be one text, not a number"),
        (CRITIQUES, "\\n\\nCritique: Yes", " Yes", "2: `[0]` is not a dialogue that ends with the assistant"),
        (CRITIQUES, "\\n\\nHuman: Hello", "Hello", "2: `[0]` begins with 'Hello', not with a speaker"),
        (CRITIQUES, "Assistant: Hi", "Human: Hi", "2: `[0]` `turns`: has two human turns in a row"),
        (CRITIQUES, "Assistant: Hi", "Critique: Hi", "2: `[0]` has `Critique:` within the dialogue"),
        (COMPARISONS, "corrects", "correct", "2: `[0].corrects` is missing|2: `[0].incorrects` is missing"),
        (COMPARISONS, '"Go away"', '"Go away", "Stay"', "7: `[0].incorrects` must be one text, not 2 of them"),
        (COMPARISONS, "\\n\\nAssistant:", "", "3: `[0].prompt` is not a dialogue that ends with `Assistant:`"),
        (REASONED, "(B) [[[", "[[[", "3: `[0].prompt` lacks `]]]"),
        (REASONED, "{}", "", "3: `[0].prompt` is not a question that ends with `Options:`"),
        (REASONED, "is: (B)", "is: (C)", "3: `[0].prompt` ends with 'So the answer is: (C)', not with"),
        (REASONED, "\\n\\nH: Hello", "\\n\\nHello", "3: `[0].prompt` has more than one line before the first `H:`"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_file_key_and_line(
    published: Path, name: str, old: str, new: str, expected: str
) -> None:
    change(published, name, old, new)
    faults = told(lambda: import_published(published), published)
    assert len(faults) == len(expected.split("|"))
    for fault, start in zip(faults, expected.split("|"), strict=True):
        assert fault.startswith(f"{name}:{start}"), fault


def test_all_faults_of_all_files_are_told_at_once(published: Path) -> None:
    change(published, PAIRS, "unkind?\\n\\nCritique:", "unkind?")
    change(published, QUESTIONS, "Options:", "")
    (published / COMPARISONS).write_text("{}")
    (published / REASONED).write_text("[\n1,")
    (published / CRITIQUES).write_bytes(b'["\xff"]')
    assert told(lambda: import_published(published), published) == [
        f"{PAIRS}:3: `harmful0.prompt` is not in the form `CritiqueRequest: ... Critique:` ({COMPARE})",
        f"{QUESTIONS}:2: `[0]` is not a question that ends with `Options:` ({COMPARE})",
        f"{QUESTIONS}:3: `[1]` is not a question that ends with `Options:` ({COMPARE})",
        f"{CRITIQUES}:1: is not UTF-8 text: byte 0xff cannot be read (save the file as UTF-8)",
        f"{COMPARISONS}:1: `the file` must hold a list, not a table ({COMPARE})",
        f"{REASONED}:2: is not JSON: Expecting value (repair the file or fetch it again)",
    ]


def mutated(value: Any, rng: random.Random) -> Any:
    """A copy with one node replaced, removed, doubled or, if it is a text, cut or spliced."""
    spots: list[tuple[Any, Any]] = []
    waiting = [value := copy.deepcopy(value)]
    while waiting:
        at = waiting.pop()
        for key in range(len(at)) if isinstance(at, list) else list(at):
            spots.append((at, key))
            if isinstance(at[key], list | dict):
                waiting.append(at[key])
    at, key = rng.choice(spots)
    choice = rng.randrange(4)
    if choice == 0:
        at[key] = rng.choice(
            [None, 3, True, "", "text", [], {}, [[]], ["a", "b"], {"prompt": "x"}, "\n\nHuman:", "\ud800"]
        )
    elif choice == 1:
        del at[key]
    elif isinstance(at[key], str):
        start = rng.randrange(len(at[key]) + 1)
        end = start + rng.randrange(1, 12)
        at[key] = at[key][:start] + rng.choice(["", "\n\nHuman:", "{}", "]]]", "\n\nH:", " ("]) + at[key][end:]
    elif isinstance(at[key], list):
        at[key] = at[key] * 2
    return value


def test_mutated_files_are_imported_or_refused_but_never_crash(published: Path, tmp_path: Path) -> None:
    rng = random.Random(0)
    outcomes = {"imported": 0, "refused": 0}
    for _ in range(400):
        name = rng.choice(FILES)
        write = (published / name).write_text
        write(json.dumps(mutated(PUBLISHED[name], rng)), encoding="utf-8")
        try:
            imported = import_published(published)
            path = tmp_path / "constitution.toml"
            path.write_text(list_toml(imported.constitution), encoding="utf-8")
            assert load_constitution(path) == imported.constitution
            assert FewShots.model_validate_json(imported.few_shots.model_dump_json()) == imported.few_shots
            outcomes["imported"] += 1
        except ConstitutionError as error:
            assert all(fault.where is not None for fault in error.faults)
            outcomes["refused"] += 1
        write(json.dumps(PUBLISHED[name]), encoding="utf-8")
    assert min(outcomes.values()) > 50, outcomes


def test_the_published_files(reference_data: Path) -> None:
    imported = import_published(reference_data / "cai-2022/prompts")
    constitution, shots = imported.constitution, imported.few_shots
    assert imported.absent == ()
    assert [one.id for one in constitution.critique_principles()] == [f"harmful{index}" for index in range(16)]
    assert [one.id for one in constitution.comparison_principles()] == [f"comparison{index}" for index in range(16)]
    for text in (
        text
        for one in constitution.principles
        for text in (one.critique_request, one.revision_request, one.comparison_question)
        if text
    ):
        assert text == text.strip()
        assert not text.endswith("Options:")
        assert "CritiqueRequest" not in text
        assert "RevisionRequest" not in text
    assert [len(shot.turns) for shot in shots.critique] == [3, 1, 1, 3, 3]
    assert [shot.critique_request.split()[0] for shot in shots.critique] == ["Identify"] * 4 + ["Discuss"]
    assert shots.critique[2].revision == shots.critique[2].answer  # method.md, section 1.3: left unchanged
    assert len(shots.comparison) == 5
    assert "".join(shot.answer for shot in shots.reasoning) == "BBABAB"
    assert all(shot.question is None for shot in shots.reasoning)
    assert [len(shot.turns) for shot in shots.reasoning] == [3, 1, 1, 1, 1, 1]


def test_no_published_text_is_lost(reference_data: Path) -> None:
    """Put together again with their delimiters, the imported texts are the published ones, white space apart."""
    folder = reference_data / "cai-2022/prompts"
    imported = import_published(folder)
    pairs = json.loads((folder / PAIRS).read_text(encoding="utf-8"))
    for one in imported.constitution.critique_principles():
        assert pairs[one.id]["prompt"] == [f"\n\nCritiqueRequest: {one.critique_request}\n\nCritique:"]
        assert pairs[one.id]["edit_request"] == f"\n\nRevisionRequest: {one.revision_request}\n\nRevision:"
    questions = json.loads((folder / QUESTIONS).read_text(encoding="utf-8"))
    asked = [one.comparison_question for one in imported.constitution.comparison_principles()]
    assert [f"\n{question} Options:" for question in asked] == questions
    for shot, text in zip(imported.few_shots.critique, json.loads((folder / CRITIQUES).read_text()), strict=True):
        turns = "".join(f"\n\n{turn.role.title()}: {turn.text}" for turn in shot.turns)
        whole = (
            f"{turns}\n\nAssistant: {shot.answer}\n\nCritiqueRequest: {shot.critique_request}\n\nCritique: {shot.critique}"
            f"\n\nRevisionRequest: {shot.revision_request}\n\nRevision: {shot.revision}\n\nHuman:"
        )
        assert whole.removesuffix("\n\nHuman:").split() == text.removesuffix("\n\nHuman:").split()
    for reasoned, row in zip(imported.few_shots.reasoning, json.loads((folder / REASONED).read_text()), strict=True):
        turns = "".join(f"\n\n{turn.role[0].upper()}: {turn.text}" for turn in reasoned.turns)
        options = f"{{}}\n (A) [[[{reasoned.first}]]]\n (B) [[[{reasoned.second}]]]"
        rest = f"Assistant: Let's think step by step: {reasoned.rationale}\n\nHuman:\nSo the answer is: ({reasoned.answer})"
        assert row["prompt"].split("conversation between a human")[1].split(":", 1)[1].split() == [
            *turns.split(),
            *options.split(),
            *rest.split(),
        ]
