"""A stage of 1,000, 10,000 and 100,000 rows: its memory stays within 10%, and its time grows in proportion.

The embedded model answers and revises prompts of the world, two tokens each, in a process for each size. Memory is the
process's peak; time is that of the stage per row, without imports.

    python bench/claims/rows.py [--quick] [--rows MOST]
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measuring.commands import MEGABYTE, solon
from measuring.result import Result, at_most
from measuring.script import Options, result, run
from measuring.turns import tell

SETTINGS = (
    *("prompts.mixed=0", "prompts.benign=0", "prompts.evaluation=1"),
    *("sampling.max_new_tokens=2", "supervised.rounds=1", "supervised.critique=false"),
)


def stage(folder: Path, rows: int) -> tuple[float, float]:
    """Megabytes, and seconds per thousand rows."""
    arguments = ["stage", "revisions", "-o", str(folder), "--no-reuse", "--quiet"]
    spent = solon(arguments, [*SETTINGS, f"prompts.harmful={rows}"])
    manifest = json.loads((folder / "revisions/manifest.json").read_bytes())
    per_thousand = manifest["timing"]["seconds"] / rows * 1000
    tell(f"{rows} rows: {spent.peak_bytes / MEGABYTE:.0f} MB, {per_thousand:.2f} s per thousand")
    return spent.peak_bytes / MEGABYTE, per_thousand


def measure(options: Options) -> Iterator[Result]:
    most = options.size(100_000, 400)
    sizes = [most // 100, most // 10, most]
    with tempfile.TemporaryDirectory() as work:
        found = {size: stage(Path(work) / str(size), size) for size in sizes}
    (memory, time), base = found[most], found[sizes[0]]
    for what, unit, first, last in (("memory", "MB", base[0], memory), ("time per row", "ms", base[1], time)):
        yield result(
            f"many rows in a stage, {what}",
            setting=f"{most:,} rows; the embedded model answers and revises, 2 tokens each",
            peer=f"{sizes[0]:,} rows",
            peer_figure=first,
            solon_figure=last,
            unit=unit,
            asked=at_most(1.1),
        )


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
