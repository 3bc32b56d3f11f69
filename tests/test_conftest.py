"""The promises of tests/conftest.py: what takes long begins first; what tests need may be absent, never overlooked."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from order import LONG, TESTS, longest_first

SHARED = [Path(__file__).with_name(name) for name in ("conftest.py", "needs.py", "order.py")]

INNER = """
import pytest

def test_that_uses_it(reference_data):
    assert reference_data.is_dir()

@pytest.mark.skip(reason="no reference data")
def test_that_gives_up():
    pass

@pytest.mark.skip(reason="no chromium (how to have it)")
def test_of_a_page():
    pass

@pytest.mark.skip(reason="another reason")
def test_skipped_for_another_reason():
    pass
"""


def run_inner_tests(folder: Path, reference_data: Path, *, require: str = "") -> subprocess.CompletedProcess[str]:
    """On a machine without programs."""
    for path in SHARED:
        shutil.copy(path, folder)
    (folder / "test_inner.py").write_text(INNER)
    needs = {"SOLON_REFERENCE_DATA": str(reference_data), "SOLON_TESTS_REQUIRE": require, "PATH": ""}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-ra",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "--rootdir",
            folder,
            folder,
        ],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "bench"), **needs},
        capture_output=True,
        text=True,
    )


def test_what_is_not_there_is_not_tested_and_the_end_says_so(tmp_path: Path) -> None:
    done = run_inner_tests(tmp_path, tmp_path / "nowhere")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-5:-1] == [
        "1 not tested: no reference data (set SOLON_REFERENCE_DATA to a folder of the published files)",
        "1 not tested: no reference data",
        "1 not tested: no chromium (how to have it)",
        "1 not tested: another reason",
    ]
    assert "4 skipped" in done.stdout


def test_a_test_that_overlooks_the_reference_data_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    done = run_inner_tests(tmp_path, tmp_path / "data")
    assert done.returncode == 1, done.stdout
    assert "1 passed, 2 skipped, 1 error" in done.stdout
    assert f"skipped for lack of reference data, but it exists at {tmp_path / 'data'}" in done.stdout


def test_a_test_that_lacks_what_is_required_fails_the_run(tmp_path: Path) -> None:
    done = run_inner_tests(tmp_path, tmp_path / "nowhere", require="chromium")
    assert done.returncode == 1, done.stdout
    assert "3 skipped, 1 error" in done.stdout
    assert "skipped for lack of chromium, but it is required" in done.stdout


def test_no_test_reaches_the_network() -> None:
    with pytest.raises(AssertionError, match="tried to reach"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


class Named(pytest.Item):
    """A test that is never run."""

    def runtest(self) -> None:
        raise AssertionError


def test_long_files_begin_first_and_then_those_with_most_tests(request: pytest.FixtureRequest) -> None:
    assert [name for name in LONG if not (TESTS / name).is_file()] == []
    names = ["a.py", "b.py", LONG[1], "b.py", LONG[0], "c.py"]
    items = [Named.from_parent(request.session, name=name, path=TESTS / name) for name in names]
    found = [item.path.relative_to(TESTS).as_posix() for item in longest_first(items)]
    assert found == [LONG[0], LONG[1], "b.py", "b.py", "a.py", "c.py"]


def test_the_collector_of_garbage_leaves_alone_what_was_imported() -> None:
    assert gc.isenabled() and gc.get_freeze_count() > 10_000
