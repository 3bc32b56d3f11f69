"""How long `solon --help` takes: median wall time in fresh processes, beside a Python that does nothing.

Promise: at most 0.3 s. Exits with 1 where it is broken. Run: `python bench/help_time.py [repetitions]`
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMIT_S = 0.3


def median_seconds(command: list[str], repetitions: int) -> float:
    """Median wall time of a command in seconds. One unmeasured run first fills the disk cache."""
    seconds = []
    for _ in range(repetitions + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def main() -> int:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    solon = Path(sys.executable).with_name("solon")
    nothing_s = median_seconds([sys.executable, "-c", "pass"], repetitions)
    help_s = median_seconds([str(solon), "--help"], repetitions)
    print(f"python -c pass   {nothing_s:.3f} s")
    print(f"solon --help     {help_s:.3f} s   {help_s / nothing_s:.1f} times as long; limit {LIMIT_S} s")
    return int(help_s > LIMIT_S)


if __name__ == "__main__":
    raise SystemExit(main())
