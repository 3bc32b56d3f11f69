"""In float32, how many rows are decoded or committed together changes next to nothing: rounding, and not the draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from pipeline.tiny_run import world_config
from solon.config import RunConfig
from solon.constitution.few_shots import FewShots
from solon.constitution.load import load_constitution
from solon.embedded.shipped import embedded_model
from solon.errors import ModelError
from solon.feedback.respond import respond
from solon.pipeline.actors import Actors
from solon.pipeline.generation import Judging, Policy, Supervision
from solon.pipeline.sources import WorldSource
from solon.records import Comparison, Record

LEAST_EQUAL = 0.99
COUNTS = ("prompts.harmful=70", "prompts.mixed=30", "prompts.benign=100", "prompts.evaluation=1", "supervised.rounds=1")
SHARDS = 25


def no_progress(rows: int, tokens: int) -> None:
    pass


def in_shards(items: Sequence[object], size: int, work: Callable[[Sequence[object]], Sequence[Record]]) -> list[Record]:
    return [row for first in range(0, len(items), size) for row in work(items[first : first + size])]


def generated(config: RunConfig, model: Path, *, shard_rows: int) -> dict[str, list[Record]]:
    """What each generation stage makes with one model, all from the same prompts; the judge sees the same pairs."""
    actors, source = Actors(config=config), WorldSource()
    sets = source.prompt_sets(config.prompts, config.seed)
    constitution = load_constitution("world")
    shots = FewShots()
    writing = Supervision(actors, shots, no_progress)
    policy = Policy(actors, model, source, no_progress)
    judging = Judging(actors, shots, sets.red_team, no_progress)
    critiques, comparisons = constitution.critique_principles(), constitution.comparison_principles()
    made: dict[str, list[Record]] = {}

    def stage(name: str, items: Sequence[object], work: Callable[[Sequence[object]], object]) -> None:
        made[name] = in_shards(items, shard_rows, lambda part: work(part).records)  # type: ignore[attr-defined]

    stage("revisions", sets.red_team, lambda part: writing.revisions(part, critiques))  # type: ignore[arg-type]
    stage("helpful", sets.helpful, writing.helpful)  # type: ignore[arg-type]
    stage("pairs", sets.red_team, policy.pairs)  # type: ignore[arg-type]
    stage("comparisons", made["pairs"], lambda part: judging.comparisons(part, comparisons))  # type: ignore[arg-type]
    stage("helpfulness", sets.helpful, lambda part: policy.helpfulness(part, sets))  # type: ignore[arg-type]
    return made


def equal(one: Record, two: Record) -> bool:
    """The same row; labels may differ by rounding."""
    if isinstance(one, Comparison) and isinstance(two, Comparison) and one.p_a_preferred is not None:
        if two.p_a_preferred is None or abs(one.p_a_preferred - two.p_a_preferred) > 1e-4:
            return False
        one, two = (row.model_copy(update={"p_a_preferred": 0.5}) for row in (one, two))
    return one == two


def assert_nearly_equal(one: Mapping[str, Sequence[Record]], two: Mapping[str, Sequence[Record]]) -> None:
    for stage, rows in one.items():
        others = {row.id: row for row in two[stage]}  # type: ignore[attr-defined]
        same = sum(row.id in others and equal(row, others[row.id]) for row in rows)  # type: ignore[attr-defined]
        assert len(rows) >= 100, stage
        assert same >= LEAST_EQUAL * max(len(rows), len(others)), f"{stage}: {len(rows) - same} rows differ"


@pytest.fixture(scope="module")
def reference(llama: Path) -> dict[str, list[Record]]:
    return generated(world_config(llama, *COUNTS, "sampling.batch_size=64"), llama, shard_rows=1000)


@pytest.mark.parametrize(("batch_size", "shard_rows"), [(1, SHARDS), (5, 1000), (64, SHARDS)])
def test_a_random_model(reference: dict[str, list[Record]], llama: Path, batch_size: int, shard_rows: int) -> None:
    config = world_config(llama, *COUNTS, f"sampling.batch_size={batch_size}")
    assert_nearly_equal(reference, generated(config, llama, shard_rows=shard_rows))


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
        prompts = WorldSource().prompt_sets(config.prompts, 0).red_team
        model = actors.language_model(folder, "base", no_progress)
        made = respond(prompts, model, config.sampling, seed=0, stage="respond")
        answers[batch_size] = {"answers": made.records}
    assert len({answer.text for answer in answers[64]["answers"]}) > 50
    assert_nearly_equal(answers[64], answers[1])
    assert_nearly_equal(answers[64], answers[5])
