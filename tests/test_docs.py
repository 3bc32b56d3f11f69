"""The documentation holds: links lead somewhere, names exist, commands exist, and what is marked as tested runs.
Files that docstrings and comments name exist, too.

Every ```console block of the quickstart and of the walk through public input stands under `<!-- tested -->` or
`<!-- not tested: reason -->`. Tested lines run in order, in one folder, with `TINY` added to whatever begins a run.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from forks import forked_solon
from solon.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "bench/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
QUICKSTART = ROOT / "docs/quickstart.md"
PUBLIC_INPUT = ROOT / "docs/public-input.md"
BLOCK = re.compile(r"(?:<!-- (tested|not tested: .+?) -->\n)?```console\n(.*?)```", re.DOTALL)

TINY = [
    "prompts.harmful=4",
    "prompts.mixed=2",
    "prompts.benign=4",
    "prompts.evaluation=2",
    "sampling.max_new_tokens=12",
    "quality.max_noise=1",
    "quality.max_unfinished=1",
    "supervised.rounds=1",
    "sft.helpful_per_prompt=1",
    "sft.epochs=1",
    "pairs.per_prompt=1",
    "helpfulness.per_prompt=1",
    "helpfulness.needless_refusals_per_prompt=1",
    "preference.epochs=1",
    "rl.steps=1",
    "rl.prompts_per_step=2",
    "rl.samples_per_prompt=2",
    "rl.batch_size=4",
]
"""What makes a documented run take seconds; the models are those of the documentation."""


class Block(NamedTuple):
    page: Path
    mark: str
    """`tested`, `not tested: reason`, or empty."""
    commands: list[str]


def blocks(page: Path) -> list[Block]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [Block(page, mark, re.findall(r"^\$ (.+)$", text, re.MULTILINE)) for mark, text in found]


def relative(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    lost = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not lost, lost


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_names_exist(page: Path) -> None:
    """Every `solon.package.module.name` in code marks."""
    names = re.findall(r"`(solon(?:\.\w+)+)`", page.read_text(encoding="utf-8"))
    lost = [name for name in names if not resolves(name)]
    assert not lost, lost


def resolves(name: str) -> bool:
    """Is this a module, or something to be found in one?"""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            module: Any = import_module(".".join(parts[:count]))
            reduce(getattr, parts[count:], module)
        except ModuleNotFoundError as error:
            if not name.startswith(error.name or ""):
                raise  # a module that exists, but needs one that does not
            continue
        except AttributeError:
            return False
        return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_named_in_the_text_exist(page: Path) -> None:
    names = re.findall(r"`((?:src|docs|tests|bench)/[\w./-]+)`", page.read_text(encoding="utf-8"))
    lost = [name for name in names if not (ROOT / name).exists()]
    assert not lost, lost


def test_files_named_in_docstrings_and_comments_exist() -> None:
    named = re.compile(r"\b(?:src|docs|tests|bench)/[\w./-]*\w")
    programs = [path for folder in ("src", "tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    lost = [
        f"{relative(path)}: {name}"
        for path in programs
        for name in named.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]
    assert len(programs) > 400 and not lost, lost


def test_the_file_tree_of_the_readme_is_the_file_tree() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = text.split("## What is where")[1].split("```")[1].strip().splitlines()
    inner = {line.split()[0].rstrip("/") for line in lines if line.startswith("  ")}
    outer = {line.split()[0] for line in lines if not line.startswith("  ")}
    assert not [name for name in outer if not (ROOT / name).exists()]
    assert inner == {path.name for path in (ROOT / "src/solon").iterdir()} - {
        "__init__.py",
        "__main__.py",
        "__pycache__",
        "py.typed",
    }


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_documented_commands_exist(page: Path) -> None:
    known = {entry.name for entry in COMMANDS} | {"--help", "--version"}
    lines = [command for block in blocks(page) for command in block.commands]
    lost = [line for line in lines if line.startswith("solon ") and line.split()[1] not in known]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    lost += [line for line in lines if line.startswith("make ") and line.split()[1] not in targets]
    assert not lost, lost


@pytest.mark.parametrize("page", [QUICKSTART, PUBLIC_INPUT], ids=relative)
def test_every_block_of_a_walk_is_tested_or_says_why_not(page: Path) -> None:
    bare = [block.commands for block in blocks(page) if not block.mark]
    assert not bare, bare


@pytest.fixture(scope="module")
def programs() -> Iterator[Path]:
    """Where this environment's `solon` lies, as one that starts at once."""
    with forked_solon() as folder:
        yield folder


def test_the_quickstart_runs(tmp_path: Path, programs: Path) -> None:
    for block in blocks(QUICKSTART):
        if block.mark == "tested":
            for command in block.commands:
                run(command, tmp_path, programs)


def test_the_walk_through_public_input_runs(tmp_path: Path, programs: Path) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    for block in blocks(PUBLIC_INPUT):
        if block.mark == "tested":
            for command in block.commands:
                run(command, tmp_path, programs)
    assert "Town of Riverside" in (tmp_path / "town/report.html").read_text(encoding="utf-8")


def run(command: str, folder: Path, programs: Path) -> None:
    """Run one documented line as a reader would."""
    if re.match(r"solon (run|stage)\b.* -o ", command):
        command += "".join(f" --set {shlex.quote(setting)}" for setting in TINY)
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
