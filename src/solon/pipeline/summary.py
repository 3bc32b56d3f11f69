"""`summary.json`: what a finished run achieved, read from its stages.

It tells how long they took and so is no stage itself: the data of equal stages are equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from solon.artifacts.atomic import write_atomic
from solon.artifacts.finished import FinishedStage
from solon.config.run import RunConfig
from solon.evals.checks import Check
from solon.evals.estimates import Evidence
from solon.evals.labels import Labels
from solon.evals.preference import PreferenceQuality
from solon.evals.quality import text_quality
from solon.evals.rollouts import rl_curve
from solon.evals.stopping import Monitoring, ending_of
from solon.evals.summary import NO_TRUTH, Summary, summary_json
from solon.pipeline.inputs import RunInputs
from solon.pipeline.sources import HELPFUL, RED_TEAM, SCENARIOS, PromptSets
from solon.pipeline.stage import stage_of
from solon.records import Rollout


def write_summary(run: Path, given: RunInputs, done: Mapping[str, FinishedStage]) -> Summary:
    """Writes the file into the run's folder. `done`: every stage, by name."""
    config, truth, scores = given.config, given.truth, done["scores"]
    asked = {file: done[name] for file in (RED_TEAM, HELPFUL, SCENARIOS) if (name := stage_of(file)) in done}
    trained = PromptSets.read(asked).by_id()
    kinds = {name: prompt.kind for name, prompt in trained.items()}
    evidence = Evidence.model_validate_json(scores.path("evidence.json").read_bytes())
    preference = scores.path("preference.json")
    rollouts = [*done["rl"].rows("rollouts", Rollout)] if "rl" in done else []
    summary = Summary(
        name=config.name,
        seed=config.seed,
        pipeline_seconds=round(sum(stage.manifest.timing.seconds for stage in done.values()), 3),
        grader=truth.name if truth else None,
        ungraded=None if truth else NO_TRUTH,
        **dict(evidence),
        labels=Labels.model_validate_json(scores.path("labels.json").read_bytes()),
        preference_model=PreferenceQuality.model_validate_json(preference.read_bytes())
        if preference.exists()
        else None,
        texts=tuple(one for name in done for one in text_quality(name, done[name].manifest.counts.other)),
        rl=rl_curve(rollouts, kinds, kl_coefficient=config.rl.kl_coefficient),
        monitor=_monitoring(config, done),
    )
    write_atomic(run / "summary.json", summary_json(summary).encode())
    return summary


def _monitoring(config: RunConfig, done: Mapping[str, FinishedStage]) -> Monitoring | None:
    checks = tuple(done["rl"].rows("checks", Check)) if config.gold else ()
    ending = ending_of(checks, config.rl)
    return Monitoring(gold=config.gold, checks=checks, ending=ending) if config.gold and ending else None
