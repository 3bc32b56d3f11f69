"""The promise of tests/conftest.py: reference data may be absent, but never overlooked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent / "conftest.py"

INNER = """
import pytest

def test_that_uses_it(reference_data):
    assert reference_data.is_dir()

@pytest.mark.skip(reason="no reference data")
def test_that_gives_up():
    pass

@pytest.mark.skip(reason="another reason")
def test_skipped_for_another_reason():
    pass
"""


def run_inner_tests(folder: Path, reference_data: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy(CONFTEST, folder)
    (folder / "test_inner.py").write_text(INNER)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", folder, folder],
        env={**os.environ, "SOLON_REFERENCE_DATA": str(reference_data)},
        capture_output=True,
        text=True,
    )


def test_tests_without_reference_data_are_skipped_where_there_is_none(tmp_path: Path) -> None:
    done = run_inner_tests(tmp_path, tmp_path / "nowhere")
    assert done.returncode == 0, done.stdout
    assert "3 skipped" in done.stdout


def test_a_test_that_overlooks_the_reference_data_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    done = run_inner_tests(tmp_path, tmp_path / "data")
    assert done.returncode == 1, done.stdout
    assert "1 passed, 1 skipped, 1 error" in done.stdout


def test_no_test_reaches_the_network() -> None:
    with pytest.raises(AssertionError, match="tried to reach"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
