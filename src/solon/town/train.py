"""The two models: runs that differ by their constitution alone, under every seed, and what is shared made once."""

from __future__ import annotations

from pathlib import Path

from solon.figures.plan import STARTING
from solon.figures.tasks import Arm, Place, Task, finished, stage_task
from solon.pipeline.stages import STAGES

FULL, QUICK = "town", "town-quick"
"""Run files."""
SEEDS = {FULL: 3, QUICK: 1}
STANDARD = Arm(name="standard", title="The standard constitution")
SHARED = "helpful"
"""The last stage that both runs take over one from the other; it does not read the constitution."""
LAST = STAGES[-1].name
_COST = {FULL: 110.0, QUICK: 60.0}
"""Seconds of one run on one core; for the time left alone."""


def public_arm(constitution: Path) -> Arm:
    """The model of the public."""
    return Arm(
        name="public",
        title="The public's constitution",
        settings=(f"constitution.path={constitution.absolute()}",),
        shares=(STANDARD.name, SHARED),
    )


def place_of(folder: Path, dose: str, seeds: int, model: str) -> Place:
    """The runs of a dose, a run file, have a folder of their own."""
    return Place(runs=folder / Path(dose).stem, dose=dose, seeds=tuple(range(seeds)), models=(model,), items=0)


def tasks(place: Place, public: Arm) -> list[Task]:
    """What is to be made or was made: of each seed what both runs share, then one run and the other."""
    found = []
    for seed in place.seeds:
        shared = stage_task(place, STANDARD, seed, SHARED, cost=STARTING)
        found += [shared, *(_run(place, arm, seed, shared.name) for arm in (STANDARD, public))]
    return found


def _run(place: Place, arm: Arm, seed: int, after: str) -> Task:
    return Task(
        name=f"{arm.name}-{seed}",
        arguments=("run", *place.arguments(arm, seed)),
        after=frozenset({after}),
        cost=_COST.get(place.dose, _COST[FULL]),
        done=finished(place, arm, seed, LAST) and (place.run(arm, seed) / "report.html").is_file(),
    )
