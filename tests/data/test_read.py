from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from data.examples import read_prompts, write
from solon.records import Turn


def human(text: str) -> Turn:
    return Turn(role="human", text=text)


def assistant(text: str) -> Turn:
    return Turn(role="assistant", text=text)


EARLIER = "\n\nHuman: Where is the ladder?\n\nAssistant: By the fence."
DIALOGUE = (human("Where is the ladder?"), assistant("By the fence."), human("May I take it?"))


@pytest.mark.parametrize(
    "row",
    [
        {"turns": [{"role": turn.role, "text": turn.text} for turn in DIALOGUE]},
        {"messages": [{"role": {"human": "user"}.get(t.role, t.role), "content": t.text} for t in DIALOGUE]},
        {"prompt": [{"role": turn.role, "text": turn.text} for turn in DIALOGUE]},
        {"prompt": f"{EARLIER}\n\nHuman: May I take it?\n\nAssistant:"},
        {
            "chosen": f"{EARLIER}\n\nHuman: May I take it?\n\nAssistant: Ask.",
            "rejected": "\n\nHuman: other\n\nAssistant: text",
        },
    ],
    ids=["turns", "messages", "prompt-turns", "prompt-transcript", "hh-rlhf"],
)
def test_every_shape_of_a_dialogue_gives_the_same_prompt(tmp_path: Path, row: object) -> None:
    (prompt,) = read_prompts(write(tmp_path / "p.jsonl", row), "harmful").prompts
    assert prompt.turns == DIALOGUE
    assert prompt.source == "p.jsonl:1"
    plain = read_prompts(write(tmp_path / "q.jsonl", {"turns": [t.model_dump() for t in DIALOGUE]}), "harmful")
    assert prompt.id == plain.prompts[0].id, "an id is a function of the content"


def test_text_is_kept_verbatim_but_for_the_space_around_it(tmp_path: Path) -> None:
    text = "two\u2028lines, {braces}, [b]markup[/b], H: A: ünïcödé 🪜\n\nand a paragraph"
    (prompt,) = read_prompts(write(tmp_path / "p.jsonl", {"prompt": f"  {text}\n"}), "benign").prompts
    assert prompt.turns == (human(text),)


def test_a_row_may_name_its_kind(tmp_path: Path) -> None:
    file = read_prompts(write(tmp_path / "p.jsonl", {"prompt": "x", "kind": "mixed"}, {"prompt": "y"}), "benign")
    assert [p.kind for p in file.prompts] == ["mixed", "benign"]


def test_the_same_words_of_another_kind_are_another_prompt(tmp_path: Path) -> None:
    file = read_prompts(write(tmp_path / "p.jsonl", {"prompt": "x", "kind": "mixed"}, {"prompt": "x"}), "benign")
    assert len({p.id for p in file.prompts}) == 2


def test_duplicates_are_counted_and_every_row_is_accounted_for(tmp_path: Path) -> None:
    rows = [
        {"prompt": "x"},
        {"prompt": " x "},
        {"chosen": "\n\nHuman: a\n\nAssistant: b\n\nAssistant: c", "rejected": ""},
        {"chosen": "\n\nHuman: \n\nAssistant: b", "rejected": ""},
        {"chosen": "\n\nAssistant: b", "rejected": ""},
    ]
    file = read_prompts(write(tmp_path / "p.jsonl", *rows), "harmful")
    assert file.dropped == Counter(
        {
            "duplicate": 1,
            "two assistant turns in a row": 1,
            "empty turn": 1,
            "the dialogue does not begin with the human": 1,
        }
    )
    assert file.rows == len(file.prompts) + file.dropped.total() == 5


def test_a_transcript_without_its_last_answer_is_a_prompt(tmp_path: Path) -> None:
    row = {"chosen": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:", "rejected": "x"}
    (prompt,) = read_prompts(write(tmp_path / "p.jsonl", row), "harmful").prompts
    assert prompt.turns == (human("a"), assistant("b"), human("c"))


def test_delimiters_split_only_at_the_start_of_a_paragraph(tmp_path: Path) -> None:
    row = {"chosen": "\n\nHuman: say Human: x\nAssistant: y\n\nAssistant: z", "rejected": "x"}
    (prompt,) = read_prompts(write(tmp_path / "p.jsonl", row), "harmful").prompts
    assert prompt.turns == (human("say Human: x\nAssistant: y"),)


def test_csv_with_quotes_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes('\ufeffprompt,kind,note\r\n"a, ""b""\r\nc",mixed,1\r\nd,,2\r\n'.encode())
    file = read_prompts(path, "harmful")
    assert [(p.turns[0].text, p.kind, p.source) for p in file.prompts] == [
        ('a, "b"\r\nc', "mixed", "p.csv:2"),
        ("d", "harmful", "p.csv:4"),
    ]


def test_gzip_is_recognised_by_its_bytes(tmp_path: Path) -> None:
    line = json.dumps({"prompt": "x"}).encode()
    for name, data in (("a.jsonl.gz", gzip.compress(line)), ("b.jsonl", gzip.compress(line)), ("c.jsonl.gz", line)):
        (tmp_path / name).write_bytes(data)
        assert len(read_prompts(tmp_path / name, "harmful").prompts) == 1


def test_the_published_red_team_prompts(reference_data: Path) -> None:
    file = read_prompts(reference_data / "hh-rlhf" / "harmless-base-test.jsonl.gz", "harmful")
    assert file.rows == 2312
    assert file.dropped == {"two assistant turns in a row": 8, "duplicate": 2}
    assert len(file.prompts) == 2302
    assert sum(len(prompt.turns) > 1 for prompt in file.prompts) > 1600


def test_xstest_says_which_prompts_are_safe(reference_data: Path) -> None:
    file = read_prompts(reference_data / "xstest" / "xstest_prompts.csv", "harmful")
    assert Counter(prompt.kind for prompt in file.prompts) == {"benign": 250, "harmful": 200}
