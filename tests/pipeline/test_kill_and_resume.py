"""The trial of `bench/kill_and_resume.py`: real commands, real SIGKILL, every stage hit while it is in progress."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "bench" / "kill_and_resume.py"


@pytest.mark.timeout(600)  # ten seconds, but on a crowded machine kills miss their stage and are tried again
def test_killed_runs_end_with_the_same_bytes() -> None:
    command = [sys.executable, str(SCRIPT), "--fork", "--kills", "10"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=580, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    total = re.search(r"in all +(\d+) +every file equal", done.stdout)
    assert total is not None and int(total[1]) >= 10, done.stdout
