"""`solon compare`: two finished runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from typer import Argument, Option

from solon.cli.run_options import JsonInstead
from solon.collective.output import require_free
from solon.text import printable


def compare(
    first: Annotated[Path, Argument(metavar="RUN", help="The folder of a finished run.")],
    second: Annotated[Path, Argument(metavar="RUN", help="The folder of the run to hold against it.")],
    output: Annotated[
        Path | None, Option("-o", "--output", metavar="FILE.html", help="Write it as a page, too.")
    ] = None,
    between: Annotated[
        tuple[str, str] | None,
        Option(metavar="A B", help="Two measures that articles forbid, e.g. harmful evasive: which one gave way."),
    ] = None,
    force: Annotated[bool, Option("--force", help="Overwrite the page if it is there.")] = False,
    as_json: JsonInstead = False,
) -> None:
    """Lay two finished runs side by side: which differences are no noise.

    Settings, constitution, models and versions in which the runs differ; then every figure of both with its difference
    (the second run's minus the first's) and 95% interval. Answers are compared prompt by prompt where both runs were
    asked the same held-out prompts.

    With --between, of the answers that are one of two things and not both, how many are the second. Where one article
    forbids the first and another the second, it says which of them was kept.

    \b
      [bold]solon compare runs/demo runs/b[/bold]
      [bold]solon compare runs/demo runs/b -o compare.html[/bold]
      [bold]solon compare runs/demo runs/b --json | jq '.figures[] | select(.outside)'[/bold]
      [bold]solon compare runs/a runs/b --between harmful evasive[/bold]
    """
    from solon.report.compare.console import print_comparison
    from solon.report.compare.differences import compare_runs
    from solon.report.compare.page import write_comparison

    if output:
        require_free(output, force=force)
    found = compare_runs(first, second, between)
    if output:
        write_comparison(found, output)
    if as_json:
        typer.echo(found.model_dump_json())
        return
    print_comparison(found, Console(highlight=False))
    if output:
        typer.echo(f"\n{printable(str(output))}")
