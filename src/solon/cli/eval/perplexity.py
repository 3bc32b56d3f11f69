"""`solon eval perplexity`."""

from __future__ import annotations

from typing import Annotated

import typer
from typer import Option

from solon.cli.eval import keeping, options
from solon.cli.eval.options import between, opened, print_json
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings
from solon.config.evaluations import PerplexitySection
from solon.evals.published.perplexity import WINDOW, read_texts
from solon.evals.published.perplexity import perplexity as measure
from solon.evals.tasks import spread


def perplexity(
    context: typer.Context,
    data: options.Data,
    model: options.Model,
    window: Annotated[int, Option(min=8, metavar="N", help="Tokens at most that are read at once.")] = WINDOW,
    limit: options.Limit = None,
    seed: options.Seed = 0,
    settings: Settings = None,
    run: keeping.Run = None,
    name: keeping.Name = None,
    replace: keeping.Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """How surprising is a text to a model?

    \b
      [bold]solon eval perplexity --data held-out.txt --model ./my-model[/bold]
      [bold]solon eval perplexity --data test.jsonl --model ./my-model[/bold]

    The file is a plain text, or has rows with `text`. Perplexity is per token, so it compares models with the same
    tokenizer; bits per byte compare any. The model is run by the engine `local`: servers do not score texts.
    """
    kept = keeping.Keeping(run=run, name=name, replace=replace, model=model)
    if kept.of_run:
        kept.ask(context, "perplexity", PerplexitySection(data=str(data), limit=limit, window=window), as_json=as_json)
        return
    texts = spread(read_texts(data), limit)
    given = opened(model, "local", settings, seed=seed)
    result = measure(texts, given.model, window=window, seed=seed)  # type: ignore[arg-type]
    if as_json:
        print_json(result)
        return
    figures = {"perplexity": result.perplexity, "bits per byte": result.bits_per_byte}
    rows = [(name, _plain(one.value), between(one.low, one.high, _plain)) for name, one in figures.items()]
    title = f"{data}: {result.texts} texts, {result.windows} windows, {result.tokens} tokens"
    print_table(title, ["measure"], ["value", "95% interval"], rows)
    if result.left_out:
        typer.echo(f"left out, no window with a second word: {result.left_out} texts")


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
