"""`solon export`: a run, in the formats of other engines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from solon.cli.results import print_counts
from solon.cli.run_options import Json, refuse_option
from solon.export.engine import Engine
from solon.export.files import Format
from solon.export.folder import export
from solon.export.openrlhf import OPENRLHF
from solon.export.sets import Form
from solon.export.trl import TRL
from solon.export.verl import VERL
from solon.progress import json_line
from solon.text import printable

app = typer.Typer(no_args_is_help=True, help="Hand a run over to other engines: data, models and run files.")

Run = Annotated[Path, Argument(metavar="RUN", help="A run folder in which the stage helpfulness is finished.")]
Out = Annotated[
    Path,
    Option("--output", "-o", metavar="DIR", callback=refuse_option, help="A new folder. It must not exist yet."),
]
Models = Annotated[
    bool,
    Option("--models/--no-models", help="Take along SL-CAI, the preference model and run files, or the data alone."),
]


@app.command()
def trl(
    run: Run,
    out: Out,
    form: Annotated[
        Literal["conversational", "standard"],
        Option(help="Lists of messages, for models with a chat template, or text in the Human/Assistant format."),
    ] = "conversational",
    format: Annotated[
        Literal["jsonl", "parquet"], Option(help="The file format. Parquet needs the extra `data`.")
    ] = "jsonl",
    models: Models = True,
    as_json: Json = False,
) -> None:
    """Write a run's data as data sets for TRL and `datasets`, with its models and TRL's run files.

    \b
      sft          prompt, completion: revisions and helpful answers, for SFTTrainer
      preference   prompt, chosen, rejected and p_chosen, the soft label: for DPOTrainer, RewardTrainer
      prompts      prompt: for GRPOTrainer and other online training

    A README.md in the same folder explains each column, the source of each row and how to load the sets. Models are
    linked, not copied, where the file system can do that.

    \b
      [bold]solon export trl runs/demo -o demo-trl[/bold]
      [bold]solon export trl runs/demo -o demo-text --form standard --format parquet[/bold]
      [bold]cd demo-trl && trl grpo --config rl.yaml[/bold]
    """
    _export(TRL, run, out, form, format, models, as_json)


@app.command()
def openrlhf(run: Run, out: Out, models: Models = True, as_json: Json = False) -> None:
    """Write a run's data for OpenRLHF, with its models and scripts that start it with the run's settings.

    \b
      sft          prompt, completion: without answers that were cut off, since OpenRLHF ends every answer
      preference   prompt, chosen, rejected: without ties, since OpenRLHF takes every label as sure
      prompts      prompt

    \b
      [bold]solon export openrlhf runs/mine -o mine-openrlhf[/bold]
      [bold]GPUS=8 mine-openrlhf/rl.sh[/bold]
    """
    _export(OPENRLHF, run, out, "conversational", "jsonl", models, as_json)


@app.command()
def verl(run: Run, out: Out, models: Models = True, as_json: Json = False) -> None:
    """Write a run's data as Parquet for verl, with its models and scripts that start it with the run's settings.

    \b
      sft          messages: without answers that were cut off, since verl ends every answer
      prompts      prompt, and what verl asks beside it

    verl trains no preference models and has no DPO, so there are no comparisons. It needs the extra `data`.

    \b
      [bold]solon export verl runs/mine -o mine-verl[/bold]
      [bold]GPUS=8 mine-verl/rl.sh[/bold]
    """
    _export(VERL, run, out, "conversational", "parquet", models, as_json)


def _export(engine: Engine, run: Path, out: Path, form: Form, format: Format, models: bool, as_json: bool) -> None:
    done = export(engine, run, out, form=form, format=format, models=models)
    if as_json:
        sets = {name: counts.model_dump(mode="json", by_alias=True) for name, counts in done.accounts.items()}
        here = {"models": list(done.models), "run_files": list(done.run_files)}
        typer.echo(json_line("export", {"folder": str(out), "form": form, "format": format, "sets": sets, **here}))
        return
    for name, counts in done.accounts.items():
        print_counts(str(out / f"{name}.{format}"), counts)
    if models:
        typer.echo(f"models: {', '.join(done.models) or 'none'}; run files: {', '.join(done.run_files) or 'none'}")
    typer.echo(f"what is in them and how to load them: {printable(str(out / 'README.md'))}")
