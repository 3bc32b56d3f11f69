"""`solon eval gsm8k`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from solon.cli.eval import keeping, options
from solon.cli.eval.options import one_of, opened, print_json, say_lost, share
from solon.cli.opening import Engine
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings
from solon.config.evaluations import AnswersSection
from solon.errors import UserError
from solon.evals.published.gsm8k import Gsm8k, answered, read_problems, score_file, summed
from solon.evals.tasks import spread
from solon.evals.tasks.answers import answer_outcome


def gsm8k(
    context: typer.Context,
    completions: Annotated[
        Path | None, Option(metavar="FILE", help="Rows with `question`, `ground_truth` and `completion`.")
    ] = None,
    data: Annotated[
        Path | None, Option(metavar="FILE", help="With --model: rows with `question` and `answer`, as published.")
    ] = None,
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
    """GSM8K: is the number that it ends with the right one?

    \b
      [bold]solon eval gsm8k --completions answers.jsonl[/bold]
      [bold]solon eval gsm8k --data test.jsonl --model ./my-model --limit 200[/bold]

    The number is the one behind the last ####, else in \\boxed{}, else behind `answer is`, else the last of the text.
    18, 18.00, $18 and 36/2 are equal. An answer without a number is wrong, and counted.
    """
    of_model = ("data", "engine", "temperature", "limit", "seed", "settings")
    kept = keeping.Keeping(run=run, name=name, replace=replace, model=model)
    one_of(context, completions, model, "--completions", of_model)
    if kept.of_run:
        section = AnswersSection(data=data and str(data), limit=limit, temperatures=(temperature,))
        kept.ask(context, "gsm8k", section, as_json=as_json)
        return
    if completions is not None:
        result = score_file(completions)
    else:
        if data is None:
            raise UserError("--model needs the problems", hint="--data test.jsonl")
        problems = spread(read_problems(data), limit)
        given = opened(model or "", engine, settings, seed=seed, temperature=temperature)
        answers = given.answering([question for question, _ in problems], "gsm8k")
        say_lost(answers)
        both = enumerate(zip(answers.texts, problems, strict=True), start=1)
        rows = [answered(text, truth, str(number)) for number, (text, (_, truth)) in both if text is not None]
        result = summed(rows, answers.lost, answers.unfinished)
    if as_json:
        print_json(result)
    else:
        _print(str(completions or data), result)
    kept.keep_answers("gsm8k", [answer_outcome(str(place), row) for place, row in enumerate(result.rows)], completions)


def _print(title: str, result: Gsm8k) -> None:
    print_table(
        title,
        ["measure"],
        ["n", "value", "95% interval"],
        [
            ("correct", str(result.n), *share(result.accuracy)),
            ("without a number", str(result.n), str(result.unparsed), ""),
        ],
    )
