"""In float32, how many rows are decoded or committed together changes next to nothing: rounding, and neither draws nor
order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pipeline.tiny_run import Told, Trained, world_config
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.config.run import RunConfig
from solon.errors import ModelError
from solon.feedback.answers import respond
from solon.models.where import embedded_model
from solon.pipeline.actors import Actors
from solon.pipeline.run import Pipeline
from solon.pipeline.sources import prompt_sets
from solon.pipeline.stage import Stage
from solon.pipeline.stages import comparisons, helpful, helpfulness, pairs, prompts, revisions
from solon.records import Answer, Comparison, Pair, Record, Revision
from stages import begun, finished, in_run

LEAST_EQUAL = 0.99
ROWS, SHARDS = 50, 12
COUNTS = ("prompts.harmful=35", "prompts.mixed=15", "prompts.benign=50", "prompts.evaluation=1", "supervised.rounds=1")
"""So many rows of every stage."""
GENERATION: dict[Stage, type[Record]] = {
    revisions: Revision,
    helpful: Answer,
    pairs: Pair,
    comparisons: Comparison,
    helpfulness: Comparison,
}


def generated(config: RunConfig, model: Path, folder: Path) -> dict[str, list[Record]]:
    """What each generation stage makes with one model, all from the same prompts; the judge sees the same pairs."""
    made: dict[str, list[Record]] = {}
    with RunFolder.create(folder, config) as run:
        pipeline = Pipeline(run, Told(), OtherRuns())
        pipeline.do(prompts)
        pipeline.done["sl"] = Trained.at(model)
        for stage, record in GENERATION.items():
            folder = begun(run, stage.folder)
            stage.body(pipeline.work(in_run(stage, config), folder))
            folder.finish()
            pipeline.done[stage.name] = finished(run, stage.folder)
            made[stage.name] = list(pipeline.done[stage.name].rows("rows", record))
    return made


def equal(one: Record, two: Record) -> bool:
    """The same row; labels may differ by rounding."""
    if isinstance(one, Comparison) and isinstance(two, Comparison) and one.p_a_preferred is not None:
        if two.p_a_preferred is None or abs(one.p_a_preferred - two.p_a_preferred) > 1e-4:
            return False
        one, two = (row.model_copy(update={"p_a_preferred": 0.5}) for row in (one, two))
    return one == two


def assert_nearly_equal(one: Mapping[str, Sequence[Record]], two: Mapping[str, Sequence[Record]]) -> None:
    for stage in one:
        rows, others = ({row.id: row for row in made[stage]} for made in (one, two))  # type: ignore[attr-defined]
        both = [id for id in rows if id in others]
        assert both == [id for id in others if id in rows], f"{stage}: another order"
        assert len(rows) >= ROWS, stage
        differing = len(rows) - sum(equal(rows[id], others[id]) for id in both)
        assert differing <= (1 - LEAST_EQUAL) * max(len(rows), len(others)), f"{stage}: {differing} rows differ"


@pytest.fixture(scope="module")
def reference(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Record]]:
    config = world_config(llama, *COUNTS, "sampling.batch_size=64", "sampling.shard_rows=1000")
    return generated(config, llama, tmp_path_factory.mktemp("reference"))


@pytest.mark.parametrize(("batch_size", "shard_rows"), [(1, 1000), (5, SHARDS)])
def test_a_random_model(
    reference: dict[str, list[Record]], llama: Path, batch_size: int, shard_rows: int, tmp_path: Path
) -> None:
    config = world_config(llama, *COUNTS, f"sampling.batch_size={batch_size}", f"sampling.shard_rows={shard_rows}")
    assert_nearly_equal(reference, generated(config, llama, tmp_path))


def test_the_embedded_model() -> None:
    """It writes sentences, whose probabilities are sharper than babble's."""
    try:
        folder = embedded_model()
    except ModelError:
        pytest.skip("the embedded model's weights are not built yet")
    answers = {}
    for batch_size in (1, 5, 64):
        config = world_config(folder, *COUNTS, f"sampling.batch_size={batch_size}", "sampling.max_new_tokens=24")
        actors = Actors(config=config)
        prompts = prompt_sets(config.prompts, 0).red_team
        sampler = actors.actor("base", None, lambda rows, tokens: None).sampler(
            "respond", actors.settled.sampling.answers
        )
        made = respond(prompts, sampler)
        answers[batch_size] = {"answers": made.records}
    assert len({answer.text for answer in answers[64]["answers"]}) > ROWS // 2
    assert_nearly_equal(answers[64], answers[1])
    assert_nearly_equal(answers[64], answers[5])
