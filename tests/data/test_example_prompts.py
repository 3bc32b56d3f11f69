from __future__ import annotations

import json
from pathlib import Path

import pytest

from solon.data.example_prompts import read_asked, read_example_prompts
from solon.errors import PromptError


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_text_has_headings_and_a_prompt_a_line(tmp_path: Path) -> None:
    file = written(tmp_path / "red.txt", "First?\n\n# theft\n  Second? \n## fraud and so on\nThird?\n")
    assert [(one.text, one.category, one.source) for one in read_example_prompts(file)] == [
        ("First?", "", "red.txt:1"),
        ("Second?", "theft", "red.txt:4"),
        ("Third?", "fraud and so on", "red.txt:6"),
    ]
    assert read_asked(file) == ["First?", "Second?", "Third?"]


def test_rows_have_a_prompt_and_may_have_a_category(tmp_path: Path) -> None:
    rows = [{"prompt": "One\n two?", "category": "theft", "more": 1}, {"prompt": "Three?", "category": None}]
    file = written(tmp_path / "red.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert [(one.text, one.category, one.source) for one in read_example_prompts(file)] == [
        ("One two?", "theft", "red.jsonl:1"),
        ("Three?", "", "red.jsonl:2"),
    ]


def test_what_is_asked_is_the_last_turn_of_any_form(tmp_path: Path) -> None:
    rows = [{"prompt": "\n\nHuman: Hi.\n\nAssistant: Yes?\n\nHuman: How?\n\nAssistant:"}, {"chosen": [
        {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}], "rejected": "No."}]  # fmt: skip
    file = written(tmp_path / "evals.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert read_asked(file) == ["How?", "Why?"]


def test_faults(tmp_path: Path) -> None:
    def told(name: str, text: str) -> list[str]:
        with pytest.raises(PromptError) as error:
            read_example_prompts(written(tmp_path / name, text))
        return str(error.value).replace(f"{tmp_path}/", "").splitlines()

    needs = 'an example needs "prompt", a text, and may have "category", a text'
    assert told("a.txt", "# theft\n\n") == ["a.txt: no example prompts: the file is empty"]
    assert told("a.jsonl", '{"prompt": 3}\n{"text": "a"}\n{"prompt": "a", "category": 3}\n[1]\n') == [
        *(f"a.jsonl:{line}: {needs}" for line in (1, 2, 3)),
        "a.jsonl:4: a line must be a JSON object, not a list",
    ]
    assert told("a.pdf", "") == [
        "a.pdf: cannot tell the format from the name 'a.pdf' "
        "(use .txt (a prompt a line), .jsonl, .json, .csv (also with .gz, .xz or .zst), .parquet or .arrow)"
    ]
    assert told("red", "How?\n")[0].endswith(
        "from the name 'red' (use .txt (a prompt a line), .jsonl, .json, .csv (also "
        "with .gz, .xz or .zst), .parquet or .arrow)"
    )
    with pytest.raises(PromptError, match=r"\(use \.txt \(a prompt a line\), "):
        read_asked(tmp_path / "red")
    with pytest.raises(PromptError, match=r"none: no such file$"):
        read_example_prompts(tmp_path / "none")
    assert read_asked(written(tmp_path / "LOUD.TXT", "How?\n")) == ["How?"]
    with pytest.raises(PromptError) as error:
        read_example_prompts(tmp_path / "none.txt")
    assert str(error.value) == f"{tmp_path}/none.txt: cannot be read: No such file or directory"
    (tmp_path / "latin.txt").write_bytes(b"na\xefve\n")
    with pytest.raises(PromptError) as error:
        read_example_prompts(tmp_path / "latin.txt")
    assert str(error.value) == f"{tmp_path}/latin.txt: not UTF-8 (save the file as UTF-8)"
