"""`solon stage`: a run one stage at a time, to look at what each made before the next one uses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from solon.cli import run_options as options
from solon.cli.main import HELP_OPTIONS
from solon.cli.running import begun, carry_on, found
from solon.errors import UserError


class Listed(NamedTuple):
    """One stage."""

    name: str
    folder: str
    """Below the run's."""
    help: str


LISTED: tuple[Listed, ...] = (
    Listed("prompts", "prompts", "Prompts for training and, held out, for evaluation."),
    Listed("revisions", "revisions", "The assistant answers red-team prompts, criticises its answers, revises them."),
    Listed("helpful", "helpful", "The assistant's own answers to benign prompts."),
    Listed("sl", "models/sl", "Finetune base on revisions and helpful answers: SL-CAI."),
    Listed("pairs", "pairs", "SL-CAI answers every red-team prompt twice."),
    Listed("comparisons", "comparisons", "The judge says which answer is better, by a principle drawn at random."),
    Listed("helpfulness", "helpfulness", "Helpfulness comparisons on benign prompts, needless refusals among them."),
    Listed("pm", "models/pm", "Train the preference model on both kinds of comparison."),
    Listed("rl", "models/rl", "Train SL-CAI by RL against the preference model: RL-CAI."),
    Listed("evals", "evals", "Base, SL-CAI and RL-CAI answer the held-out prompts."),
)
"""The stages in order; `solon.pipeline.run.STAGES`, which only torch can import, names the same."""

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


def _command(stage: Listed) -> Callable[..., None]:
    def command(
        source: Source = None,
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
        flags = options.run_file_keys(
            model=model, constitution=constitution, prompts=prompts, helpful=helpful, columns=columns, seed=seed
        )
        if source is not None and Path(source).is_dir():
            if output or settings or any(value is not None for value in flags.values()):
                raise UserError(f"{source} is a run with settings of its own", hint="leave out options that set any")
            run = found(Path(source))
        else:
            run = begun(source, output, settings, flags)
        carry_on(run, quiet=quiet, as_json=as_json, until=stage.name, folder=stage.folder)

    return command


for _stage in LISTED:
    app.command(_stage.name, help=f"{_stage.help}\n\nKept in `{_stage.folder}` of the run folder.")(_command(_stage))
