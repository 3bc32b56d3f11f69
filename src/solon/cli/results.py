"""What commands print at the end: a run's result, the account of a stage, a line of `--json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from solon.artifacts.manifest import MANIFEST, Counts, Manifest
from solon.progress import json_line
from solon.text import printable


def print_result(run: Path, *, as_json: bool = False) -> None:
    """The figures of a finished run, and where its files are. As JSON: one line, the keys of `summary.json`."""
    from rich.console import Console

    from solon.evals.summary import read_summary
    from solon.report.console import print_summary

    path = run / "summary.json"
    summary = read_summary(path)
    if as_json:
        print_json("summary", summary.model_dump(mode="json"))
        return
    print_summary(summary, Console(highlight=False))
    typer.echo(f"\n{printable(str(path))}\n{printable(str(run / 'report.html'))}")


def print_stage(run: Path, folder: str, *, as_json: bool = False) -> None:
    """What one stage was given, made and left out. As JSON: one line, the keys of its manifest."""
    manifest = Manifest.model_validate_json((run / folder / MANIFEST).read_bytes())
    if as_json:
        print_json("manifest", manifest.model_dump(mode="json", by_alias=True))
        return
    print_counts(str(run / folder), manifest.counts)
    typer.echo(printable(f"to continue: solon resume {run}"))


def print_counts(name: str, counts: Counts) -> None:
    """Rows in and out, and below them what was left out and what else was counted."""
    typer.echo(printable(f"{name}: {counts.rows_in} in, {counts.rows_out} out"))
    for reason, number in counts.dropped.items():
        typer.echo(printable(f"  left out, {reason}: {number}"))
    for what, number in counts.other.items():
        typer.echo(printable(f"  {what}: {number}"))


def print_json(event: str, facts: Mapping[str, object]) -> None:
    """One line of `--json`."""
    typer.echo(json_line(event, facts))
