"""`solon embedded`: the card of the shipped model, its skills, and its training from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.cli.results import print_table
from solon.cli.run_options import Json, JsonInstead, Quiet
from solon.progress import reporting
from solon.text import printable

app = typer.Typer(no_args_is_help=True, help="Inspect, measure or retrain the embedded model.")
Samples = Annotated[int, Option(min=0, help="Critiques to measure per holdout. With pretrain, 0 measures nothing.")]


@app.command()
def card(
    folder: Annotated[
        Path | None, Argument(metavar="[DIR]", help="A folder that pretrain made. Default: the shipped model.")
    ] = None,
    as_json: JsonInstead = False,
) -> None:
    """Print a model's card: its training, its skills and its limits.

    \b
      [bold]solon embedded card[/bold]
    """
    from solon.embedded.card import card_text, read_card
    from solon.models.where import embedded_model

    found = read_card(folder if folder is not None else embedded_model())
    typer.echo(found.model_dump_json(indent=2) if as_json else printable(card_text(found)).rstrip("\n"))


@app.command()
def skills(
    folder: Annotated[Path, Argument(metavar="DIR", help="A model folder.")],
    samples: Samples = 300,
    seed: Annotated[int, Option(help="The seed of the lessons, the prompts and the sampling.")] = 1,
    as_json: JsonInstead = False,
) -> None:
    """Measure a model's skills with the oracle, on each holdout.

    \b
      [bold]solon embedded skills runs/demo/models/rl[/bold]
      [bold]solon embedded skills my-model --samples 50[/bold]
    """
    from solon.embedded.build import measure_folder
    from solon.embedded.card import skill_rows

    with reporting(quiet=as_json) as reporter:
        measured = measure_folder(folder, samples=max(1, samples), reporter=reporter, seed=seed)
        reporter.done()
    if as_json:
        typer.echo(measured.model_dump_json(indent=2))
        return
    for title, skills in (
        ("Lessons, by what is held out", measured.holdouts),
        ("Own answers, by kind of prompt", measured.answers),
    ):
        (skill, *kinds), *rows = skill_rows(skills)
        print_table(title, [skill], kinds, rows)


@app.command()
def pretrain(
    out: Annotated[Path, Option("--output", "-o", metavar="DIR", help="A new folder for the model and its card.")],
    seed: Annotated[int, Option(min=0, help="The seed of the weights, the corpus and its order.")] = 0,
    corpus_tokens: Annotated[int | None, Option(min=1, help="Tokens of the corpus to train on, with padding.")] = None,
    hidden: Annotated[int | None, Option(min=8, help="Width of the model.")] = None,
    layers: Annotated[int | None, Option(min=1, help="Layers of the model.")] = None,
    threads: Annotated[int | None, Option(min=1, help="CPU threads. Default: torch's choice.")] = None,
    samples: Samples = 300,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Retrain the embedded model from a seed: about an hour on two cores.

    After an interruption, give the same command to continue.

    \b
      [bold]solon embedded pretrain --seed 0 -o my-model[/bold]
      [bold]solon run --model my-model -o runs/mine[/bold]
    """
    from solon.embedded.build import build
    from solon.embedded.recipe import recipe_of

    recipe = recipe_of(seed=seed, hidden=hidden, layers=layers, corpus_tokens=corpus_tokens)
    with reporting(quiet=quiet, as_json=as_json) as reporter:
        made = build(out, recipe, threads=threads, samples=samples, reporter=reporter)
        reporter.done(f"{out}: {made.parameters:,} parameters, sha256 {made.weights_sha256}")
