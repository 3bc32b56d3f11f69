"""`solon collect report`: from folders to one page, with nothing but the folder or with everything there is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from report.public_page import read_page, section, table
from report.riverside import riverside, write
from solon.cli.main import app
from talks import random_rows, talk, write_export

EXAMPLE = Path(__file__).resolve().parents[2] / "docs/examples/riverside"


def collect(*arguments: str | Path) -> Result:
    """`solon collect ...`; bugs keep their traceback."""
    parts = ["collect", *(str(part) for part in arguments)]
    return CliRunner().invoke(app, parts, prog_name="solon", catch_exceptions=False)


def done(*arguments: str | Path) -> Result:
    result = collect(*arguments)
    assert result.exit_code == 0, result.output
    return result


def test_the_example_is_what_its_makers_say(tmp_path: Path) -> None:
    write(tmp_path)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert made == sorted(path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*") if path.is_file())
    for name in made:
        assert (tmp_path / name).read_bytes() == (EXAMPLE / name).read_bytes(), name


def test_a_raw_export_and_an_imported_one_give_the_same_page(tmp_path: Path) -> None:
    done("import", EXAMPLE / "export", "-o", tmp_path / "imported")
    for folder, name in ((EXAMPLE / "export", "raw.html"), (tmp_path / "imported", "imported.html")):
        result = done("report", folder, "--no-stability", "-o", tmp_path / "new" / name)
        assert f"{name}: " in result.stdout and "groups of " in result.stdout
        assert re.search(r"^number of groups: 2, chosen in \d+ of 16 tries", result.stdout, re.M), result.output
    assert (tmp_path / "new/raw.html").read_bytes() == (tmp_path / "new/imported.html").read_bytes()


def test_the_order_of_the_export_never_shows(tmp_path: Path) -> None:
    conversation = talk(random_rows(1, 40, 14), people=range(100, 140), moderated={3: -1})
    written = []
    for turn in range(3):
        folder = write_export(conversation, tmp_path / f"{turn}", order=np.random.default_rng(turn) if turn else None)
        done("report", folder, "-o", tmp_path / f"{turn}.html")
        written.append((tmp_path / f"{turn}.html").read_bytes())
    assert written[0] == written[1] == written[2]


def test_everything_together(tmp_path: Path) -> None:
    """Cleaned, with groups, population, and the constitution traced back to votes."""
    done("clean", EXAMPLE / "export", "-o", tmp_path / "cleaned", "--no-sensitivity")
    done("groups", tmp_path / "cleaned", "-o", tmp_path / "groups.csv")
    shared = ("--groups", tmp_path / "groups.csv")
    done("principles", tmp_path / "cleaned", *shared, "-o", tmp_path / "town.toml")
    town = ("--population", EXAMPLE / "town.toml", "--attributes", EXAMPLE / "people.csv")
    words = ("--title", "Who answers?", "--organiser", "Town hall", "--attribution", "CC0", "--language", "en")
    more = (*shared, *town, *words, "--constitution", tmp_path / "town.toml", "--no-stability")
    done("report", tmp_path / "cleaned", *more, "-o", tmp_path / "report.html")
    page = read_page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.all("h1")[0].text == "Who answers?" and "Town hall" in page.text and "CC0" in page.text
    assert ["Too few votes", "people", "fewer than 10"] in [
        [row[0], *row[2:]] for row in table(page, "Removed by rule")
    ]
    assert len(table(page, "Place")) == 3
    principles = section(page, "principles")
    listed = [one for one in principles.all("ol")[0].children if not isinstance(one, str)]
    assert listed and all(len(one.all("table")) >= 1 for one in listed)
    truth = {one.text for one in riverside().conversation.statements}
    assert {one.text for one in principles.all("q")} <= truth
    reasons = {row[0]: int(row[1]) for row in table(page, "Left out, by reason")[1:]}
    assert sum(reasons.values()) + sum(len(one.all("q")) for one in listed) == len(truth)
    assert reasons["rejected by the moderators"] == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--population", str(EXAMPLE / "town.toml")], "give both --population and --attributes"),
        (["--groups", "groups.csv", "--k", "2"], "--k is for groups that are to be found"),
        (["--groups", "exported"], "names no opinion groups"),
        (["--groups", "none.csv"], "none.csv"),
        (["--constitution", "untraced.toml"], "has no trace"),
        (["--constitution", "strange.toml"], "another conversation"),
        (["--removals", "removals.csv"], "removals.csv:2"),
        (["--k", "500"], "500 groups asked for"),
    ],
)
def test_faults_take_one_line_and_exit_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    export = write_export(talk(random_rows(0, 30, 8)), tmp_path / "export")
    if "--constitution" in options:
        other = write_export(talk(random_rows(2, 30, 9), statements=range(20, 29)), tmp_path / "other")
        done("principles", other, "--threshold", "0.1", "-o", "strange.toml")
        shutil.copy("strange.toml", "untraced.toml")
    (tmp_path / "removals.csv").write_text("rule,kind,id,reason\nspeed,thing,4,fast\n", encoding="utf-8")
    result = collect("report", export, *options, "--no-stability", "-o", "report.html")
    assert result.exit_code == 2 and said in " ".join(result.stderr.split())
    assert not (tmp_path / "report.html").exists()


def test_no_export_and_no_place_to_write(tmp_path: Path) -> None:
    assert "none" in collect("report", tmp_path / "none", "-o", tmp_path / "report.html").stderr
    (tmp_path / "taken.html").mkdir()
    result = collect("report", EXAMPLE / "export", "--no-stability", "-o", tmp_path / "taken.html")
    assert result.exit_code == 2 and "cannot be written" in result.stderr


@pytest.mark.parametrize("name", ["ccai-2023", "polis/server-below-100"])
def test_published_conversations_have_a_page(reference_data: Path, tmp_path: Path, name: str) -> None:
    done("report", reference_data / name, "--no-stability", "-o", tmp_path / "report.html")
    page = read_page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert len(page.all("section")) == 9 and len(page.all("script")) == 1


def test_what_is_there_is_overwritten_by_force_alone(tmp_path: Path) -> None:
    page = tmp_path / "thesis.html"
    page.write_text("mine", encoding="utf-8")
    command = ("report", EXAMPLE / "export", "--no-stability", "-o", page)
    result = collect(*command)
    assert result.exit_code == 2 and "thesis.html: exists already" in " ".join(result.stderr.split())
    assert page.read_text(encoding="utf-8") == "mine"
    done(*command, "--force")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_kept_result_imports_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    folder = write_export(talk(random_rows(1, 200, 8)), tmp_path / "export")  # so many that nothing is withheld
    for turn in range(2):
        script = (
            "import sys; from typer.testing import CliRunner; from solon.cli.main import app\n"
            f"done = CliRunner().invoke(app, ['collect', 'report', {str(folder)!r}, '-o', '{tmp_path}/{turn}.html'])\n"
            "assert done.exit_code == 0, done.output\nprint(*sys.modules)"
        )
        at = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
        loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=at)
    slow = {
        "sklearn",
        "pandas",
        "markdown_it",
        "solon.config",
        "solon.artifacts.stage",
        "solon.constitution.lint",
    }
    assert sorted(slow & set(loaded.stdout.split())) == []
