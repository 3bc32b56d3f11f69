"""`solon export`: a run's data, in the formats of other trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from solon.cli.results import print_counts
from solon.cli.run_options import Json, refuse_option
from solon.export.trl import export_trl
from solon.progress import json_line
from solon.text import printable

app = typer.Typer(no_args_is_help=True, help="Export a run's training data for other trainers.")


@app.command()
def trl(
    run: Annotated[Path, Argument(metavar="RUN", help="A run folder in which the stage helpfulness is finished.")],
    out: Annotated[
        Path,
        Option("--output", "-o", metavar="DIR", callback=refuse_option, help="A new folder. It must not exist yet."),
    ],
    form: Annotated[
        Literal["conversational", "standard"],
        Option(help="Lists of messages, for models with a chat template, or text in the Human/Assistant format."),
    ] = "conversational",
    format: Annotated[
        Literal["jsonl", "parquet"], Option(help="The file format. Parquet needs the extra `data`.")
    ] = "jsonl",
    as_json: Json = False,
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
    accounts = export_trl(run, out, form=form, format=format)
    if as_json:
        sets = {name: counts.model_dump(mode="json", by_alias=True) for name, counts in accounts.items()}
        typer.echo(json_line("export", {"folder": str(out), "form": form, "format": format, "sets": sets}))
        return
    for name, counts in accounts.items():
        print_counts(str(out / f"{name}.{format}"), counts)
    typer.echo(f"what is in them and how to load them: {printable(str(out / 'README.md'))}")
