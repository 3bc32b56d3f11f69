"""`solon embedded`: the card of the model that ships, its skills measured again, and its making from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from solon.cli.run_options import Json, Quiet
from solon.text import printable

if TYPE_CHECKING:
    from solon.embedded.card import Rows
    from solon.embedded.skills import Measurements

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The embedded model: its card, its skills, how to make it.",
)
Samples = Annotated[
    int, typer.Option("--samples", min=0, help="Critiques to measure per holdout; 0 with pretrain: measure nothing.")
]


@app.command()
def card(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A folder made by pretrain; by default the shipped model.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record instead of the text.")] = False,
) -> None:
    """Print a model's card: how it was made, what it can do, what it is not.

    \b
      [bold]solon embedded card[/bold]
    """
    from solon.embedded.card import card_text, read_card
    from solon.embedded.shipped import embedded_model

    found = read_card(folder if folder is not None else embedded_model())
    typer.echo(found.model_dump_json(indent=2) if as_json else printable(card_text(found)).rstrip("\n"))


@app.command()
def skills(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A model folder.")],
    samples: Samples = 300,
    seed: Annotated[int, typer.Option(help="Of the lessons, the prompts and the sampling.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Measure by the oracle what a model can do, on each kind of holding out.

    \b
      [bold]solon embedded skills runs/demo/models/rl[/bold]
      [bold]solon embedded skills my-model --samples 50[/bold]
    """
    from solon.embedded.build import measure_folder
    from solon.progress import reporting

    with reporting(quiet=as_json) as reporter:
        measured = measure_folder(folder, samples=max(1, samples), reporter=reporter, seed=seed)
        reporter.done()
    if as_json:
        typer.echo(measured.model_dump_json(indent=2))
    else:
        _print(Console(), measured)


@app.command()
def pretrain(
    out: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="New folder for the model and its card.")],
    seed: Annotated[int, typer.Option(min=0, help="Of weights, corpus and order.")] = 0,
    corpus_tokens: Annotated[int | None, typer.Option(min=1, help="How much corpus to read, padding counted.")] = None,
    judging_tokens: Annotated[int | None, typer.Option(min=1, help="How much to judge after the corpus.")] = None,
    practice_tokens: Annotated[int | None, typer.Option(min=1, help="How much to practise, last of all.")] = None,
    copy_tokens: Annotated[int | None, typer.Option(min=1, help="How long to practise copying, at most.")] = None,
    hidden: Annotated[int | None, typer.Option(min=8, help="Width of the model.")] = None,
    layers: Annotated[int | None, typer.Option(min=1, help="Layers of the model.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor cores to use. Default: torch's choice.")] = None,
    samples: Samples = 300,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make the embedded model again, from a seed: about an hour on two cores.

    After an interruption the same command goes on where it stopped.

    \b
      [bold]solon embedded pretrain --seed 0 -o my-model[/bold]
      [bold]solon run --model my-model -o runs/mine[/bold]
    """
    from solon.embedded.build import build
    from solon.embedded.recipe import recipe_of
    from solon.progress import reporting

    recipe = recipe_of(
        seed=seed,
        hidden=hidden,
        layers=layers,
        copy_tokens=copy_tokens,
        corpus_tokens=corpus_tokens,
        judging_tokens=judging_tokens,
        practice_tokens=practice_tokens,
    )
    with reporting(quiet=quiet, as_json=as_json) as reporter:
        made = build(out, recipe, threads=threads, samples=samples, reporter=reporter)
        reporter.done(f"{out}: {made.parameters:,} parameters, sha256 {made.weights_sha256}")


def _print(console: Console, measured: Measurements) -> None:
    from solon.embedded.card import skill_rows

    console.print(_table("Lessons, by what is held out", skill_rows(measured.holdouts)))
    console.print(_table("Own answers, by kind of prompt", skill_rows(measured.answers)))


def _table(title: str, rows: Rows) -> Table:
    table = Table(title=title, title_justify="left")
    for index, name in enumerate(rows[0]):
        table.add_column(name, justify="right" if index else "left", overflow="fold")
    for row in rows[1:]:
        table.add_row(*(Text(cell) for cell in row))
    return table
