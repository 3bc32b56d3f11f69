"""`solon export`: a run's data, in the formats of other trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from solon.cli import run_options as options
from solon.cli.results import print_counts, print_json
from solon.text import printable

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Export a run's training data for other trainers.")


@app.callback()
def export() -> None:
    """Export a run's training data for other trainers."""


@app.command()
def trl(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run folder in which the stage helpfulness is finished.")
    ],
    out: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="A new folder. It must not exist yet.")],
    form: Annotated[
        Literal["conversational", "standard"],
        typer.Option(
            help="conversational: lists of messages, for models with a chat template; standard: text in the "
            "Human/Assistant format."
        ),
    ] = "conversational",
    format: Annotated[
        Literal["jsonl", "parquet"], typer.Option(help="The file format. Parquet needs the extra `data`.")
    ] = "jsonl",
    as_json: options.Json = False,
) -> None:
    """Write a run's data as data sets for TRL and `datasets`.

    \b
      sft          prompt, completion: revisions and helpful answers, for SFTTrainer
      preference   prompt, chosen, rejected and p_chosen, the soft label: for DPOTrainer, RewardTrainer
      prompts      prompt: for GRPOTrainer and other online training

    A README.md in the same folder explains each column, the source of each row and how to load the sets.

    \b
      [bold]solon export trl runs/demo -o demo-trl[/bold]
      [bold]solon export trl runs/demo -o demo-text --form standard --format parquet[/bold]
    """
    from solon.export.trl import export_trl

    options.refuse_option(out)
    accounts = export_trl(run, out, form=form, format=format)
    if as_json:
        sets = {name: counts.model_dump(mode="json", by_alias=True) for name, counts in accounts.items()}
        print_json("export", {"folder": str(out), "form": form, "format": format, "sets": sets})
        return
    for name, counts in accounts.items():
        print_counts(str(out / f"{name}.{format}"), counts)
    typer.echo(f"what is in them and how to load them: {printable(str(out / 'README.md'))}")
