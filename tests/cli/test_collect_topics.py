"""`solon collect topics` and `solon collect merge`, from an export to decisions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from solon.cli.main import app
from solon.collective.conversation import Conversation
from solon.collective.principles.merges import read_merges
from talks import talk, write_export

TEXTS = [
    "AI should spread joy among people",
    "the Ai must spread joy among people!",
    "AI should not spread joy among people",
    "The AI should be brief",
    "I own a shed by the canal",
    "=cmd|'/c calc'!A1",
    "not accepted",
]


def collect(*arguments: str | Path, typed: str | None = None) -> Result:
    """`solon collect ...`; bugs keep their traceback."""
    parts = ["collect", *(str(part) for part in arguments)]
    return CliRunner().invoke(app, parts, prog_name="solon", input=typed, catch_exceptions=False)


def public() -> Conversation:
    made = talk([[1] * len(TEXTS)] * 8, moderated={6: -1})
    worded = (one.model_copy(update={"text": text}) for one, text in zip(made.statements, TEXTS, strict=True))
    return replace(made, statements=tuple(worded))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(public(), tmp_path / "export")


def test_topics_merges_and_wordings_are_proposed_and_nothing_is_decided(export: Path, tmp_path: Path) -> None:
    result = collect("topics", export, "--topics", "2", "-o", tmp_path / "new/m.toml")
    assert result.exit_code == 0, result.output
    file = read_merges(tmp_path / "new/m.toml")
    assert [[one.id for one in merge.statements] for merge in file.merge] == [[0, 1]]
    assert [one.statement for one in file.wording] == [4]
    assert file.open == 2
    assert "6 statements in" in result.stdout and "to decide: 1 merges and 1 wordings" in result.stdout
    assert "left out: 1 rejected" in result.stderr


def test_a_language_is_said_or_told(export: Path, tmp_path: Path) -> None:
    assert collect("topics", export, "-o", tmp_path / "m.toml").exit_code == 0
    assert read_merges(tmp_path / "m.toml").made_by == "tfidf-lsa, English, threshold 0.4, seed 0, 6 statements"
    result = collect("topics", export, "--language", "es", "-o", tmp_path / "es.toml")
    assert result.exit_code == 0, result.output
    assert "Spanish" in read_merges(tmp_path / "es.toml").made_by
    assert collect("topics", export, "--language", "xx", "-o", tmp_path / "xx.toml").exit_code == 2


def test_the_order_of_the_export_never_shows(tmp_path: Path) -> None:
    written = []
    for turn in range(3):
        order = np.random.default_rng(turn) if turn else None
        output = tmp_path / f"{turn}.toml"
        result = collect("topics", write_export(public(), tmp_path / f"{turn}", order=order), "-o", output)
        assert result.exit_code == 0, result.output
        written.append(output.read_bytes())
    assert written[0] == written[1] == written[2]


def test_decisions_are_not_overwritten(export: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text("mine", encoding="utf-8")
    result = collect("topics", export, "-o", path)
    assert result.exit_code == 2
    assert "exists already" in result.output and "Traceback" not in result.output
    assert path.read_text(encoding="utf-8") == "mine"
    assert collect("topics", export, "-o", path, "--force").exit_code == 0


def test_a_model_folder_that_is_not_there(export: Path, tmp_path: Path) -> None:
    result = collect("topics", export, "--model", tmp_path / "none", "-o", tmp_path / "m.toml")
    assert result.exit_code == 2 and "no such model folder" in result.output
    assert not (tmp_path / "m.toml").exists()


@pytest.mark.parametrize("wrong", [["--threshold", "2"], ["--topics", "0"], ["--seed", "-1"]])
def test_options_out_of_range(export: Path, tmp_path: Path, wrong: list[str]) -> None:
    assert collect("topics", export, *wrong, "-o", tmp_path / "m.toml").exit_code == 2
