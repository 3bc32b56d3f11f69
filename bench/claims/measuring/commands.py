"""`solon` commands in processes of their own: how long they take, and their peak of memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Spent:
    seconds: float
    peak_bytes: int
    """Most resident memory that one process of the command had."""


def solon(arguments: Sequence[str], settings: Sequence[str] = ()) -> Spent:
    """Runs `solon ARGUMENTS` with `--set` for each setting. Raises if it fails."""
    flags = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "solon.cli.program", *arguments, *flags]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"solon {' '.join(arguments)} ended with {code}")
    return Spent(seconds=time.perf_counter() - start, peak_bytes=usage.ru_maxrss * 1024)
