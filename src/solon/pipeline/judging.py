"""The judge of a stage, as the run file says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from solon.artifacts.manifest import Manifest
from solon.config.run import RunConfig
from solon.evals.labels import Scaling
from solon.feedback.judge import Judge
from solon.feedback.whole_document import DocumentJudge
from solon.pipeline.inputs import RunInputs
from solon.prompting.comparison import comparison_format

if TYPE_CHECKING:
    from solon.pipeline.actors import Actor


def judge_of(given: RunInputs, actor: Actor, stage: str, **section: object) -> Judge:
    """The judge of a stage. `section`: keys of `judge` that are not as in the run file. What `judge.conflicts` says
    holds for the labels of the run alone: all others are asked to judge every pair that they are given."""
    judge: Callable[..., Judge] = Judge
    if given.config.constitution.whole:
        judge = partial(
            DocumentJudge,
            document=given.constitution,
            most_tokens=given.config.constitution.whole_tokens,
            render=actor.format.render,
            count_tokens=actor.count_tokens,
        )
    return judge(
        sampler=actor.sampler(stage, given.config.sampling.reasoning),
        format=comparison_format(actor.format, given.config.judge.wording),
        principles=given.comparison_principles,
        section=given.config.judge.model_copy(update={"conflicts": False} | section),
        shots=given.few_shots,
    )


def referee_of(given: RunInputs, actor: Actor) -> Judge:
    """The judge of games: it looks in both orders, and at every game."""
    return judge_of(given, actor, "games", orders="both", conflicts=False)


def scaling_of(comparisons: Manifest) -> Scaling:
    """What the stage made of its judge's probabilities."""
    section = comparisons.config.get("judge") if isinstance(comparisons.config, dict) else None
    found = section if isinstance(section, dict) else {}
    return Scaling.model_validate({key: found[key] for key in Scaling.model_fields if key in found})


JUDGING = ("judge", "sampling.reasoning")
"""Keys that a stage with a judge depends on."""


def unused_by_judge(config: RunConfig) -> tuple[str, ...]:
    """Of these, what its method makes idle."""
    return () if config.judge.method == "cot" else ("sampling.reasoning",)
