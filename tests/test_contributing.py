"""The patches of docs/contributing.md apply, change one file of the source each, and pass their tests and the laws that
hold for all of their kind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/contributing.md"
PATCHES = dict(re.findall(r"^## (Add [^\n]+)$(?:(?!^## ).)*?^```diff\n(.+?)^```$", PAGE.read_text(), re.M | re.S))

LAWS = (
    "tests/train/test_rl.py::test_it_raises_a_known_reward_and_sees_its_own_new_weights[dr_grpo-one-update]",
    "tests/train/test_rl.py::test_killed_and_resumed_ends_with_the_bytes_of_an_undisturbed_run[4-dr_grpo]",
    "tests/pipeline/test_stages.py::test_a_stage_reads_only_stages_before_it",
    "tests/test_layers.py::test_parts_of_one_floor_form_no_cycle",
)
"""What nobody wrote for a patch, and it must keep."""


def changed(patch: str) -> list[str]:
    return re.findall(r"^\+\+\+ b/(.+)$", patch, re.M)


def brought(patch: str) -> Iterator[str]:
    """The tests that a patch adds, as pytest names them."""
    for part in re.split(r"^--- ", patch, flags=re.M)[1:]:
        (path,) = changed(part)
        yield from (f"{path}::{name}" for name in re.findall(r"^\+(?:def|class) ([Tt]est\w+)", part, re.M))


def test_the_page_shows_four_patches() -> None:
    kinds = ["an RL algorithm", "an evaluation", "an engine", "a stage"]
    assert list(PATCHES) == [f"Add {kind}" for kind in kinds]
    assert PAGE.read_text().count("```diff") == len(kinds)


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_a_patch_changes_one_file_of_the_source_and_brings_tests(patch: str) -> None:
    source = [path for path in changed(patch) if path.startswith("src/")]
    assert len(source) == 1 and list(brought(patch))


def test_the_patches_apply_and_pass_their_tests(tmp_path: Path) -> None:
    for name in ("src", "tests", "bench"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for patch in PATCHES.values():
        run(tmp_path, "git", "apply", "-", given=patch)
    python = [sys.executable, "-m"]
    files = [path for patch in PATCHES.values() for path in changed(patch)]
    run(tmp_path, *python, "ruff", "format", "--check", *files)
    run(tmp_path, *python, "ruff", "check", *files)
    tests = [name for patch in PATCHES.values() for name in brought(patch)]
    run(tmp_path, *python, "pytest", "-q", "-p", "no:cacheprovider", *tests, *LAWS)


def run(folder: Path, *command: str, given: str | None = None) -> None:
    """Runs a command in the copy, outside of any repository, with the copy's `solon`."""
    env = {**os.environ, "PYTHONPATH": str(folder / "src"), "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    done = subprocess.run(command, cwd=folder, env=env, input=given, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
