from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from solon.cli.main import app
from solon.cli.show import token_texts
from tiny_models import END, tiny_tokenizer

RUNNER = CliRunner()


def model_folder(tmp_path: Path, *, chat_template: bool = False) -> Path:
    tiny_tokenizer(chat_template=chat_template).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def examples(tmp_path: Path) -> Path:
    path = tmp_path / "h.jsonl"
    rows = [
        {"prompt": "[b]How?[/b]", "response": "Like \u001b[31mthis 🪜."},
        {"prompt": "Why?", "chosen": "Because.", "rejected": "No."},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_the_answer_and_its_end_count(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["show", str(examples(tmp_path)), "--model", str(model_folder(tmp_path)), "-n", "2"])
    assert result.exit_code == 0, result.output
    assert "example 1, h.jsonl:1" in result.output
    assert f"Assistant:{{+ Like \\x1b[31mthis 🪜.{END}+}}" in result.output
    assert "Human: [b]How?[/b]\\n" in result.output
    assert f"Assistant:{{+ Because.{END}+}}" in result.output
    assert "\x1b[31m" not in result.output


def test_one_example_in_a_chat_template(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, chat_template=True)
    result = RUNNER.invoke(app, ["show", str(examples(tmp_path)), "--model", str(folder), "--first", "2"])
    assert f"<|user|>Why?{END}<|assistant|>{{+Because.{END}+}}" in result.output
    assert "example 1," not in result.output


def test_beyond_the_last_example(tmp_path: Path) -> None:
    path = examples(tmp_path)
    result = RUNNER.invoke(app, ["show", str(path), "--model", str(model_folder(tmp_path)), "--first", "3"])
    assert result.exit_code == 2
    assert f"error: {path}: there are only 2 examples" in result.output


def test_a_file_alone_has_no_tokenizer(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["show", str(examples(tmp_path))])
    assert (result.exit_code, result.stderr) == (
        2,
        "error: a file needs a tokenizer (pass --model MODEL)\n",
    )


def test_what_each_token_adds() -> None:
    pieces = {1: b"a", 2: b"\xf0\x9f", 3: b"\xaa\x9c", 4: b" b"}
    texts = token_texts(lambda ids: b"".join(pieces[i] for i in ids).decode(errors="replace"), [1, 2, 3, 4, 2])
    assert texts == ["a", "", "🪜", " b", "\ufffd"]
