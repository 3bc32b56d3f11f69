"""A run's model that is asked one more evaluation, as the run's stages ask."""

from __future__ import annotations

from pathlib import Path

from solon.artifacts.finished import FinishedStage
from solon.artifacts.run_folder import run_config
from solon.config.evaluations import PublishedSection
from solon.evals.kept import Evaluation, fingerprints
from solon.evals.tasks.every import items_in
from solon.pipeline.actors import Actors
from solon.pipeline.asking_again import put
from solon.pipeline.evaluating import asking, results
from solon.progress import Reporter


def ask_model(run: Path, model: str, task: str, section: PublishedSection, reporter: Reporter) -> list[Evaluation]:
    """A result for each temperature. Raises `RunError` if the run has not finished the model, `PromptError` if the data
    cannot be read."""
    actors, stage = Actors(config=run_config(run), run=run), f"models/{model}"
    trained = None if model == "base" else FinishedStage.open(run, stage).path("model")
    items, config = items_in(task, section), actors.settled
    actor = actors.actor("base", trained, lambda _rows, tokens: reporter.advance(0, tokens))
    rows = put(task, items, asking(actor, config.evaluation, config.seed), reporter, size=config.sampling.shard_rows)
    of = {} if trained is None else fingerprints(run, stage)
    return results({model: rows.records}, {model: of}, {task: section.data or ""}, seed=config.seed)
