"""`solon eval preference`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from solon.cli.eval import keeping, options
from solon.cli.eval.options import between, print_json, share
from solon.cli.opening import one_model
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings
from solon.data.examples import read_helpful
from solon.data.rows import fingerprints as file_fingerprints
from solon.errors import PromptError, Where
from solon.evals.kept import Evaluation, Metric, fingerprints
from solon.evals.preference import preference_quality
from solon.evals.tasks import spread


def preference(
    data: options.Data,
    model: Annotated[str, Option(metavar="DIR", help="A preference model, as a run keeps it in models/pm/model.")],
    limit: options.Limit = None,
    settings: Settings = None,
    run: keeping.Run = None,
    name: keeping.Name = None,
    replace: keeping.Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """Does a preference model prefer what people prefer?

    \b
      [bold]solon eval preference --data harmless-base-test.jsonl.gz --model runs/demo/models/pm/model[/bold]

    The file holds comparisons in any form that a run reads (`chosen` and `rejected`, or `a` and `b`). Accuracy is the
    share of pairs in which the better answer scores higher; a tie counts one half.
    """
    kept = keeping.Keeping(run=run, name=name, replace=replace, model=model, models=("pm",))
    folder = keeping.model_folder_of(run, model) if run is not None else Path(model)
    examples, reading = read_helpful(data)
    pairs = spread([one for one in examples if len(one.answers) == 2], limit)
    if not pairs:
        raise PromptError("no comparisons", where=Where(data), hint='rows need two answers: "chosen" and "rejected"')
    from solon.pipeline.actors import Actors
    from solon.pipeline.scored_pairs import scored_pairs

    config = one_model(str(folder), "local", settings or (), seed=0)
    scored, too_long = scored_pairs(folder, pairs, Actors(config=config))
    result = preference_quality(scored)
    if result is None:
        raise PromptError("every comparison is longer than what the model reads at once", where=Where(data))
    if as_json:
        print_json(result)
    else:
        rows = [("accuracy", str(result.label_n), *share(result.label_accuracy))]
        if found := result.calibration.get("labels"):
            ece = found.plain.ece
            rows.append(("calibration error", str(found.n), f"{ece.value:.3f}", between(ece.low, ece.high, _plain)))
        print_table(str(data), ["measure"], ["n", "value", "95% interval"], rows)
    for reason, count in (reading.left_out() + Counter({"too long": too_long})).items():
        typer.echo(f"left out, {reason}: {count}", err=True)
    if run is not None:
        right = result.label_accuracy
        if right is None:
            raise PromptError("no comparison has a better answer", where=Where(data))
        one = Evaluation(
            name="preference",
            model=model,
            metrics=(Metric(name="accuracy", value=right.rate, low=right.low, high=right.high, n=result.label_n),),
            unscored={"too long": too_long} if too_long else {},
            stages=fingerprints(run, f"models/{model}"),
            data=file_fingerprints(data)[""],
        )
        kept.keep([one])


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
