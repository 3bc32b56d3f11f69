"""A run's model that is asked one more evaluation, as the run's stages ask."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from solon.artifacts.finished import FinishedStage
from solon.artifacts.run_folder import run_config
from solon.config.evaluations import PublishedSection
from solon.errors import RunError, Where
from solon.evals.kept import BASE, Evaluation, fingerprints, of_base
from solon.evals.tasks.apart import held_apart, warnings
from solon.evals.tasks.every import items_in
from solon.pipeline.actors import Actors
from solon.pipeline.asking_again import put
from solon.pipeline.evaluating import TAUGHT, asking, results
from solon.pipeline.sources import PromptSets
from solon.pipeline.stage import stage_of
from solon.progress import Reporter


def ask_model(run: Path, model: str, task: str, section: PublishedSection, reporter: Reporter) -> list[Evaluation]:
    """A result for each temperature. Raises `RunError` if the run has not finished the model, or began from another
    base, `PromptError` if the data cannot be read."""
    actors, stage = Actors(config=run_config(run), run=run), f"models/{model}"
    trained = None if model == "base" else FinishedStage.open(run, stage).path("model")
    (items, split), config = held_apart(items_in(task, section), taught(run)), actors.settled
    for told in warnings(split):
        reporter.note(told)
    actor = actors.actor("base", trained, lambda _rows, tokens: reporter.advance(0, tokens))
    of = made_from(run, [model], actors)
    rows = put(task, items, asking(actor, config.evaluation, config.seed), reporter, size=config.sampling.shard_rows)
    return results({model: rows.records}, of, {task: section.data or ""}, seed=config.seed)


def taught(run: Path) -> dict[str, str]:
    """What its training is made of, as far as it has finished the stages that say so."""
    stages = {file: FinishedStage.find(run, stage_of(file)) for file in TAUGHT}
    return PromptSets.read({file: stage for file, stage in stages.items() if stage}).taught()


def made_from(run: Path, models: Iterable[str], actors: Actors) -> dict[str, dict[str, str]]:
    """By model, what a result about it is of: the stage that made it, or the files of base. Raises `RunError` if the
    run was made from another base."""
    return {name: _base(run, actors) if name == BASE else fingerprints(run, f"models/{name}") for name in models}


def _base(run: Path, actors: Actors) -> dict[str, str]:
    now, then = {BASE: of_base(actors.fingerprints(BASE))}, fingerprints(run, BASE)
    if then and then != now:
        raise RunError(
            "base is not what the run was made from", where=Where(run), hint="put back what was there before"
        )
    return now
