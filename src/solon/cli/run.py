"""`solon run`: the whole of Constitutional AI."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli.run_options import Json, Quiet, RunOptions, with_run_options
from solon.cli.running import begun, carry_on

RunFile = Annotated[
    str | None,
    typer.Argument(metavar="RUN.toml", help="Run file, or the name of a shipped one. None: the shipped world run."),
]


@with_run_options
def run(options: RunOptions, run_file: RunFile = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Run Constitutional AI from constitution to report.

    Every stage is kept in the run folder as it goes. The same command again, or `solon resume`, goes on where it
    stopped; on a finished run it prints the result again.

    \b
      [bold]solon run -o runs/demo[/bold]
      [bold]solon run mine/run.toml --set rl.steps=60[/bold]
      [bold]solon run --model ./my-model --constitution mine.toml --prompts red.jsonl --helpful good.jsonl[/bold]
    """
    carry_on(begun(run_file, options), quiet=quiet, as_json=as_json)
