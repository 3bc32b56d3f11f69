"""A run that is killed with SIGKILL twenty times, in every stage, and resumed each time ends with the same bytes.

The trial is `bench/kill_and_resume.py`; this records how it ended.

    python bench/claims/kills.py [--quick]
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

from measuring.result import Result, at_least
from measuring.script import ROOT, Options, result, run

TRIAL = ROOT / "bench/kill_and_resume.py"


def measure(options: Options) -> Iterator[Result]:
    wanted = options.size(20, 1)
    command = [sys.executable, str(TRIAL), "--kills", str(wanted), "--fork"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    print(told, flush=True)
    files, kills = re.search(r"undisturbed: (\d+) files", told), re.search(r"in all +(\d+)", told)
    assert files and kills, "the trial did not come to its end"
    differing = sum(map(int, re.findall(r"(\d+) files differ", told)))
    yield result(
        "a run that is killed again and again and resumed",
        setting=f"{kills[1]} times SIGKILL, every stage hit",
        peer="the same run, left alone",
        peer_figure=float(files[1]),
        solon_figure=float(files[1]) - differing,
        unit="equal files",
        asked=at_least(1),
    )


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
