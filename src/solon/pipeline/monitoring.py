"""The monitor of a run: which prompts it asks, and the measure of their answers that the reward never used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from solon.artifacts.shards import shard_name
from solon.artifacts.stored import StoredRows
from solon.config.monitor import MonitorSection
from solon.errors import ConfigError, ModelError, Where
from solon.evals.grader import Grader, Response
from solon.feedback.judge import Judge
from solon.models.folder import fingerprints
from solon.pipeline.judging import judge_of
from solon.pipeline.rewards import Verdicts, of_another_run
from solon.pipeline.work import Work
from solon.records import MonitorAnswer, Pair, Prompt
from solon.train.monitor import Gold, Monitor
from solon.train.parallel import ALONE
from solon.train.preference import holdout_draw
from solon.train.rewards import OfAnswers
from solon.train.rollouts import Environment, PolicyPrompt, Sample

ANSWERS = "monitor"
"""What the files of its answers are called, one for each look."""
LIKELIEST = "likeliest"
"""And of those at temperature 0."""
Prompts = Mapping[str, Prompt]
"""By id."""


def split_prompts(
    prompts: Sequence[PolicyPrompt], section: MonitorSection | None, holdout: float, *, seed: int
) -> tuple[list[PolicyPrompt], list[PolicyPrompt]]:
    """(what RL asks, what the monitor asks): of the prompts that the preference model does not learn from, the first
    `section.prompts` in the order of that draw. Raises `ConfigError` if either has too few."""
    if section is None:
        return list(prompts), []
    draws = {one.id: holdout_draw(one.id, seed=seed) for one in prompts}
    chosen = sorted((name for name, draw in draws.items() if draw < holdout), key=draws.__getitem__)[: section.prompts]
    own = [one for one in prompts if one.id in set(chosen)]
    others = [one for one in prompts if one.id not in set(chosen)]
    if len(own) < 2 or not others:
        what = f"rl.monitor asks {len(own)} of {len(prompts)} prompts, RL the other {len(others)}"
        raise ConfigError(what, hint="change preference.holdout, or give more prompts")
    return others, own


def monitor_of(work: Work, environment: Environment, prompts: Prompts) -> Monitor | None:
    """The monitor that the run file asks for. `environment`: with the prompts that it asks."""
    section = work.config.rl.monitor
    if section is None:
        return None
    benign = frozenset(one.id for one in environment.prompts if prompts[one.id].kind == "benign")
    keep, keep_likeliest = (partial(work.folder.write_shard, name) for name in (ANSWERS, LIKELIEST))
    gold = _gold(work, prompts)
    return Monitor(
        section=section, environment=environment, benign=benign, gold=gold, keep=keep, keep_likeliest=keep_likeliest
    )


def _gold(work: Work, prompts: Prompts) -> Gold:
    section, truth = work.config.rl.monitor, work.given.truth
    if work.config.gold == "oracle" and truth:
        return by_truth(truth.grader, prompts)
    if work.config.gold == "model" and section:
        return by_model(work, Path(section.model))
    return (work.group or ALONE).by_first(lambda: by_judge(work, prompts))


def by_truth(grader: Grader, prompts: Prompts) -> Gold:
    """1 for a good answer (`GraderCard.good`), else 0."""

    def good(sample: Sample) -> float | None:
        prompt, answer = prompts[sample.prompt.id], sample.answer
        response = Response(
            task=ANSWERS, model="policy", prompt=prompt, text=answer.text, finished=not answer.truncated
        )
        found = grader.grade(response)
        return float(grader.card.good(found, prompt.kind)) if isinstance(found, Mapping) else None

    return lambda step, samples: [good(sample) for sample in samples]


def by_model(work: Work, folder: Path) -> Gold:
    """The scores of a preference model of another run. Raises `ModelError` if the reward uses it."""
    rewards = [Path(one.path) for one in work.config.rl.rewards.models.values() if one.weight]
    rewards += [work.model_of("pm")] if work.config.rl.rewards.preference else []
    if any(fingerprints(folder) == fingerprints(used) for used in rewards):
        what = "rl.monitor.model is a preference model that the reward uses, so the two could never part"
        raise ModelError(what, where=Where(folder), hint="give one of another run")
    score = OfAnswers(of_another_run(work, folder))
    return lambda step, samples: score(samples)


def monitoring_judge(work: Work) -> Judge:
    """Who compares the answers of two looks, by `monitor_principle`."""
    return judge_of(work.given, work.actor("judge"), ANSWERS, orders="both", clamp=None)


def by_judge(work: Work, prompts: Prompts) -> Gold:
    """The probability that an answer is better than the starting policy's from the same seed; 0.5 for the same text.
    Raises `UnscoredError` if more verdicts than the run file allows could not be read."""
    actor, heard = work.actor("judge"), Verdicts(work, "comparisons by the monitor")
    work.engines["judge"] = actor.model.identity
    judge = monitoring_judge(work)
    principle, first = work.given.monitor_principle, work.folder.path(shard_name(ANSWERS, 0))

    def gold(step: int, samples: Sequence[Sample]) -> list[float | None]:
        before = {row.id: row.text for row in StoredRows([first], MonitorAnswer)} if step else {}
        pairs = [
            Pair(id=f"{one.id}-{step}", prompt_id=one.prompt.id, a=one.answer.text, b=before.get(one.id, ""))
            for one in samples
        ]
        asked = [pair for pair in pairs if step and pair.a != pair.b]
        rows = judge.compare(asked, prompts, principle)
        heard(rows)
        known = {row.id: row.p_a_preferred for row in rows.records}
        differing = {pair.id for pair in asked}
        return [known.get(pair.id) if pair.id in differing else 0.5 for pair in pairs]

    return gold
