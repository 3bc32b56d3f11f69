"""A whole town of tiny doses, by its command, after the vote of a fixture: two models, the same people again,
the page; and killed among its runs and begun again, it ends with the same bytes.

A run takes longer to import everything than to work. So most are made in this process, with one thread as they have in
their own; what both share is made by a process of its own, and so is the run that is killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.command import done, one_thread, solon
from report.public_page import Element, read_page
from solon.artifacts.finished import FinishedStage
from solon.evals.arena import OBJECTIVES
from solon.figures.tasks import Task
from solon.figures.work import do_tasks
from solon.progress import Reporter
from solon.town import arena, make, public, train
from solon.town.arena import Judged
from solon.town.collect import Folder
from solon.town.compare import Comparison
from solon.web.runs import Runs
from town.towns import PEOPLE, children, require_gone, said_here, small_public

TINY = """
extends = "town"
name = "tiny"

[models]
assistant = "embedded-small"

[prompts]
harmful = 8
mixed = 4
benign = 4
evaluation = 6

[pairs]
per_prompt = 1

[judge]
orders = "random"
principles = 1

[dpo]
epochs = 1
"""
PAIRS = 4
"""That everybody compares."""
AGAIN = """
import sys
from solon.cli.main import app
from solon.town import public, train
from town.towns import small_public
public.the_public = small_public
train.QUICK, train.SEEDS = sys.argv[1], {sys.argv[1]: 1}
app(["town", "--quick", "--no-show", "--quiet", "-o", sys.argv[2]])
"""


@pytest.fixture(scope="module")
def dose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("doses") / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="module")
def printed(dose: Path, folder_of_town: Path) -> str:
    """What the command says at its end."""
    with in_small(dose):
        return done("town", "--quick", "--no-show", "--quiet", "-o", folder_of_town)


@contextmanager
def in_small(dose: Path) -> Iterator[None]:
    """A town of few people and this dose."""
    with one_thread(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(public, "the_public", small_public)
        patch.setattr(train, "QUICK", str(dose))
        patch.setattr(train, "SEEDS", {str(dose): 1})
        patch.setattr(arena, "PAIRS", PAIRS)
        patch.setattr(make, "said_by", said_here)
        patch.setattr(make, "do_tasks", done_here)
        yield


def done_here(tasks: Sequence[Task], runs: Path, reporter: Reporter, **how: Any) -> dict[str, Exception]:
    """As `do_tasks`, which makes the first; the others are made in this process."""
    failed = do_tasks(tasks[:1], runs, reporter, **how)
    for task in tasks[1:]:
        if not task.done:
            done(*task.arguments, "--json")
    return dict(failed)


@pytest.fixture(scope="module")
def folder_of_town(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In which the vote is over."""
    path = tmp_path_factory.mktemp("whole") / "town"
    shutil.copytree(folder.path, path / "conversation")
    return path


@pytest.fixture(scope="module")
def page(printed: str, folder_of_town: Path) -> Element:
    return read_page((folder_of_town / "index.html").read_text(encoding="utf-8"))


def test_its_last_lines_say_what_moved_and_how_to_go_on(printed: str, folder_of_town: Path) -> None:
    lines = printed.splitlines()
    assert lines[-1] == str(folder_of_town / "index.html")
    assert f"solon serve --runs {folder_of_town}" in lines
    assert any(re.search(r"^Rude answers \(.*\): [+-][0-9.]+ \(.*\) points", line) for line in lines)


def test_the_comparison_has_all_five_measures(printed: str, folder_of_town: Path) -> None:
    found = Comparison.model_validate_json((folder_of_town / "comparison.json").read_bytes())
    assert {"helpfulness", "harmlessness", "bias", "representativeness", "ability"} == {
        row.stands_for for row in found.rows if row.stands_for
    }
    assert all(row.n > 0 and row.difference.low <= row.difference.value <= row.difference.high for row in found.rows)
    assert {row.stand for row in found.rows} >= {"agreed", "split", "both"}


def test_the_page_and_whatever_it_links_are_there(page: Element, folder_of_town: Path) -> None:
    links = [str(one.attributes["href"]) for one in page.all("a")]
    files = [one for one in links if not one.startswith("#")]
    assert len(files) == 3 and all((folder_of_town / one).is_file() for one in files)
    ids = {one.attributes.get("id") for one in page.all("section", "main")}
    assert {one[1:] for one in links if one.startswith("#")} <= ids


def test_the_same_people_compared_both_models(page: Element, folder_of_town: Path) -> None:
    (kept,) = folder_of_town.glob("arena-*/arena.json")
    judged = Judged.model_validate_json(kept.read_bytes())
    assert {(one.objective, one.group) for one in judged.rows} == {(o, g) for o in OBJECTIVES for g in (None, "0", "1")}
    for objective in OBJECTIVES:
        everybody, *groups = judged.of(objective)
        assert everybody.people == 2 * PEOPLE == sum(one.people for one in groups)
        votes = [one.wins + one.alike + one.losses for one in (everybody, *groups)]
        assert votes[0] == sum(votes[1:]) and 0 < votes[0] <= 2 * PEOPLE * PAIRS
    assert "Everybody" in page.text and "mostly harbour" in page.text and "mostly hill" in page.text


def test_one_answer_leads_to_its_votes(printed: str, page: Element, folder_of_town: Path) -> None:
    """From a model's answer over a comparison and its principle to a statement, and counts of each group."""
    command = next(line for line in printed.splitlines() if line.startswith("solon trace"))
    told = json.loads(solon(*command.split()[1:], "--json").stdout)
    text = json.dumps(told)
    answer = command.split()[2].partition("/")[2]
    assert answer in text and "There should be no" in text
    principles = {
        one["id"] for one in json.loads((folder_of_town / "conversation/model.trace.json").read_bytes())["principles"]
    }
    assert any(one in text for one in principles)
    shown = next(one.text for one in page.all("pre") if "solon trace" in one.text)
    words = re.sub(r"[│├└─\s]+", " ", shown)
    assert re.search(r"group 0: \d+ agree, \d+ disagree of \d+ votes; group 1: \d+ agree", words), words
    assert "exact" in text or "association" in text


def test_the_studio_finds_its_runs(printed: str, folder_of_town: Path) -> None:
    names = [run.name for run in Runs(folder_of_town.parent).all()]
    assert sorted(name.rpartition(" › ")[2] for name in names) == ["public-0", "standard-0"]
    assert len(Runs(folder_of_town).all()) == 2


def test_killed_among_its_runs_it_ends_with_the_same_bytes(printed: str, dose: Path, folder_of_town: Path) -> None:
    run = folder_of_town / "tiny" / "public-0"
    wanted = _bytes(folder_of_town)
    shutil.rmtree(run)
    for name in ("index.html", "comparison.json"):
        (folder_of_town / name).unlink()
    command = [sys.executable, "-c", AGAIN, str(dose), str(folder_of_town)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 300
        while not FinishedStage.exists(run, "pairs"):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        runs = children(process.pid)
        process.send_signal(signal.SIGKILL)
    require_gone(runs)
    assert runs and not (folder_of_town / "index.html").exists()
    with in_small(dose):
        done("town", "--quick", "--no-show", "--quiet", "-o", folder_of_town)
    assert _bytes(folder_of_town) == wanted


def _bytes(folder: Path) -> dict[str, bytes]:
    """Of what the town itself writes."""
    (arena,) = folder.glob("arena-*/arena.json")
    return {one.name: one.read_bytes() for one in (folder / "index.html", folder / "comparison.json", arena)}
