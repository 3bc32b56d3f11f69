from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from solon.errors import PromptError
from solon.prompts.read import read_prompts
from solon.records import Turn


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


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


BAD_LINES: list[tuple[bytes, str]] = [
    (b'{"prompt": "x"', "broken JSON: "),
    (b'["x"]', "a line must be a JSON object, not a list"),
    (b"3", "a line must be a JSON object, not a number"),
    (b"[" * 100_000, "broken JSON: "),
    (b'{"text": "x"}', 'no prompt (give "prompt", "turns" or "messages")'),
    (b'{"prompt": 3}', '"prompt" must be text or a list of turns'),
    (b'{"prompt": null}', '"prompt" must be text or a list of turns'),
    (b'{"prompt": "  "}', '"prompt" is empty'),
    (b'{"turns": []}', '"turns" is empty'),
    (b'{"turns": ["x"]}', '"turns" must be a list of turns ({"role": "human", "text": "..."})'),
    (b'{"turns": [{"role": "human", "text": ""}]}', '"turns" has an empty turn'),
    (b'{"turns": [{"role": "human"}]}', '"turns.text" must be text'),
    (b'{"turns": [{"role": ["human"], "text": "x"}]}', "\"turns\": unknown role ['human']"),
    (
        b'{"messages": [{"role": "system", "content": "x"}]}',
        "\"messages\": unknown role 'system' (put a system message into the first human turn)",
    ),
    (
        b'{"turns": [{"role": "human", "text": "x"}, {"role": "human", "text": "y"}]}',
        '"turns": two human turns in a row',
    ),
    (
        b'{"turns": [{"role": "human", "text": "x"}, {"role": "assistant", "text": "y"}]}',
        "the dialogue ends with the assistant (end it with the human turn to be answered)",
    ),
    (b'{"turns": [{"role": "assistant", "text": "y"}]}', '"turns": the dialogue does not begin with the human'),
    (b'{"prompt": "x", "kind": "evil"}', "unknown kind 'evil' (use harmful, mixed, benign)"),
    (b'{"prompt": "x\\n\\nAssistant: y"}', "\"prompt\" holds 'Assistant:' inside one turn"),
    (b'{"prompt": "\\ud800"}', "a broken Unicode escape: half of a surrogate pair"),
    (b'{"chosen": 3}', '"chosen" must be a transcript'),
    (b'{"chosen": "x"}', r"not a transcript (it must begin with \n\nHuman:)"),
    (b'{"prompt": "\xff"}', "not UTF-8: byte 0xff (save the file as UTF-8)"),
]


@pytest.mark.parametrize(("line", "message"), BAD_LINES, ids=range(len(BAD_LINES)))
def test_each_fault_names_its_file_and_line(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(b'{"prompt": "fine"}\n\n' + line + b"\n")
    with pytest.raises(PromptError) as error:
        read_prompts(path, "harmful")
    assert str(error.value).startswith(f"{path}:3: {message}")
    assert len(error.value.faults) == 1


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(b"\n".join(line for line, _ in BAD_LINES))
    with pytest.raises(PromptError) as error:
        read_prompts(path, "harmful")
    faults = error.value.faults
    assert len(faults) == 21
    assert [fault.where.line for fault in faults[:20] if fault.where] == list(range(1, 21))
    assert faults[-1].what == f"and {len(BAD_LINES) - 20} more"


WHOLE_FILES: list[tuple[str, bytes, str]] = [
    ("p.jsonl", b"", ": no prompts: the file is empty"),
    ("p.jsonl", b"\n \n", ": no prompts: the file is empty"),
    ("p.csv", b"", ": no prompts: the file is empty"),
    ("p.csv", b"prompt\n", ": no prompts: the file is empty"),
    ("p.json", b'[{"prompt": "x"}]', ":1: the file holds a JSON list (write one JSON object per line)"),
    ("p.jsonl", "x".encode("utf-16"), ": the file is UTF-16 (save it as UTF-8)"),
    ("p.jsonl.gz", gzip.compress(b"x" * 99)[:-9], ": broken gzip file: "),
    ("p.txt", b"x", ": cannot tell the format from the name 'p.txt' (use .jsonl, .jsonl.gz or .csv)"),
    ("p.csv", b"a,b\n1,2\n", ':2: no prompt (give "prompt", "turns" or "messages")'),
    ("p.csv", b"prompt\na, b\n", ":2: 2 fields where the header has 1"),
    ("p.csv", b"prompt,prompt\na,b\n", ":1: a column name appears twice: prompt, prompt"),
    ("p.csv", b'prompt\n"a" b\n', ":2: broken CSV: "),
    ("p.csv", b"prompt\n\xe9\n", ":2: not UTF-8: byte 0xe9"),
    (
        "p.jsonl",
        b'{"chosen": "\\n\\nAssistant: b"}',
        ": no usable prompt in 1 rows (the dialogue does not begin with the human: 1)",
    ),
]


@pytest.mark.parametrize(("name", "data", "message"), WHOLE_FILES, ids=range(len(WHOLE_FILES)))
def test_files_that_hold_no_prompts(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(PromptError) as error:
        read_prompts(path, "harmful")
    assert str(error.value).startswith(f"{path}{message}")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="no such file"):
        read_prompts(tmp_path / "p.jsonl", "harmful")
    (tmp_path / "d.jsonl").mkdir()
    with pytest.raises(PromptError, match="cannot be read"):
        read_prompts(tmp_path / "d.jsonl", "harmful")


def test_the_published_red_team_prompts(reference_data: Path) -> None:
    file = read_prompts(reference_data / "hh-rlhf" / "harmless-base-test.jsonl.gz", "harmful")
    assert file.rows == 2312
    assert file.dropped == {"two assistant turns in a row": 8, "duplicate": 2}
    assert len(file.prompts) == 2302
    assert sum(len(prompt.turns) > 1 for prompt in file.prompts) > 1600


def test_xstest_says_which_prompts_are_safe(reference_data: Path) -> None:
    file = read_prompts(reference_data / "xstest" / "xstest_prompts.csv", "harmful")
    assert Counter(prompt.kind for prompt in file.prompts) == {"benign": 250, "harmful": 200}
