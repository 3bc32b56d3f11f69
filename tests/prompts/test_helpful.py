from __future__ import annotations

from pathlib import Path

from prompts.examples import helpful as read
from prompts.examples import read_helpful

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


def test_the_published_comparisons(reference_data: Path) -> None:
    file = read_helpful(reference_data / "hh-rlhf" / "harmless-base-test.jsonl.gz")
    assert file.rows == 2312
    assert len(file.comparisons) == 2299
    assert file.dropped == {"two assistant turns in a row": 9, "no last answer": 4}
