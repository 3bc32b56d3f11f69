"""`solon trace`: from any id of a run back to where it comes from, and forward to what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from typer import Argument, Option

from solon.artifacts.finished import RUN
from solon.cli.faults import say_note
from solon.cli.run_options import JsonInstead
from solon.errors import RunError


def trace(
    name: Annotated[
        str,
        Argument(
            metavar="ID",
            help="Of a prompt, an answer, a chain of revisions, a comparison, a rollout, a principle, a statement "
            "or a model (`rl`). With the stage before it where several things have it: `answers-rl/ID`.",
        ),
    ],
    run: Annotated[
        Path | None, Option(metavar="RUN", help="The run's folder. Default: this one, or the newest below runs/.")
    ] = None,
    constitution: Annotated[
        Path | None,
        Option(metavar="FILE", help="Where a constitution of public input is now; its .trace.json lies beside it."),
    ] = None,
    number: Annotated[
        int, Option("--number", "-n", min=1, help="Show so many things of each kind; all are counted.")
    ] = 3,
    as_json: JsonInstead = False,
) -> None:
    """Walk from any id back to principles and votes, and forward to what it changed.

    Back: from a model's answer, a label or a reward to its prompt, model, comparisons and principles, and on to the
    public's statements and their votes. Forward: from a principle or a prompt to critiques, revisions, labels and
    models. Every link says whether it is exact or an association only.

    \b
      [bold]solon trace no-harm[/bold]
      [bold]solon trace answers-rl/evaluation-harmful-0000.evaluate-0 --run runs/demo[/bold]
      [bold]solon trace training-harmful-0000 --run runs/demo --json[/bold]
    """
    from solon.report.lineage.lineage import lineage
    from solon.report.lineage.tree import print_lineage

    found = lineage(run or _newest_run(), name, most=number, constitution=constitution)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        print_lineage(found, Console(highlight=False))


def _newest_run() -> Path:
    """Raises `RunError` if there is none."""
    if Path(RUN).is_file():
        return Path()
    found = sorted(Path("runs").glob(f"*/{RUN}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise RunError("there is no run here and none below runs/", hint="name its folder with --run")
    say_note(f"run folder: {found[-1].parent}")
    return found[-1].parent
