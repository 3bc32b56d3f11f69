"""Measures every claim that this machine can, and writes docs/benchmarks.md: `make bench`, or

    python bench [--quick] [--page] [NAME ...]

Scripts of `claims/` append what they find to `results.jsonl`; the trials beside this file have limits of their own.
Each runs in a fresh process; one that breaks its promise leaves the others their turn, and the exit code is then 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH / "claims"))
OUTCOMES = {0: "done", 1: "PROMISE BROKEN"}


def scripts(names: list[str], *, quick: bool) -> list[Path]:
    """Those of these names, all if there are none. Trials know no toy size."""
    claims, trials = (sorted(folder.glob("[a-z]*.py")) for folder in (BENCH / "claims", BENCH))
    found = claims if quick else claims + trials
    if unknown := set(names) - {path.stem for path in found}:
        raise SystemExit(f"no such script: {', '.join(sorted(unknown))}")
    return [path for path in found if not names or path.stem in names]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a script without its .py; default: all")
    parser.add_argument("--quick", action="store_true", help="claims at toy size; records nothing")
    parser.add_argument("--page", action="store_true", help="measure nothing, write docs/benchmarks.md alone")
    given = parser.parse_args()
    codes = {}
    for path in [] if given.page else scripts(given.names, quick=given.quick):
        print(f"== {path.relative_to(BENCH.parent)}", flush=True)
        start = time.monotonic()
        codes[path] = subprocess.run([sys.executable, path, *(["--quick"] if given.quick else [])]).returncode
        print(f"   {OUTCOMES.get(codes[path], 'FAILED')}, {time.monotonic() - start:.0f} s\n", flush=True)
    if not given.quick:
        from measuring.page import write_page

        print(f"wrote {write_page()}")
    return int(any(codes.values()))


if __name__ == "__main__":
    raise SystemExit(main())
