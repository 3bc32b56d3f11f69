"""The runs of all chosen experiments put together, so that what they share is made once and first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from solon.figures.tasks import ORDER, Arm, Place, Task, asking_task, stage_task, task_name

STARTING = 6.0
SECONDS = {
    "revisions": 25.0,
    "helpful": 4.0,
    "sl": 21.0,
    "pairs": 9.0,
    "comparisons": 4.0,
    "helpfulness": 8.0,
    "pm": 33.0,
    "rl": 115.0,
    "dpo": 45.0,
    "answers-base": 3.0,
    "answers-sl": 3.0,
    "answers-rl": 3.0,
    "answers-dpo": 3.0,
}
"""Of a stage at the full dose, on one core, and of starting a process. Measured, but for `dpo`; only the time left is
told by it."""
ASKING = 25.0


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What an experiment reads."""

    stages: Sequence[tuple[Arm, str]] = ()
    """Arms and the last of their stages that it reads, under every seed."""
    asked: Sequence[str] = ()
    """Models that are asked which answer is better, under every seed."""


def plan(needs: Iterable[Needs], place: Place, arms: Sequence[Arm]) -> list[Task]:
    """Every task once; a task stands behind those that it comes after. `arms`: all that there are."""
    known, wanted = {arm.name: arm for arm in arms}, dict[str, set[str]]()
    asked: dict[str, None] = {}
    for need in needs:
        asked |= dict.fromkeys(need.asked)
        for arm, stage in need.stages:
            _want(arm, stage, known, wanted)
    tasks = [task for arm in _parents_first(wanted, known) for task in _of_arm(arm, wanted[arm.name], place, known)]
    tasks += [asking_task(place, model, seed, cost=ASKING) for model in asked for seed in place.seeds]
    return tasks


def _want(arm: Arm, stage: str, known: dict[str, Arm], wanted: dict[str, set[str]]) -> None:
    wanted.setdefault(arm.name, set()).add(stage)
    if arm.shares:
        _want(known[arm.shares[0]], arm.shares[1], known, wanted)


def _parents_first(wanted: dict[str, set[str]], known: dict[str, Arm]) -> list[Arm]:
    def depth(arm: Arm) -> int:
        return 1 + depth(known[arm.shares[0]]) if arm.shares else 0

    return sorted((known[name] for name in wanted), key=depth)


def _of_arm(arm: Arm, stages: set[str], place: Place, known: dict[str, Arm]) -> Iterator[Task]:
    for seed in place.seeds:
        before = task_name(known[arm.shares[0]], seed, arm.shares[1]) if arm.shares else None
        since = arm.shares[1] if arm.shares else None
        for stage in sorted(stages, key=ORDER.__getitem__):
            after = [before] if before else []
            cost = STARTING + sum(_between(since, stage))
            task = stage_task(place, arm, seed, stage, after=after, cost=cost)
            yield task
            before, since = task.name, stage


def _between(since: str | None, stage: str) -> Iterator[float]:
    first = -1 if since is None else ORDER[since]
    dpo = stage.endswith("dpo")
    for name, seconds in SECONDS.items():
        other = name in ("pm", "rl", "answers-rl") if dpo else name.endswith("dpo")
        if first < ORDER[name] <= ORDER[stage] and not other:
            yield seconds
