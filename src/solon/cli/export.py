"""`solon export`: what a run made, in the forms of other trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from solon.cli import run_options as options
from solon.cli.main import HELP_OPTIONS
from solon.cli.running import print_counts, print_json, refuse_option
from solon.text import printable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=HELP_OPTIONS,
    help="Training sets from a run, for other trainers.",
)


@app.callback()
def export() -> None:
    """Training sets from a run, for other trainers."""


@app.command()
def trl(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that has come as far as stage helpfulness.")],
    out: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="A new folder; it must not exist.")],
    form: Annotated[
        Literal["conversational", "standard"],
        typer.Option(
            help="Lists of messages, for models with a chat template; or text, in the Human/Assistant format."
        ),
    ] = "conversational",
    format: Annotated[
        Literal["jsonl", "parquet"], typer.Option(help="The files' format; Parquet needs the extra `data`.")
    ] = "jsonl",
    as_json: options.Json = False,
) -> None:
    """Write a run's data as sets that TRL and `datasets` load.

    \b
      sft          prompt, completion: revisions and helpful answers, for SFTTrainer
      preference   prompt, chosen, rejected and p_chosen, the soft label: for DPOTrainer, RewardTrainer
      prompts      prompt: for GRPOTrainer and other online training

    README.md beside them says what each column holds, where each row comes from and how to load it.

    \b
      [bold]solon export trl runs/demo -o demo-trl[/bold]
      [bold]solon export trl runs/demo -o demo-text --form standard --format parquet[/bold]
    """
    from solon.export.trl import export_trl

    refuse_option(out)
    accounts = export_trl(run, out, form=form, format=format)
    if as_json:
        sets = {name: counts.model_dump(mode="json", by_alias=True) for name, counts in accounts.items()}
        print_json("export", {"folder": str(out), "form": form, "format": format, "sets": sets})
        return
    for name, counts in accounts.items():
        print_counts(str(out / f"{name}.{format}"), counts)
    typer.echo(f"what it holds and how to load it: {printable(str(out / 'README.md'))}")
