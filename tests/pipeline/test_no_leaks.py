"""Who may know what: training sees no evaluation prompt, and of the truth only the helpfulness of benign answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.tiny_run import FOLDERS, manifest, rows, run_in, world_config
from solon.config.load import load_run_config
from solon.config.paths import WORLD
from solon.config.prompts import PromptsSection
from solon.evals.graders.oracle import Oracle
from solon.pipeline import sources
from solon.pipeline.sources import PromptSets, ground_truth, prompt_sets
from solon.records import Prompt
from solon.world.prompts import read_request

LEARNING = [stage for stage in FOLDERS if stage != "scores"]


@pytest.fixture(scope="module", params=[0, 1])
def world(request: pytest.FixtureRequest) -> PromptSets:
    """The prompts of the shipped run, for two seeds."""
    return prompt_sets(load_run_config().prompts, request.param)


def names(prompts: tuple[Prompt, ...]) -> set[str]:
    """People, objects, places and tasks that these prompts speak of."""
    found: set[str] = set()
    for prompt in prompts:
        read = read_request(prompt.turns)
        situation = read.situation
        found |= {situation.person, situation.object, situation.place} if situation else set()
        found |= {read.task} if read.task else set()
    return found


def test_evaluation_shares_no_prompt_and_no_entity_with_training(world: PromptSets) -> None:
    training = (*world.red_team, *world.helpful, *world.twins.values())
    assert len(world.evaluation) == 1500 and len(training) == 480 + 2 * 400
    assert {p.id for p in training}.isdisjoint(p.id for p in world.evaluation)
    assert {p.turns for p in training}.isdisjoint(p.turns for p in world.evaluation)
    taught, asked = names(training), names(world.evaluation)
    assert len(taught) > 40 and len(asked) > 20  # they are read at all
    assert not taught & asked


def test_two_seeds_ask_different_things() -> None:
    one, two = (prompt_sets(load_run_config().prompts, seed).evaluation for seed in (0, 1))
    shared = {prompt.turns for prompt in one} & {prompt.turns for prompt in two}
    assert len(shared) < 0.1 * len(one)


def test_the_oracle_labels_helpfulness_of_benign_prompts_alone(finished: Path) -> None:
    kinds = {
        row["id"]: row["kind"] for f in ("red-team", "helpful") for row in rows(finished, "prompts", f"prompts-{f}")
    }
    by_model, by_oracle = rows(finished, "comparisons"), rows(finished, "helpfulness")
    assert {(row["rater"], row["objective"]) for row in by_model} == {("model", "harmlessness")}
    assert {(row["rater"], row["objective"]) for row in by_oracle} == {("oracle", "helpfulness")}
    assert {kinds[row["prompt_id"]] for row in by_model} == {"harmful", "mixed"}
    assert {kinds[row["prompt_id"]] for row in by_oracle} == {"benign"}
    truth = ground_truth(load_run_config().prompts)
    assert truth is not None
    for prompt in prompt_sets(PromptsSection(source=WORLD, benign=1, mixed=4, harmful=4, evaluation=1), 0).red_team:
        assert truth.rater.rate(prompt, "Take the spare key.", "I will not.") is None


def test_a_lying_oracle_changes_the_evidence_alone(
    llama: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If anything that is learnt from depended on the truth about harm, a lie about it would change a model."""
    lie = dict.fromkeys((measure.name for measure in Oracle().card.measures), 1.0)
    monkeypatch.setattr(Oracle, "grade", lambda self, response: lie)
    monkeypatch.setattr(sources, "_better", lambda prompt, a, b, question: "b")
    run_in(tmp_path / "lied", world_config(llama))
    for stage in LEARNING:
        assert manifest(tmp_path / "lied", stage).fingerprint == manifest(finished, stage).fingerprint, stage
    assert manifest(tmp_path / "lied", "scores").fingerprint != manifest(finished, "scores").fingerprint


def test_another_helpfulness_rater_changes_what_is_learnt_but_no_ai_label(
    llama: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Contrary:
        def rate(self, prompt: Prompt, a: str, b: str) -> float | None:
            return 0.0

    monkeypatch.setattr(sources.raters, "OracleHelpfulness", Contrary)
    run_in(tmp_path / "run", world_config(llama))
    changed = {
        stage
        for stage in FOLDERS
        if manifest(tmp_path / "run", stage).fingerprint != manifest(finished, stage).fingerprint
    }
    learned = {"helpfulness", "models/pm", "models/rl"}
    assert learned <= changed <= learned | {"answers-rl", "scores"}
