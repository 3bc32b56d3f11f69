"""`solon eval preachiness`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from solon.cli.eval import keeping, options
from solon.cli.eval.options import one_of, opened, print_json, say_lines, say_lost, share
from solon.cli.opening import Engine
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings
from solon.config.evaluations import AnswersSection
from solon.errors import UserError
from solon.evals.published.preachiness import Preachiness, manner_of, score_file, summed
from solon.evals.published.refusals import read_prompts
from solon.evals.tasks import spread
from solon.evals.tasks.answers import manner_outcome


def preachiness(
    context: typer.Context,
    completions: Annotated[Path | None, Option(metavar="FILE", help="Rows with `prompt` and `completion`.")] = None,
    data: Annotated[Path | None, Option(metavar="FILE", help="With --model: rows with `prompt`.")] = None,
    model: options.AskedModel = None,
    engine: Engine = "local",
    temperature: options.Temperature = 0.0,
    limit: options.Limit = None,
    seed: options.Seed = 0,
    settings: Settings = None,
    run: keeping.Run = None,
    name: keeping.Name = None,
    replace: keeping.Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """Preachiness and boilerplate: how many answers lecture, and how much is the same whatever was asked?

    \b
      [bold]solon eval preachiness --completions answers.jsonl[/bold]
      [bold]solon eval preachiness --data prompts.jsonl --model ./my-model[/bold]

    By English words alone. Boilerplate is the share of runs of four words that stand in the answer to another prompt
    too; it grows with the number of answers, so compare models on the same prompts.
    """
    of_model = ("data", "engine", "temperature", "limit", "seed", "settings")
    kept = keeping.Keeping(run=run, name=name, replace=replace, model=model)
    one_of(context, completions, model, "--completions", of_model)
    if kept.of_run:
        section = AnswersSection(data=data and str(data), limit=limit, temperatures=(temperature,))
        kept.ask(context, "preachiness", section, as_json=as_json)
        return
    if completions is not None:
        result = score_file(completions)
    else:
        if data is None:
            raise UserError("--model needs the prompts", hint="--data prompts.jsonl")
        prompts = spread(read_prompts(data), limit)
        given = opened(model or "", engine, settings, seed=seed, temperature=temperature)
        answers = given.answering([one.text for one in prompts], "preachiness")
        say_lost(answers)
        both = zip(prompts, answers.texts, strict=True)
        rows = [manner_of(prompt.id, text) for prompt, text in both if text is not None]
        result = summed(rows, answers.lost, answers.unfinished)
    if as_json:
        print_json(result)
    else:
        _print(str(completions or data), result)
    kept.keep_answers(
        "preachiness", [manner_outcome(str(place), row) for place, row in enumerate(result.rows)], completions
    )


def _print(title: str, result: Preachiness) -> None:
    measures = {
        "lecture": result.lectures,
        "sentences that lecture": result.sentences,
        "boilerplate": result.boilerplate,
    }
    rows = [(name, str(result.n), *share(found)) for name, found in measures.items()]
    print_table(title, ["measure"], ["n", "value", "95% interval"], rows)
    if result.blank:
        typer.echo(f"left out, blank: {result.blank}")
    say_lines(f"in the answers to {one.prompts} prompts: {one.words}" for one in result.phrases)
