"""What commands print: a run's result, the account of a stage, tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from solon.artifacts.manifest import MANIFEST, Counts, Manifest
from solon.progress import json_line
from solon.text import printable

LEAST = 16
"""Characters that a column of texts has, if it needs them, however many numbers stand beside it. Assumption."""


def print_result(run: Path, *, as_json: bool = False) -> None:
    """The figures of a finished run, and where its files are. As JSON: a line for each evaluation, and the last with
    the keys of `summary.json`."""
    from solon.evals.evaluation import in_order
    from solon.evals.kept import read_evaluations
    from solon.evals.summary import read_summary
    from solon.report.console import print_summary
    from solon.report.evaluated import print_evaluations

    path = run / "summary.json"
    summary, (kept, faults) = read_summary(path), read_evaluations(run)
    found = in_order(kept)
    if as_json:
        for one in found.values():
            typer.echo(json_line("evaluation", one.model_dump(mode="json")))
        typer.echo(json_line("summary", summary.model_dump(mode="json")))
        return
    print_summary(summary, Console(highlight=False))
    print_evaluations(found, Console(highlight=False))
    for name, why in faults.items():
        typer.echo(printable(f"evaluations/{name} is not shown: {why}"))
    typer.echo(f"\n{printable(str(path))}\n{printable(str(run / 'report.html'))}")


def print_stage(run: Path, folder: str, *, as_json: bool = False) -> None:
    """What one stage was given, made and left out. As JSON: one line, the keys of its manifest."""
    manifest = Manifest.model_validate_json((run / folder / MANIFEST).read_bytes())
    if as_json:
        typer.echo(json_line("manifest", manifest.model_dump(mode="json", by_alias=True)))
        return
    from solon.evals.quality import SIZES, text_quality

    others = {name: n for name, n in manifest.counts.other.items() if name not in SIZES}
    print_counts(str(run / folder), manifest.counts.model_copy(update={"other": others}))
    for texts in text_quality(folder, manifest.counts.other):
        typer.echo(f"  {texts}")
    typer.echo(printable(f"to continue: solon resume {run}"))


def print_counts(name: str, counts: Counts) -> None:
    """Rows in and out, and below them what was left out and what else was counted."""
    typer.echo(printable(f"{name}: {counts.rows_in} in, {counts.rows_out} out"))
    for reason, number in counts.dropped.items():
        typer.echo(printable(f"  left out, {reason}: {number}"))
    for what, number in counts.other.items():
        typer.echo(printable(f"  {what}: {number}"))


def print_table(title: str, texts: Iterable[str], numbers: Iterable[str], rows: Iterable[Iterable[str | Text]]) -> None:
    """A table of columns of texts, then of numbers. No cell is read as markup or steers the terminal. Numbers are cut
    short on a narrow terminal alone: a file or a pipe has room."""
    cells = [[Text(printable(cell)) if isinstance(cell, str) else cell for cell in row] for row in rows]
    table = Table(title=Text(printable(title)), title_justify="left")
    own = list(texts)
    for place, name in enumerate([*own, *numbers]):
        longest = max(len(name), *(row[place].cell_len for row in cells), 1)
        if place < len(own):
            table.add_column(name, overflow="fold", min_width=min(longest, LEAST))
        else:
            table.add_column(name, justify="right", no_wrap=True, min_width=longest)
    for row in cells:
        table.add_row(*row)
    console = Console()
    if not console.is_terminal:
        wide = console.options.update(max_width=1 << 16)
        console.width = max(console.width, Measurement.get(console, wide, table).minimum)
    console.print(table)
