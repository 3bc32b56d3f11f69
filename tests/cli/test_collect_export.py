"""`solon collect export`."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from polis_exports import clojure, essence, folder_bytes
from solon.cli.main import app
from solon.collective.reading.folder import open_conversation


def collect(*arguments: str | Path) -> Result:
    """`solon collect ...`; bugs keep their traceback."""
    parts = ["collect", *(str(part) for part in arguments)]
    return CliRunner().invoke(app, parts, prog_name="solon", catch_exceptions=False)


def test_the_public_version(tmp_path: Path) -> None:
    folder = clojure(tmp_path / "export", xid=True)
    result = collect("export", folder, "-o", tmp_path / "public", "--seed", "4")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{tmp_path / 'public'}: 6 participants, 7 statements, 36 votes",
        "participants have new random ids, and times are days",
        "left out: 3 votes that a later one of the same participant replaced",
        "left out: who wrote which statement",
    ]
    files = folder_bytes(tmp_path / "public")
    assert sorted(files) == ["comments.csv", "participants-votes.csv", "solon-export.txt", "summary.csv", "votes.csv"]
    assert not [name for name, data in files.items() if b"panel-" in data]
    assert b"The public version." in files["solon-export.txt"]
    assert collect("export", folder, "-o", tmp_path / "again", "--seed", "4").exit_code == 0
    assert folder_bytes(tmp_path / "again") == files


def test_the_organisers_version_goes_round(tmp_path: Path) -> None:
    assert collect("import", clojure(tmp_path / "export"), "-o", tmp_path / "town").exit_code == 0
    result = collect("export", tmp_path / "town", "-o", tmp_path / "raw", "--organiser")
    assert result.exit_code == 0 and "is for the organiser alone" in result.stdout
    assert collect("import", tmp_path / "raw", "-o", tmp_path / "back").exit_code == 0
    before, after = (open_conversation(tmp_path / name).conversation for name in ("town", "back"))
    assert essence(before) == essence(after)


def test_faults_take_one_line_and_exit_with_2(tmp_path: Path) -> None:
    folder = clojure(tmp_path / "export")
    before = folder_bytes(folder)
    for arguments, said in (
        ((tmp_path / "none", "-o", tmp_path / "out"), "none: no such folder"),
        ((folder, "-o", folder), "the folder is not empty"),
        ((folder, "-o", folder, "--force"), "the folder is not empty"),
    ):
        result = collect("export", *arguments)
        assert result.exit_code == 2 and said in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
    assert folder_bytes(folder) == before and not (tmp_path / "out").exists()
