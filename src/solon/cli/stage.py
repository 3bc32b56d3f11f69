"""`solon stage`: a run one stage at a time, to look at what each made before the next one uses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from solon.cli.main import HELP_OPTIONS
from solon.cli.run_options import RunOptions, WorkOptions, with_options
from solon.cli.running import begun, carry_on, found
from solon.errors import UserError
from solon.pipeline.stage import Stage
from solon.pipeline.stages import STAGES

Source = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="A run folder, or a run file to begin a run from. None: the world run."),
]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=HELP_OPTIONS,
    help="Run up to and including one stage.\n\nStages before it that are not done yet are done too. Look at what it "
    "made, then go on with the next.\n\n\b\n  [bold]solon stage revisions mine/run.toml -o runs/mine[/bold]\n"
    "  [bold]solon stage sl runs/mine[/bold]\n  [bold]solon resume runs/mine[/bold]",
)


def _command(stage: Stage) -> Callable[..., None]:
    @with_options
    def command(options: RunOptions, work: WorkOptions, source: Source = None) -> None:
        if source is not None and Path(source).is_dir():
            if options.given:
                raise UserError(f"{source} is a run with settings of its own", hint="leave out options that set any")
            run = found(Path(source))
        else:
            run = begun(source, options)
        carry_on(run, work, until=stage)

    return command


for _stage in STAGES:
    app.command(_stage.name, help=f"{_stage.title}\n\nKept in `{_stage.folder}` of the run folder.")(_command(_stage))
