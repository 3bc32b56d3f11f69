"""`solon collect merge`: the walk, typed at a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.test_collect_topics import collect
from solon.collective.principles.merges import Citation, Merge, MergeFile, read_merges, write_merges


@pytest.fixture
def path(tmp_path: Path) -> Path:
    merges = tuple(
        Merge(
            id=f"merge-{at}",
            wording="be kind",
            statements=(Citation(id=2 * at, text="be kind"), Citation(id=2 * at + 1, text="AI should be kind")),
        )
        for at in range(2)
    )
    write_merges(tmp_path / "m.toml", MergeFile(format="solon-merges-1", merge=merges))
    return tmp_path / "m.toml"


def decisions(path: Path) -> list[str]:
    return [one.decision for one in read_merges(path).merge]


def test_answers_typed_are_saved(path: Path) -> None:
    result = collect("merge", path, typed="y\ne\n\nAI should be kinder\n")
    assert result.exit_code == 0, result.output
    assert decisions(path) == ["yes", "yes"]
    assert read_merges(path).merge[1].wording == "AI should be kinder"
    assert f"{path}: 2 answered now, 0 of 2 open" in result.stdout


def test_the_end_of_the_input_is_a_quit(path: Path) -> None:
    result = collect("merge", path, typed="n")
    assert result.exit_code == 0, result.output
    assert decisions(path) == ["no", ""]
    assert "1 answered now, 1 of 2 open" in result.stdout
    assert decisions(path) == ["no", ""]


def test_an_interrupt_keeps_what_was_answered(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["yes"])

    def ask(_: str) -> str | None:
        for answer in answers:
            return answer
        raise KeyboardInterrupt

    monkeypatch.setattr("solon.cli.collect.merges._ask", ask)
    result = collect("merge", path)
    assert result.exit_code != 0
    assert "1 answered now, 1 of 2 open" in result.stdout
    assert decisions(path) == ["yes", ""]


def test_a_file_edited_wrongly_is_one_clear_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace('decision = ""', 'decision = "perhaps"', 1)
    path.write_text(text, encoding="utf-8")
    line = text[: text.index("perhaps")].count("\n") + 1
    result = collect("merge", path, typed="y\n")
    assert result.exit_code == 2
    assert f"m.toml:{line}" in result.output and "decision" in result.output and "Traceback" not in result.output


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert collect("merge", tmp_path / "none.toml").exit_code == 2
