from __future__ import annotations

import json
from pathlib import Path

import pytest

from solon.errors import PromptError
from solon.prompts.helpful import HelpfulFile, read_helpful

HH = {
    "chosen": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: better",
    "rejected": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: worse",
}


def read(tmp_path: Path, *rows: object) -> HelpfulFile:
    path = tmp_path / "h.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return read_helpful(path)


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


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "x"}, 'neither a comparison nor an answer (give "chosen" and "rejected", or "response")'),
        ({"prompt": "x", "chosen": "y"}, "neither a comparison nor an answer"),
        ({"chosen": "y", "rejected": "z"}, "no prompt ("),
        ({"prompt": "x", "chosen": "y", "rejected": 3}, '"rejected" must be text'),
        ({"prompt": "x", "response": ["y"]}, '"response" must be text'),
        (
            {"turns": [{"role": "human", "text": "x"}, {"role": "assistant", "text": "y"}], "response": "z"},
            "the dialogue ends with the assistant",
        ),
    ],
)
def test_faults(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(PromptError) as error:
        read(tmp_path, row)
    assert str(error.value).startswith(f"{tmp_path / 'h.jsonl'}:1: {message}")


def test_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="the file is empty"):
        read(tmp_path)


def test_the_published_comparisons(reference_data: Path) -> None:
    file = read_helpful(reference_data / "hh-rlhf" / "harmless-base-test.jsonl.gz")
    assert file.rows == 2312
    assert len(file.comparisons) == 2299
    assert file.dropped == {"two assistant turns in a row": 9, "no last answer": 4}
