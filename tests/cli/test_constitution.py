from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize("command", [(), ("lint",), ("show",), ("import",), ("export",)])
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


GUIDE = Path(__file__).resolve().parents[2] / "docs/examples/library/guide.md"


def refused(*arguments: str | Path) -> str:
    """The fault: the main program makes it one line and exit code 2."""
    done = solon(*arguments)
    assert isinstance(done.exception, ConstitutionError), done.output
    return str(done.exception)


def test_import_of_a_document_says_what_it_proposes_and_what_it_does_not(tmp_path: Path) -> None:
    out = tmp_path / "mine.md"
    done = solon("import", GUIDE, "-o", out)
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [
            f"{out}: 7 articles, 5 of 8 headings in an order of precedence, 5 hard constraints",
            "not placed, at the end of the file: parts of the document (1), sentences on priority (2)",
            f"confirmed = false: read it, correct it, confirm it; then `solon constitution lint {out}`",
        ],
    )
    assert "warning: a proposal that nobody has confirmed" in solon("lint", out).output
    assert solon("show", out).exit_code == 0


def test_import_says_that_there_is_no_order_and_no_constraint(tmp_path: Path) -> None:
    source = tmp_path / "plain.html"
    source.write_text("<p>Be kind, and tell the truth.")
    assert solon("import", source, "-o", tmp_path / "mine.md").output.splitlines()[1:3] == [
        "no sentence or list says which heading comes before which",
        "no list of hard constraints was found, so none are proposed; write at least one",
    ]


def test_principles_go_out_and_come_back(mine: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "x.json", tmp_path / "again.toml"
    done = solon("export", "constitutional-evals", mine, "-o", out)
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [
            f"{out}: 1 principle",
            "what constitutional-evals cannot carry: principles without a comparison question (1), id (2), "
            "critique_request and revision_request (1)",
        ],
    )
    done = solon("import", out, "-o", again)
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [f"{again}: 1 comparison question", "not imported: version (1), role (1), in_basis (1)"],
    )
    assert load_constitution(again).principles[0].comparison_question == "Which one refuses less?"


@pytest.mark.parametrize(
    ("name", "content", "out", "expected"),
    [
        ("d.md", b"# Care\n\nTake care.", "o.toml", "{0}/o.toml: a document is written as .md (say -o o.md)"),
        ("d.txt", b"Prefer a.", "o.md", "{0}/o.md: a list of principles is written as .toml (say -o o.toml)"),
        ("d.md", b"# Care\n\nTake care.", "d.md", "{0}/d.md: is what is imported (give -o another name)"),
        (
            "d.md",
            b"# Care\n\nTake care.",
            "there.md",
            "{0}/there.md: exists already (choose another name, or add --force to overwrite it)",
        ),
        ("d.md", b"\xff", "o.md", "{0}/d.md:1: is not UTF-8 text: byte 0xff cannot be read (save the file as UTF-8)"),
        (
            "d.pdf",
            b"%PDF",
            "o.md",
            "{0}/d.pdf: `.pdf` cannot be imported (a document is .md or .html, principles of others are .json, "
            "or .txt with one a line)",
        ),
        (None, b"", "o.md", "{0}/d.md: there is no such file (give a document in Markdown or HTML)"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    tmp_path: Path, name: str | None, content: bytes, out: str, expected: str
) -> None:
    if name:
        (tmp_path / name).write_bytes(content)
    (tmp_path / "there.md").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert refused("import", tmp_path / (name or "d.md"), "-o", tmp_path / out) == expected.format(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_export_names_the_html_that_the_text_has_not(tmp_path: Path) -> None:
    source, out = tmp_path / "d.md", tmp_path / "d.txt"
    source.write_text("## Hard constraints\n- Never lie.\n\n## Safety\n\nBe safe <script>alert(1)</script>.\n")
    assert "lines with HTML, whose tags no model reads (1)" in solon("export", "lines", source, "-o", out).output
    assert "Be safe alert(1)." in out.read_text()


def test_export_does_not_overwrite(mine: Path) -> None:
    before = mine.read_bytes()
    assert refused("export", "json", mine, "-o", mine).startswith(f"{mine}: exists already")
    assert mine.read_bytes() == before


def test_real_files_of_constitutional_evals_form(tmp_path: Path) -> None:
    value: dict[str, Any] = {"overview": "O", "criteria": [{"comparative": "Prefer a.", "scenarios": ["S?"]}]}
    source = tmp_path / "a b.json"
    source.write_text(json.dumps(value))
    done = solon("import", source, "-o", tmp_path / "o.toml")
    assert done.output.splitlines()[1] == "not imported: criteria: scenarios (1)"


def test_an_import_says_which_selection_leaves_guidelines_out(tmp_path: Path) -> None:
    source = tmp_path / "k.json"
    source.write_text(json.dumps({"criteria": ["Prefer a."], "guidelines": ["Then b.", "Then c."]}))
    assert solon("import", source, "-o", tmp_path / "k.toml").output.splitlines()[1:] == [
        "a judge draws the 2 guidelines too, each alone; "
        "`--set 'constitution.comparison=[\"criterion\"]'` leaves them out"
    ]
