"""Every example in docs/formats/constitution.md can be used as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from solon.cli.constitution import app
from solon.constitution.few_shots import load_few_shots
from solon.constitution.importer import FILES
from solon.constitution.lint import lint
from solon.constitution.load import load_constitution
from solon.constitution.principles import Principle
from solon.constitution.proposing.proposal import propose
from solon.constitution.proposing.writing import proposal_text

PAGE = Path(__file__).resolve().parents[2] / "docs/formats/constitution.md"
TEXT = PAGE.read_text(encoding="utf-8")


def example(language: str, path: Path, fence: str = "```") -> Path:
    """The page's one example in that language and behind that fence, as a file."""
    [text] = re.findall(rf"^{fence}{language}\n(.*?)^{fence}$", TEXT, re.DOTALL | re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_list(tmp_path: Path) -> None:
    path = example("toml", tmp_path / "mine.toml")
    constitution = load_constitution(path)
    assert constitution.name == "neighbourly"
    assert [one.has_critique for one in constitution.principles] == [True, False]
    assert lint(path) == ()


def test_the_document(tmp_path: Path) -> None:
    path = example("markdown", tmp_path / "mine.md")
    document = load_constitution(path)
    assert [one.id for one in document.principles] == ["safety", "honesty", "real-help", "manner"]
    assert document.precedence == ("safety", "honesty", "real-help", "manner")
    assert len(document.hard_constraints) == 2
    assert lint(path) == ()


def test_an_article_in_its_own_words(tmp_path: Path) -> None:
    path = example("markdown", tmp_path / "own.md", "````")
    path.write_text(f"# Own\n\n## Hard constraints\n\n- Never lie.\n\n{path.read_text()}")
    (principle,) = load_constitution(path).principles
    assert principle.comparison_question == "Which response contains less harm?"
    assert "harm" in str(principle.revision_request) and "lie" not in str(principle.revision_request)


def test_the_few_shots(tmp_path: Path) -> None:
    example("json", tmp_path / "few_shots.json")
    shots = load_few_shots(tmp_path)
    assert (len(shots.critique), len(shots.comparison), len(shots.reasoning)) == (1, 1, 1)


def test_the_page_leaves_nothing_out() -> None:
    for key in (*Principle.model_fields, *FILES):
        assert f"`{key}`" in TEXT


WALK = PAGE.parents[1] / "constitutions.md"


def test_the_walk_prints_what_its_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tested command runs, in order; where the page shows what a command prints, it prints that."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").symlink_to(PAGE.parents[1])
    for block in re.findall(r"<!-- tested -->\n```console\n(.*?)```", WALK.read_text(encoding="utf-8"), re.DOTALL):
        for command, shown in re.findall(r"^\$ (.+)\n((?:[^$].*\n)*)", block, re.MULTILINE):
            words = shlex.split(command)
            if words[0] == "sed":
                path = Path(words[-1])
                path.write_text(path.read_text("utf-8").replace("{confirmed = false}", "{confirmed = true}"), "utf-8")
                continue
            done = CliRunner().invoke(app, words[2:], env={"COLUMNS": "200"})
            assert done.exit_code == 0, f"{command}\n{done.output}"
            assert not shown or done.output == shown


def test_the_walk_shows_the_order_as_it_is_proposed() -> None:
    [shown] = re.findall(r"```markdown\n(.*?)```", WALK.read_text(encoding="utf-8"), re.DOTALL)
    assert shown in proposal_text(propose(PAGE.parents[1] / "examples/library/guide.md"))
