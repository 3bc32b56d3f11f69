"""Where results go: nothing that a command reads is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from solon.cli.main import app
from solon.collective.output import replacing
from solon.errors import InputError
from talks import random_rows, talk, write_export


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("report", "comments.csv"),
        ("groups", "participants-votes.csv"),
        ("consensus", "comments.csv"),
        ("topics", "comments.csv"),
    ],
)
def test_force_never_overwrites_what_is_read(tmp_path: Path, command: str, name: str) -> None:
    folder = write_export(talk(random_rows(1, 12, 6)), tmp_path / "export")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    given = ["collect", command, str(folder), "-o", str(folder / name), "--force"]
    result = CliRunner().invoke(app, given, prog_name="solon")
    assert result.exit_code == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_page_is_called_html(tmp_path: Path) -> None:
    folder = write_export(talk(random_rows(1, 12, 6)), tmp_path / "export")
    result = CliRunner().invoke(app, ["collect", "report", str(folder), "-o", str(tmp_path / "a.csv")])
    assert result.exit_code == 2
    assert "a.csv: is no name for a page" in result.output and "call it a.html" in result.output


def test_of_two_commands_that_write_one_folder_the_second_is_refused(tmp_path: Path) -> None:
    with replacing(tmp_path / "out", marker="a", force=True) as folder:
        (folder / "a").write_text("first")
        refused = pytest.raises(
            InputError, match=r"out: another command is writing it \(wait, or name another with -o\)"
        )
        with refused, replacing(tmp_path / "out", marker="a", force=True):
            raise AssertionError("never reached")
        with replacing(folder / "inner", marker="b", force=False) as inner:  # as `clean` does
            (inner / "b").write_text("nested")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "inner", "out"]
    with replacing(tmp_path / "out", marker="a", force=True) as folder:
        (folder / "a").write_text("second")
    assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["second"]


def test_a_command_that_was_killed_locks_nothing(tmp_path: Path) -> None:
    (tmp_path / ".out.lock").write_text("")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "out", marker="a", force=False):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
