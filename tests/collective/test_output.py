"""Where results go: nothing that a command reads is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from solon.cli.main import app
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
