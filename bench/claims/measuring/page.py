"""`docs/benchmarks.md`, made of the file of results."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from measuring.result import Result, newest, read_results

PAGE = Path(__file__).resolve().parents[3] / "docs/benchmarks.md"
HEAD = """\
# Benchmarks

Made from `bench/results.jsonl` by `python bench --page`; do not edit by hand. `make bench` measures anew on your
machine and appends to that file; this page shows the newest result of each claim, peer and processor. Both sides have
the same weights, prompts, arithmetic, output lengths and cores, and take turns in one run; a figure is the median of
its turns, and the ratio is Solon's figure divided by the peer's. [How each is measured](../bench/README.md).
"""
COLUMNS = ("measured", "peer", "peer's figure", "Solon's", "unit", "ratio", "asked", "kept", "date")


def page(results: Sequence[Result]) -> str:
    """The page as Markdown: a table for each processor."""
    rows = sorted(newest(results), key=lambda result: (result.processor, result.claim))
    parts = [HEAD]
    for processor, found in groupby(rows, key=lambda result: result.processor):
        parts.append("\n".join([f"## {processor}\n", _row(COLUMNS), _row(["---"] * len(COLUMNS)), *map(_line, found)]))
    return "\n".join(parts) + "\n"


def write_page() -> Path:
    PAGE.write_text(page(read_results()), encoding="utf-8")
    return PAGE


def _line(result: Result) -> str:
    kept = "" if result.asked is None else "yes" if result.kept else "NO"
    figures = (f"{result.peer_figure:,g}", f"{result.solon_figure:,g}", result.unit, f"{result.ratio:g}")
    return _row([f"{result.claim} ({result.setting})", result.peer, *figures, result.asked or "", kept, result.date])


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
