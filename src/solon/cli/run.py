"""`solon run`: the whole of Constitutional AI."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.run_options import RunOptions, WorkOptions, with_options
from solon.cli.running import begun, carry_on

RunFile = Annotated[
    str | None,
    typer.Argument(metavar="RUN.toml", help="Run file, or the name of a shipped one. None: the shipped world run."),
]


@with_options
def run(options: RunOptions, work: WorkOptions, run_file: RunFile = None) -> None:
    """Run Constitutional AI from constitution to report.

    Every stage is kept in the run folder as it goes. The same command again, or `solon resume`, goes on where it
    stopped; on a finished run it prints the result again. Stages that another run in the same folder has finished from
    equal settings and inputs are taken over from it.

    \b
      [bold]solon run -o runs/demo[/bold]
      [bold]solon run mine/run.toml --set rl.steps=60[/bold]
      [bold]solon run --model ./my-model --constitution mine.toml --prompts red.jsonl --helpful good.jsonl[/bold]
    """
    carry_on(begun(run_file, options), work)
