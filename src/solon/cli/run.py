"""`solon run`: the whole of Constitutional AI."""

from __future__ import annotations

from typing import Annotated

import typer

from solon.cli import run_options as options
from solon.cli.running import begun, carry_on

RunFile = Annotated[
    str | None,
    typer.Argument(metavar="RUN.toml", help="Run file, or the name of a shipped one. None: the shipped world run."),
]


def run(
    run_file: RunFile = None,
    output: options.Output = None,
    settings: options.Settings = None,
    seed: options.Seed = None,
    model: options.Model = None,
    constitution: options.Constitution = None,
    prompts: options.Prompts = None,
    helpful: options.Helpful = None,
    columns: options.Columns = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Run Constitutional AI from constitution to report.

    Every stage is kept in the run folder as it goes. The same command again, or `solon resume`, goes on where it
    stopped; on a finished run it prints the result again.

    \b
      [bold]solon run -o runs/demo[/bold]
      [bold]solon run mine/run.toml --set rl.steps=60[/bold]
      [bold]solon run --model ./my-model --constitution mine.toml --prompts red.jsonl --helpful good.jsonl[/bold]
    """
    flags = options.run_file_keys(
        model=model, constitution=constitution, prompts=prompts, helpful=helpful, columns=columns, seed=seed
    )
    carry_on(begun(run_file, output, settings, flags), quiet=quiet, as_json=as_json)
