from __future__ import annotations

from pathlib import Path

import pytest

from data.examples import helpful as read
from data.examples import read_helpful
from solon.artifacts.shards import decode_rows, encode_rows
from solon.errors import PromptError
from solon.records import Comparison

HH = {
    "chosen": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: better",
    "rejected": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: worse",
}


def test_the_chosen_answer_is_a_and_preferred(tmp_path: Path) -> None:
    file = read(tmp_path, HH, {"prompt": "How do I prune a rose?", "chosen": "In spring.", "rejected": "No."})
    assert [(c.a, c.b, c.p_a_preferred) for c in file.comparisons] == [
        ("better", "worse", 1.0),
        ("In spring.", "No.", 1.0),
    ]
    assert {(c.rater, c.objective, c.method) for c in file.comparisons} == {("human", "helpfulness", "h.jsonl")}
    assert [p.id for p in file.prompts] == [c.prompt_id for c in file.comparisons]
    assert [len(p.turns) for p in file.prompts] == [3, 1]
    assert {p.kind for p in file.prompts} == {"benign"}


def test_responses_are_demonstrations(tmp_path: Path) -> None:
    file = read(tmp_path, {"prompt": "How do I prune a rose?", "response": " In spring. "})
    (shown,) = file.demonstrations
    assert (shown.answer, shown.prompt_id, shown.source) == ("In spring.", file.prompts[0].id, "helpful")


def test_prompts_come_once_and_every_row_is_accounted_for(tmp_path: Path) -> None:
    rows = [
        {"prompt": "x", "chosen": "1", "rejected": "2"},
        {"prompt": "x", "chosen": "1", "rejected": "2"},
        {"prompt": "x", "chosen": "2", "rejected": "1"},
        {"prompt": "x", "chosen": "1", "rejected": "1"},
        {"prompt": "x", "chosen": "1", "rejected": ""},
        {**HH, "rejected": "\n\nHuman: other\n\nAssistant: worse"},
        {**HH, "chosen": "\n\nHuman: a\n\nAssistant:"},
    ]
    file = read(tmp_path, *rows)
    assert len(file.prompts) == 1
    assert len(file.comparisons) == 2, "both directions are kept: people disagree"
    assert file.dropped == {
        "duplicate": 1,
        "identical answers": 1,
        "empty answer": 1,
        "the two dialogues differ before the last answer": 1,
        "no last answer": 1,
    }
    assert file.rows == len(file.comparisons) + file.dropped.total()


ARENA = {"prompt": "x", "a": "1", "b": "2", "better": "model_b", "model_a": "north", "model_b": "south", "judge": 7}


def test_who_wrote_and_who_compared_is_kept_with_the_answers(tmp_path: Path) -> None:
    rows = [ARENA, {"prompt": "x", "response": "1", "model": "north", "rater_id": "of a comparison alone"}]
    file = read(tmp_path, *rows, columns={"rater_id": "judge"})
    ((row,), (shown,)) = file.comparisons, file.demonstrations
    assert (row.a, row.model_a, row.b, row.model_b, row.p_a_preferred) == ("2", "south", "1", "north", 1.0)
    assert (row.rater, row.rater_id, row.session) == ("human", "7", None)
    assert shown.model == "north"


def test_two_raters_or_sittings_are_two_comparisons(tmp_path: Path) -> None:
    rows = [ARENA | {"rater_id": rater, "session": session} for rater, session in ("rs", "rs", "rt", "ts", "t ")]
    file = read(tmp_path, *rows)
    assert [(row.rater_id, row.session) for row in file.comparisons] == [
        ("r", "s"),
        ("r", "t"),
        ("t", "s"),
        ("t", None),
    ]
    assert file.dropped == {"duplicate": 1}


def test_a_row_without_names_keeps_its_id(tmp_path: Path) -> None:
    (row,) = read(tmp_path, {"prompt": "x", "chosen": "1", "rejected": "2"}).comparisons
    assert row.id == "helpful-fcb989a27468"


def test_names_are_kept_as_they_are(tmp_path: Path) -> None:
    names = ["n" * 2**20, "\x1b[31mred", "a\0b", "a\r\nb\u2028c", "\u202eabc", "Human: hi", "null", 10**30]
    rows = [ARENA | {"model_a": name, "rater_id": name, "session": name} for name in names]
    kept = decode_rows(encode_rows(read(tmp_path, *rows).comparisons).splitlines(), Comparison, tmp_path)
    assert [(row.model_b, row.rater_id, row.session) for row in kept] == [(str(name),) * 3 for name in names]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (["north"], '"model_a" must be a name (write it as text)'),
        (True, '"model_a" must be a name (write it as text)'),
        ("\ud800", "a broken Unicode escape: half of a surrogate pair"),
    ],
)
def test_a_name_is_text(tmp_path: Path, name: object, fault: str) -> None:
    with pytest.raises(PromptError) as caught:
        read(tmp_path, ARENA | {"model_a": name})
    assert str(caught.value) == f"{tmp_path / 'h.jsonl'}:1: {fault}"


def test_the_published_comparisons(reference_data: Path) -> None:
    file = read_helpful(reference_data / "hh-rlhf" / "harmless-base-test.jsonl.gz")
    assert file.rows == 2312
    assert len(file.comparisons) == 2299
    assert file.dropped == {"two assistant turns in a row": 9, "no last answer": 4}
