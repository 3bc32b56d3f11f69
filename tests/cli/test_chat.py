from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from model_runs import embedded_run
from solon.cli.main import app
from solon.cli.talk import Chat
from solon.data.examples import read_helpful
from solon.lm.protocols import Completion
from solon.pipeline.talking import Talker, talkers
from solon.records import Turn

ASK = "I have the ladder of Ada. How do I give it back?"
STILL = 20
"""Glances in a row, of a hundredth of a second, that find a program asleep which waits for a line."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return embedded_run(tmp_path_factory.mktemp("runs") / "demo")


def chat(*arguments: str | Path, lines: str = ASK) -> Result:
    return CliRunner().invoke(
        app, ["chat", *map(str, arguments)], input=lines, prog_name="solon", catch_exceptions=False
    )


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def test_a_line_is_a_question_and_each_model_remembers_its_own_answers(made: Path) -> None:
    found = rows(chat(made, "--side-by-side", "--json", "--seed", "3", lines=f"{ASK}\n\nAnd then?\n"))
    assert [one["model"] for one in found] == ["base", "sl", "rl"] * 2
    assert {one["seed"] for one in found} == {3} and {one["temperature"] for one in found} == {1.0}
    for first, second in zip(found[:3], found[3:], strict=True):
        said = [turn["text"] for turn in second["prompt"]]
        assert said == [ASK, first["response"], "And then?"]
    again = rows(chat(made, "--side-by-side", "--json", "--seed", "3", lines=f"{ASK}\n\nAnd then?\n"))
    assert again == found
    assert {one["response"] for one in rows(chat(made, "--model", "base", "--json", "--seed", "4"))} != {
        found[0]["response"]
    }


def test_the_terminal_shows_what_the_engine_writes(made: Path) -> None:
    talker = talkers(made, ["rl"])["rl"]
    said = talker.answer([Turn(role="human", text=ASK)], seed=5, temperature=0.7, tell=lambda piece: None)
    assert chat(made, "--seed", "5", "--temperature", "0.7").stdout == f"{said.text}\n"


def test_answers_are_saved_as_rows_that_other_commands_read(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    lines = f"{ASK}\n/model base\nAnd then?\n/reset\n{ASK}\n/save {file}\n"
    result = chat(made, "--system", "Be brief.", lines=lines)
    assert f"3 answers in {file}" in result.stderr
    examples, _ = read_helpful(file)
    assert [len(one.prompt.turns) for one in examples] == [2, 2, 2], "base was not there when rl was asked"
    assert all(one.answers for one in examples)
    shown = CliRunner().invoke(app, ["show", str(file), "--model", "embedded", "-n", "3"], prog_name="solon")
    assert shown.exit_code == 0 and "Be brief." in shown.output
    there = chat(made, lines=f"/save {file}\n")
    assert f"{file}: is there already (name another file)" in there.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/nope", "there is no /nope (/help says what there is; // begins a message with a slash)"),
        ("/model gpt", "there is no model 'gpt' here (there is `base`, `sl`, `rl`)"),
        ("/save", "/save needs a file (e.g. /save chat.jsonl)"),
        ("/save missing/folder/x", "missing/folder/x: cannot be written: No such file or directory"),
        ("/save ~nobody-of-this-name/x", "~nobody-of-this-name/x: there is no such home (name another file)"),
        ("/save a\0b", "a\\x00b: cannot be written: embedded null byte"),
    ],
)
def test_a_wrong_command_is_said_and_the_chat_goes_on(made: Path, line: str, said: str) -> None:
    result = chat(made, "--json", lines=f"{line}\n{ASK}\n")
    assert f"error: {said}\n" in result.stderr
    assert len(rows(result)) == 1


def test_a_dialogue_longer_than_the_model_reads_is_said_and_not_kept(made: Path) -> None:
    result = chat(made, "--json", lines=f"{'word ' * 3000}\n{ASK}\n")
    assert "more than the model's" in result.stderr and "/reset begins anew" in result.stderr
    assert [turn["text"] for turn in rows(result)[0]["prompt"]] == [ASK]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "chat needs a run or a model (solon chat RUN, or solon chat --model MODEL)"),
        (("nowhere",), "nowhere holds no run (begin one with `solon run -o nowhere`)"),
        (("{run}", "--model", "dpo"), "the run has not made dpo so far (go on with `solon resume {run}`)"),
        (("{run}", "--model", "x"), "a run has no model 'x' (this one has `base`, `sl`, `rl`)"),
        (("--model", "embedded", "--side-by-side"), "--side-by-side needs a run (solon chat RUN --side-by-side)"),
        (
            ("--model", "http://localhost:1/v1"),
            "--model http://localhost:1/v1 names no model of the server (e.g. http://localhost:1/v1#my-model)",
        ),
    ],
)
def test_what_cannot_be_talked_to(made: Path, arguments: tuple[str, ...], said: str) -> None:
    result = chat(*(one.format(run=made) for one in arguments))
    assert (result.exit_code, result.stderr) == (2, f"error: {said.format(run=made)}\n")


def test_what_a_model_says_commands_no_terminal(monkeypatch: pytest.MonkeyPatch, made: Path) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\u202egnp\r!"

    def answer(self: Talker, turns: object, *, tell: Any, **_: object) -> Completion:
        for piece in hostile:
            tell(piece)
        return Completion(prompt="", text=hostile, tokens=1, ended="eos")

    monkeypatch.setattr(Talker, "answer", answer)
    for arguments in (("--side-by-side",), ("--json",)):
        result = chat(made, *arguments)
        assert result.exit_code == 0
        assert not {"\x1b", "\x07", "\u202e", "\r"} & set(result.stdout), arguments
    assert "\\x1b]0;owned\\x07\\x1b[2J\\u202egnp\\r!" in chat(made).stdout


def test_a_question_that_is_no_text_is_asked_all_the_same(made: Path) -> None:
    result = CliRunner().invoke(app, ["chat", str(made), "--json"], input=b"caf\xe9\n", prog_name="solon")
    assert rows(result)[0]["prompt"][0]["text"] == "caf\ufffd"


def test_what_was_stopped_has_not_been_said(made: Path) -> None:
    talk = Chat(talkers=talkers(made, ["base"]), speaking=["base"])

    def stop(piece: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        talk.ask("base", ASK, stop)
    row, _ = talk.ask("base", ASK, lambda piece: None)
    assert [turn.text for turn in row.prompt] == [ASK] and talk.spoken == [row]


class Screen:
    """What a terminal shows."""

    def __init__(self, terminal: int) -> None:
        self.terminal, self.text = terminal, ""

    def until(self, wanted: str, count: int = 1) -> None:
        """Until this stands there so often."""
        while self.text.count(wanted) < count:
            assert select.select([self.terminal], [], [], 60)[0], f"never {count} times {wanted!r}: {self.text!r}"
            self.text += os.read(self.terminal, 4096).decode(errors="replace")


def asleep(program: subprocess.Popen[bytes]) -> None:
    """Until it has waited for a line for a while, and not for something else at one glance. What interrupts `input`
    between its prompt and that is seen at the next key."""
    state, deadline = Path(f"/proc/{program.pid}/stat"), monotonic() + 60
    if not state.exists():  # as on macOS
        sleep(0.5)
        return
    glances = 0
    while glances < STILL:
        assert monotonic() < deadline, "it never waits"
        sleep(0.01)
        glances = glances + 1 if state.read_text().rpartition(")")[2].split()[0] == "S" else 0


def test_ctrl_c_stops_the_answer_and_not_the_chat(made: Path) -> None:
    """In a terminal, three times over: a signal that comes twice ends any other command."""
    terminal, inside = pty.openpty()
    command = [sys.executable, "-m", "solon", "chat", str(made), "--model", "base"]
    program = subprocess.Popen(
        command,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # whatever these tests were started to do
    )
    os.close(inside)
    screen = Screen(terminal)
    try:
        screen.until("\n> ")
        assert "made-up world" in screen.text and screen.text.count("\n  ") == 3, "three examples"
        for number in range(1, 4):
            asleep(program)
            program.send_signal(signal.SIGINT)
            screen.until("Ctrl-D or /quit leaves.\r\n> ", number)
        os.write(terminal, f"{ASK}\n".encode())
        screen.until(f"{ASK}\r\n")
        program.send_signal(signal.SIGINT)  # while the model is loaded, or answers, or has answered
        screen.until("\n> ", 5)
        os.write(terminal, b"/quit\n")
        assert program.wait(30) == 0
    finally:
        program.kill()
        os.close(terminal)
