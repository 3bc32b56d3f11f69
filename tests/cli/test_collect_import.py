"""`solon collect import`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import polis_exports as town
from polis_exports import clojure, essence, folder_bytes, replace_in, server_csv
from solon.cli.main import app
from solon.collective.reading.folder import open_conversation


def collect(*arguments: str | Path) -> Result:
    """`solon collect ...`; bugs keep their traceback."""
    parts = ["collect", *(str(part) for part in arguments)]
    return CliRunner().invoke(app, parts, prog_name="solon", catch_exceptions=False)


def test_what_is_printed_is_for_everybody(tmp_path: Path) -> None:
    folder = clojure(tmp_path / "export", xid=True)
    (folder / "summary.csv").unlink()
    result = collect("import", folder, "-o", tmp_path / "town")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Read and checked (7)"
    assert any("external ids (xid) of 6 participants: kept for the organiser alone" in line for line in lines[1:8])
    assert lines[8:] == [
        "Worth a look: this does not fit together, or is missing (1)",
        "  export: no summary.csv: the topic is not known",
        f"{tmp_path / 'town'}: 6 participants, 7 statements, 36 votes (1 agree, -1 disagree, 0 pass)",
        f"What was found is also in {tmp_path / 'town' / 'findings.csv'}. "
        f"Next: solon collect groups {tmp_path / 'town'} -o groups.csv",
    ]


def test_a_shuffled_export_gives_the_same_bytes_and_the_same_words(tmp_path: Path) -> None:
    printed, written = [], []
    for seed in range(2):
        folder = clojure(tmp_path / f"{seed}" / "export", order=random.Random(seed))
        result = collect("import", folder, "-o", tmp_path / f"{seed}" / "town")
        printed.append(result.stdout.replace(f"/{seed}/", "/"))
        written.append(folder_bytes(tmp_path / f"{seed}" / "town"))
    assert printed[0] == printed[1] and written[0] == written[1]


def test_statements_do_not_command_the_terminal(tmp_path: Path) -> None:
    folder = clojure(tmp_path / "export")
    town.write(folder / "comments.csv", ["comment-id", "comment-body", "\x1b[2Jx"], [[0, "More benches", 1]])
    result = collect("import", folder, "-o", tmp_path / "town", "--vote-sign", "agree=+1")
    assert result.exit_code == 0 and "\x1b" not in result.stdout


@pytest.mark.parametrize(("option", "vote"), [("agree=-1", 1), ("agree=+1", -1), ("agree = 1", -1)])
def test_the_sign_may_be_given(tmp_path: Path, option: str, vote: int) -> None:
    result = collect("import", server_csv(tmp_path / "export"), "-o", tmp_path / "town", "--vote-sign", option)
    assert result.exit_code == 0
    talk = open_conversation(tmp_path / "town").conversation
    assert talk.votes_PS[0, 0] == vote


def test_an_import_of_an_import_is_the_same(tmp_path: Path) -> None:
    assert collect("import", clojure(tmp_path / "export"), "-o", tmp_path / "one").exit_code == 0
    assert collect("import", tmp_path / "one", "-o", tmp_path / "two").exit_code == 0
    assert folder_bytes(tmp_path / "one") == folder_bytes(tmp_path / "two")


class TestFaults:
    """One line, exit code 2, nothing written."""

    def refused(self, tmp_path: Path, *arguments: str | Path) -> str:
        result = collect("import", *arguments, "-o", tmp_path / "town")
        assert result.exit_code == 2 and not (tmp_path / "town" / "imported.json").exists()
        assert len(result.stderr.strip().splitlines()) == 1
        return result.stderr

    def test_a_cell(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "export")
        replace_in(folder / "votes.csv", ",0,2,-1\n", ",0,2,agree\n")
        assert "export/votes.csv:2: vote is not a whole number: 'agree'" in self.refused(tmp_path, folder)

    def test_no_folder(self, tmp_path: Path) -> None:
        assert "none: no such folder" in self.refused(tmp_path, tmp_path / "none")

    def test_a_sign_that_is_none(self, tmp_path: Path) -> None:
        told = self.refused(tmp_path, clojure(tmp_path / "export"), "--vote-sign", "agree=2")
        assert "--vote-sign 'agree=2' is unknown (agree=+1 or agree=-1)" in told

    def test_a_folder_that_holds_something(self, tmp_path: Path) -> None:
        (tmp_path / "town").mkdir()
        (tmp_path / "town" / "thesis.txt").write_text("mine")
        assert "town: the folder is not empty" in self.refused(tmp_path, clojure(tmp_path / "export"), "--force")
        assert (tmp_path / "town" / "thesis.txt").read_text() == "mine"

    def test_an_import_made_before(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "export")
        assert collect("import", folder, "-o", tmp_path / "town").exit_code == 0
        again = collect("import", folder, "-o", tmp_path / "town")
        assert again.exit_code == 2 and "was written before" in again.stderr and "--force" in again.stderr
        assert collect("import", folder, "-o", tmp_path / "town", "--force").exit_code == 0


@pytest.mark.parametrize(
    "folder", ["polis/bg2050-volunteers", "polis/scoop-hivemind.biodiversity", "polis/server-below-100", "ccai-2023"]
)
def test_reference_exports_are_imported_with_their_sign_confirmed(
    tmp_path: Path, reference_data: Path, folder: str
) -> None:
    result = collect("import", reference_data / folder, "-o", tmp_path / "town")
    assert result.exit_code == 0
    assert "vote sign: +1 means agree, as" in result.stdout
    raw, read = open_conversation(reference_data / folder), open_conversation(tmp_path / "town")
    assert essence(raw.conversation) == essence(read.conversation)
