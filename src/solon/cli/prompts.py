"""`solon prompts`: prompts that a model writes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue
from typer import Option

from solon.cli.faults import say_note
from solon.cli.opening import Engine, brought, one_model, open_one
from solon.cli.results import print_counts
from solon.cli.run_options import Json, Quiet, Settings, refuse_option
from solon.config.models import ModelsSection
from solon.config.run import RunConfig
from solon.data.example_prompts import read_asked, read_example_prompts
from solon.feedback.prompt_writing import Kind
from solon.feedback.rows import Sampler
from solon.pipeline.prompt_writing import Account, Order, account_of, require_new, work_folder, write_prompts
from solon.progress import json_line, reporting
from solon.text import printable

app = typer.Typer(no_args_is_help=True, help="Write prompts with a model, from a few examples.")


Examples = Annotated[
    Path, Option(metavar="FILE", help="A .txt with a prompt a line, or rows with `prompt` and `category`.")
]
Out = Annotated[
    Path | None,
    Option(
        *("--output", "-o"),
        metavar="FILE",
        callback=refuse_option,
        help="A new .jsonl file. Default: red-team.jsonl or helpful.jsonl.",
    ),
]
NotLike = Annotated[
    list[Path] | None,
    Option(metavar="FILE", help="Prompts kept for evaluation: write none that is nearly one of them. Repeatable."),
]


@app.command()
def generate(
    kind: Annotated[Kind, Option(help="Requests that a good assistant refuses, or those of people who need help.")],
    examples: Examples,
    count: Annotated[int, Option("--count", "-n", min=1, metavar="N", help="How many prompts to write.")],
    model: Annotated[str, Option(metavar="MODEL", help="The model that writes, as a run file names it.")],
    out: Out = None,
    not_like: NotLike = None,
    engine: Engine = "local",
    tries: Annotated[int, Option(min=1, metavar="N", help="Requests per wanted prompt, at most.")] = 2,
    seed: Annotated[int, Option(min=0, metavar="N", help="The same seed gives the same prompts.")] = 0,
    settings: Settings = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write prompts with a model, from a few examples.

    Constitutional AI used far more prompts written by models than by people. The model is shown five examples of one
    category at a time and continues the list. In a text file, a line `# CATEGORY` stands before the examples of one.

    \b
      [bold]solon prompts generate --kind red-team --examples red.txt -n 500 --model ./my-model[/bold]
      [bold]solon prompts generate --kind helpful --examples helpful.txt -n 500 --model ./my-model
          --not-like runs/mine/prompts/evals.jsonl --set sampling.temperature=0.9[/bold]

    Left out, and counted by reason: duplicates and near-duplicates of examples, of each other and of evaluation
    prompts, texts that were cut off, and what is no single prompt, such as an answer. A person should read the rest
    before a run trains on it.

    A command that was stopped goes on when it is given again. Each row names model, seed, request and examples.
    Runs read the file: --prompts red-team.jsonl, --helpful helpful.jsonl. Beside it lies its account (.account.json).
    """
    config = one_model(model, engine, settings or (), seed=seed)
    order = Order(
        kind=kind,
        count=count,
        examples=read_example_prompts(examples),
        not_like=[text for path in not_like or () for text in read_asked(path)],
        tries=tries,
        models=_settings(config.models),
    )
    file = out or Path(f"{kind}.jsonl")
    require_new(file)
    config = brought(config, None if quiet or as_json else say_note)
    with reporting(quiet, as_json) as reporter:
        account = write_prompts(order, _sampler(config, kind, file), file, reporter)
    _print(file, account, as_json=as_json)


def _sampler(config: RunConfig, kind: Kind, file: Path) -> Sampler:
    actor = open_one(config, work_folder(file))
    return actor.sampler(f"prompts-{kind}", actor.actors.settled.sampling.answers)


def _settings(models: ModelsSection) -> dict[str, JsonValue]:
    writer = models.role("assistant")
    both = models.model_dump(mode="json", include={"dtype", "date"})
    return both | writer.result_settings() | writer.engine_settings()


def _print(file: Path, account: Account, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json_line("prompts", {"file": str(file), **account.model_dump(mode="json", by_alias=True)}))
        return
    print_counts(str(file), account.counts)
    for category, number in account.categories.items():
        typer.echo(printable(f"  of {category or 'no category'}: {number}"))
    typer.echo(printable(f"account: {account_of(file)}"))
