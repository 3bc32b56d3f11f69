"""Reads a million rows of Parquet as red-team prompts and as helpfulness data: memory and time.

    python bench/read_million.py [--rows 1000000]

The file is one row group of made-up dialogues. Each reading is a process of its own: it chooses what a run with the
default counts keeps, and reads that. Printed: the process's peak resident memory and seconds. Exits with 1 where the
memory is not under 1 GB.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from functools import partial
from pathlib import Path

import pyarrow
import pyarrow.parquet

from solon.config.prompts import PromptsSection
from solon.data.choose import choose_helpful, choose_red_team

LIMIT = 1000
"""MB."""
WAYS = {"red-team prompts": choose_red_team, "helpfulness data": choose_helpful}


def write(path: Path, rows: int) -> None:
    """Comparisons in the conversational form, a few hundred characters each."""
    filling = "and then the garden path, the gate, the well and the long way home " * 3
    asked = [[{"role": "user", "content": f"How do I get past gate {row}? {filling}"}] for row in range(rows)]
    good = [[{"role": "assistant", "content": f"Knock {row} times. {filling}"}] for row in range(rows)]
    bad = [[{"role": "assistant", "content": "No idea."}]] * rows
    pyarrow.parquet.write_table(pyarrow.table({"prompt": asked, "chosen": good, "rejected": bad}), path)


def read(path: Path, way: str) -> None:
    """In a process of its own."""
    begun = time.monotonic()
    choice = WAYS[way](path, PromptsSection(source=str(path)), 0)
    chosen = choice.read()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kept = f"{len(chosen.training)} rows to train with, {len(chosen.evaluation)} held out"
    print(f"{way}: {choice.first.rows} rows, {kept}; peak {peak:.0f} MB, {time.monotonic() - begun:.1f} s", flush=True)
    if peak >= LIMIT:
        raise SystemExit(1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.parquet"
        steps = [partial(write, path, rows), *(partial(read, path, way) for way in WAYS)]
        for step in steps:
            process = context.Process(target=step)
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
