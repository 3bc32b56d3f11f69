from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from constitution_files import write_published
from solon.cli.constitution import app
from solon.constitution.load import load_constitution, shipped
from solon.errors import ConstitutionError

GOOD = '[[principle]]\nid = "open"\ncomparison_question = "Which one refuses less?"\n'
PAIR = '[[principle]]\nid = "pair"\ncritique_request = "What is wrong?"\nrevision_request = "Mend it."\n'


def solon(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + PAIR)
    return path


@pytest.mark.parametrize("command", [(), ("lint",), ("show",), ("import",)])
def test_help_teaches(command: tuple[str, ...]) -> None:
    done = solon(*command, "--help")
    assert done.exit_code == 0
    assert not command or f"solon constitution {command[0]} " in done.output  # an example


def test_lint_of_good_files(mine: Path) -> None:
    done = solon("lint", mine, "harmlessness")
    assert (done.exit_code, done.output) == (0, "2 constitutions: 0 errors, 0 warnings\n")


def test_lint_tells_faults_of_all_files_one_line_each(mine: Path, tmp_path: Path) -> None:
    mine.write_text(GOOD.replace("open", "not open") + "weight = 0\n")
    done = solon("lint", mine, tmp_path / "none.toml")
    lines = done.output.splitlines()
    assert done.exit_code == 2
    assert [line.split(" error: ")[0] for line in lines[:3]] == [f"{mine}:2:", f"{mine}:4:", f"{tmp_path}/none.toml:"]
    assert lines[3:] == ["2 constitutions: 3 errors, 0 warnings"]


def test_lint_warns_and_fails_only_if_strict(mine: Path) -> None:
    mine.write_text(GOOD)
    assert solon("lint", mine).exit_code == 0
    done = solon("lint", "--strict", mine)
    assert done.exit_code == 1
    assert f"{mine}: warning: there are no critique pairs" in done.output
    assert done.output.endswith("1 constitution: 0 errors, 1 warning\n")


@pytest.mark.parametrize("name", shipped())
def test_show_prints_every_shipped_constitution(name: str) -> None:
    constitution = load_constitution(name)
    done = solon("show", name)
    assert done.exit_code == 0
    assert constitution.title in done.output
    for principle in constitution.principles:
        assert principle.id in done.output
    for constraint in constitution.hard_constraints:
        assert constraint in done.output


def test_show_one_stage_with_shares(mine: Path) -> None:
    mine.write_text(GOOD + "weight = 3\n" + PAIR + 'comparison_question = "Which one?"\n')
    done = solon("show", mine, "--stage", "comparison")
    assert "75.0%" in done.output
    assert "25.0%" in done.output
    assert "What is wrong?" not in done.output


def test_show_json_is_the_constitution(mine: Path) -> None:
    assert json.loads(solon("show", mine, "--json").output) == load_constitution(mine).model_dump(mode="json")
    chosen = json.loads(solon("show", mine, "--json", "--stage", "critique").output)
    assert [one["id"] for one in chosen["principles"]] == ["pair"]
    ranked = json.loads(solon("show", "charter", "--json", "--stage", "critique").output)
    assert ranked["precedence"] == list(load_constitution("charter").precedence)


def test_show_prints_mark_up_and_control_characters_as_they_are(mine: Path) -> None:
    mine.write_text(GOOD.replace("Which", "[bold]Which[/bold] \\u001b]0;owned\\u0007"))
    done = solon("show", mine, "--stage", "comparison")
    assert "[bold]Which[/bold]" in done.output
    assert "\x1b" not in done.output
    assert "\x07" not in done.output


def test_lint_prints_no_control_characters(mine: Path) -> None:
    mine.write_text(GOOD + '"\\u001b[2J" = 1\n')
    done = solon("lint", mine)
    assert done.exit_code == 2
    assert "\x1b" not in done.output


def test_import_writes_what_show_reads(tmp_path: Path) -> None:
    done = solon("import", write_published(tmp_path / "published"), "-o", tmp_path / "out")
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [
            f"{tmp_path}/out/constitution.toml: 2 critique pairs, 2 comparison questions",
            f"{tmp_path}/out/few_shots.json: 1 critique example, 1 comparison example, 1 reasoned comparison example",
        ],
    )
    assert solon("show", tmp_path / "out").exit_code == 0


def test_import_says_what_is_not_there_and_does_not_overwrite(tmp_path: Path) -> None:
    published = write_published(tmp_path / "published")
    solon("import", published, "-o", tmp_path / "out")
    (published / "RLMadisonFewShotPrompts.json").unlink()
    refused = solon("import", published, "-o", tmp_path / "out")
    assert isinstance(refused.exception, ConstitutionError)  # the main program makes it one line and exit code 2
    done = solon("import", published, "-o", tmp_path / "out", "--force")
    assert done.exit_code == 0
    assert "not imported, because the folder does not have it: RLMadisonFewShotPrompts.json" in done.output
