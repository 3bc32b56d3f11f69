"""`solon embedded`: the cards of the shipped models, their skills, and their training from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.cli.results import print_table
from solon.cli.run_options import Json, JsonInstead, Quiet
from solon.config.paths import EMBEDDED
from solon.progress import reporting
from solon.text import printable

app = typer.Typer(no_args_is_help=True, help="Inspect, measure or retrain the embedded model.")
Samples = Annotated[int, Option(min=0, help="Critiques to measure per holdout. With pretrain, 0 measures nothing.")]


@app.command()
def card(
    model: Annotated[
        str, Argument(metavar="MODEL", help="The name of a shipped model, or a folder that pretrain made.")
    ] = EMBEDDED,
    as_json: JsonInstead = False,
) -> None:
    """Print a model's card: its training, its skills and its limits.

    \b
      [bold]solon embedded card[/bold]
      [bold]solon embedded card embedded-small[/bold]
    """
    from solon.embedded.card import card_text, read_card
    from solon.models.where import model_folder

    found = read_card(model_folder(model))
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
def verdicts(
    model: Annotated[str, Argument(metavar="MODEL", help="The name of a shipped model, or a model folder.")],
    out: Annotated[Path, Option("--output", "-o", metavar="FILE.jsonl", help="A new file, with a line a verdict.")],
    items: Annotated[int, Option(min=2, help="Questions of each task.")] = 300,
    seed: Annotated[int, Option(min=0, help="The seed of the questions and the sampling.")] = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Ask a model what is harmful: at once, behind examples, and after reasoning.

    \b
      [bold]solon embedded verdicts embedded -o verdicts.jsonl[/bold]

    Which of two answers is better under a principle, whether an answer does harm, and which kind; on people, things,
    places and tasks that no lesson in judging contains.
    """
    from solon.embedded.verdicts import verdicts_of_folder
    from solon.models.where import model_folder

    with reporting(quiet=quiet, as_json=as_json) as reporter:
        found = verdicts_of_folder(model_folder(model), out, seed=seed, items=items, reporter=reporter)
        right = {(row.task, row.way): list[float]() for row in found}
        for row in found:
            right[row.task, row.way] += [] if row.correct is None else [row.correct]
        told = (f"{task} {way}: {sum(own) / len(own):.3f}" for (task, way), own in right.items() if own)
        reporter.done(f"{out}: " + ", ".join(told))


@app.command()
def pretrain(
    out: Annotated[Path, Option("--output", "-o", metavar="DIR", help="A new folder for the model and its card.")],
    seed: Annotated[int, Option(min=0, help="The seed of the weights, the corpus and its order.")] = 0,
    corpus_tokens: Annotated[int | None, Option(min=1, help="Tokens of the world to read, with padding.")] = None,
    opposite_tokens: Annotated[
        int | None, Option(min=0, help="Tokens to read then, among which the opposite of a principle is asked.")
    ] = None,
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

    tokens = {"corpus_tokens": corpus_tokens, "opposite_tokens": opposite_tokens}
    recipe = recipe_of(seed=seed, hidden=hidden, layers=layers, **tokens)
    with reporting(quiet=quiet, as_json=as_json) as reporter:
        made = build(out, recipe, threads=threads, samples=samples, reporter=reporter)
        reporter.done(f"{out}: {made.parameters:,} parameters, sha256 {made.weights_sha256}")
