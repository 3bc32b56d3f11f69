"""`solon eval harness`: tasks of lm-evaluation-harness."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from solon.artifacts.run_folder import run_config
from solon.cli.eval import options
from solon.cli.eval.keeping import Replace, print_and_keep, print_found
from solon.cli.faults import say_note
from solon.cli.run_options import JsonInstead
from solon.errors import UserError


def harness(
    tasks: Annotated[list[str], Option("--task", metavar="TASK", help="As the harness calls it. Repeatable.")],
    model: Annotated[
        Path, Option(metavar="DIR", help="A run, all of whose models are asked; RUN/models/rl/model; or any model.")
    ],
    include: Annotated[
        Path | None, Option(metavar="DIR", exists=True, file_okay=False, help="A folder of tasks of your own (YAML).")
    ] = None,
    limit: Annotated[
        int | None, Option(min=1, metavar="N", help="At most N documents of each task, from all over it.")
    ] = None,
    shots: Annotated[
        int | None, Option("--fewshot", min=0, metavar="N", help="Examples. Default: as the task says.")
    ] = None,
    chat: Annotated[bool, Option("--chat", help="Ask by each model's chat template, as the harness does.")] = False,
    dtype: Annotated[str, Option(metavar="DTYPE", help="Of the arithmetic.")] = "float32",
    device: Annotated[str, Option(metavar="DEVICE", help="cpu, cuda, ...")] = "cpu",
    seed: options.Seed = 0,
    replace: Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """Any task of lm-evaluation-harness, on a run's models.

    \b
      [bold]solon eval harness --task hellaswag --task arc_easy --model runs/mine --limit 200[/bold]
      [bold]HF_HUB_OFFLINE=1 solon eval harness --task mine --include ./tasks --model runs/mine/models/rl/model[/bold]

    The harness asks the models by its own code (pip install 'solon\\[lm-eval]'). Its samples are compared item by item,
    and results of a run's models are kept in RUN/evaluations, where the run's report finds them. Tasks fetch their data
    from the Hugging Face Hub, unless they are there already, or name files of your own. A task of yours may run Python
    of yours.
    """
    from solon.pipeline.harness import (
        Way,
        ask_harness,
        harness_evaluations,
        models_of,
        no_numbers,
        overlaps,
        require_harness,
        tasks_of,
    )

    require_harness()
    from solon.pipeline.actors import Actors
    from solon.pipeline.asking_models import made_from

    run, models = models_of(model)
    way = Way(limit=limit, shots=shots, chat=chat, dtype=dtype, device=device, seed=seed)
    found = ask_harness(models, tasks, tasks_of(tasks, include), way)
    for said in no_numbers(found):
        say_note(f"left out, {said}")
    results = [one.model_copy(update={"settings": way.told}) for one in harness_evaluations(found, seed=seed)]
    if not results:
        raise UserError("the harness gave no figure", hint="see to the task's metric_list")
    if run is None:
        print_found(results, as_json=as_json)
        return
    for said in overlaps(run, next(iter(found.values()))):
        say_note(said)
    of = made_from(run, models, Actors(config=run_config(run), run=run))
    print_and_keep(run, [one.of(of) for one in results], replace=replace, as_json=as_json)
