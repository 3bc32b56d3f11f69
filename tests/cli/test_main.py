"""The command line as a whole: the table of commands, what help costs, what errors look like."""

from __future__ import annotations

import errno
import inspect
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner, Result

import solon
from solon.cli import main
from solon.cli.collect.app import Collect
from solon.cli.eval.app import Evaluations
from solon.cli.faults import resumable
from solon.errors import Fault, PromptError, UnscoredError, UserError, Where


def register(monkeypatch: pytest.MonkeyPatch, name: str, command: object) -> None:
    """Make `solon` a program of one command."""
    monkeypatch.setitem(sys.modules, "made_up_command", SimpleNamespace(made_up=command))
    monkeypatch.setattr(main.Solon, "table", (main.Entry(name, "made_up_command:made_up", "Made up."),))


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch, folder: Path | None = None) -> Result:
    """Run a command that raises `error`, inside `resumable` if a folder is given."""

    def broken() -> None:
        with resumable(folder) if folder else nullcontext():
            raise error

    register(monkeypatch, "broken", broken)
    return CliRunner().invoke(main.app, ["broken"])


TABLES = {"solon": main.Solon.table, "collect": Collect.table, "eval": Evaluations.table}


@pytest.mark.parametrize(
    ("table", "entry"), [pytest.param(table, one, id=one.name) for table, rows in TABLES.items() for one in rows]
)
def test_every_command_of_a_table_exists_and_its_help_line_is_its_own(table: str, entry: main.Entry) -> None:
    command = main.load(entry)
    assert inspect.cleandoc(command.help or "").splitlines()[0] == entry.help
    shown = CliRunner().invoke(main.app, [*([] if table == "solon" else [table]), entry.name, "--help"])
    assert shown.exit_code == 0, shown.output


def test_names_are_unique() -> None:
    for table in TABLES.values():
        names = [entry.name for entry in table]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("table", TABLES)
def test_help_lists_every_command_without_importing_any(table: str) -> None:
    modules = [f"solon.cli{entry.target.split(':')[0]}" for entry in TABLES[table]]
    arguments = ["--help"] if table == "solon" else [table, "--help"]
    heavy = ["torch", "transformers", "numpy", *(["pydantic"] if table == "solon" else [])]  # Typer has it for groups
    script = f"""
import sys
from solon.cli.main import app
try:
    app({arguments!r})
except SystemExit as leaving:
    assert not leaving.code
assert not [name for name in {modules!r} if name in sys.modules]
assert not [name for name in {heavy!r} if name in sys.modules]
"""
    wide = os.environ | {"COLUMNS": "150"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=wide)
    assert done.returncode == 0, done.stderr
    for entry in TABLES[table]:
        assert entry.name in done.stdout and entry.help in done.stdout


def test_version() -> None:
    shown = CliRunner().invoke(main.app, ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"solon {solon.__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--bogus"], "error: No such option: --bogus (see: solon --help)\n"),
        (["greeet"], "error: No such command 'greeet'. Did you mean 'greet'? (see: solon --help)\n"),
        (["greet", "twice"], "error: Got unexpected extra argument(s) (twice) (see: solon greet --help)\n"),
    ],
)
def test_a_wrong_call_is_one_line_and_code_2(arguments: list[str], line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "greet", lambda: typer.echo("good day"))
    shown = CliRunner().invoke(main.app, arguments, prog_name="solon")
    assert (shown.exit_code, shown.stderr) == (2, line)


def test_every_fault_of_the_user_is_one_line_and_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [
        Fault("not JSON:\nunexpected end", Where("prompts.jsonl", 3), "end the line with }"),
        Fault("no prompts"),
    ]
    shown = fail_with(PromptError(faults), monkeypatch)
    assert shown.exit_code == 2
    assert shown.stderr.splitlines() == [
        "error: prompts.jsonl:3: not JSON: unexpected end (end the line with })",
        "error: no prompts",
    ]


def test_a_failed_run_is_code_1_and_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = fail_with(UnscoredError("31 of 100 verdicts could not be read"), monkeypatch, tmp_path)
    assert shown.exit_code == 1
    assert shown.stderr.splitlines() == [
        "error: 31 of 100 verdicts could not be read",
        f"Finished work is kept. To continue: solon resume {tmp_path}",
    ]


def test_an_interrupted_run_is_code_130_and_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = fail_with(KeyboardInterrupt(), monkeypatch, tmp_path)
    assert shown.exit_code == 130
    assert shown.stderr.split("\n") == [
        "",
        "interrupted",
        f"Finished work is kept. To continue: solon resume {tmp_path}",
        "",
    ]


def test_a_run_that_never_began_is_not_to_be_resumed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = fail_with(KeyboardInterrupt(), monkeypatch, tmp_path / "never-made")
    assert "resume" not in shown.stderr
    shown = fail_with(UserError("seed must not be negative"), monkeypatch, tmp_path)
    assert "resume" not in shown.stderr


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/demo/x"),
            "error: no space left on the device, writing runs/demo/x (make room, then continue)",
        ),
        (
            OSError(errno.EFBIG, "File too large", "out/x"),
            "error: file too large, writing out/x (make room, then continue)",
        ),
        (
            RuntimeError("I/O error: No space left on device (os error 28)"),
            "error: no space left on the device (make room, then continue)",
        ),
    ],
)
def test_a_full_disk_is_code_2(error: Exception, line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = fail_with(error, monkeypatch, tmp_path)
    assert shown.exit_code == 2
    assert shown.stderr.splitlines() == [line, f"Finished work is kept. To continue: solon resume {tmp_path}"]


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    bug = ZeroDivisionError("a bug")
    shown = fail_with(bug, monkeypatch)
    assert shown.exception is bug
    assert shown.exit_code == 1


def test_a_sub_app_may_be_a_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    group = typer.Typer(help="A group.")

    @group.command()
    def greet() -> None:
        """Greet."""
        typer.echo("good day")

    @group.command()
    def leave() -> None:
        """Leave."""

    register(monkeypatch, "group", group)
    assert CliRunner().invoke(main.app, ["group", "greet"]).output == "good day\n"
