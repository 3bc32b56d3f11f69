"""What has to be made before figures can be drawn: stages of runs, and questions to models, each by one command.

A run of the set is an *arm* under one seed. Arms that begin alike share their first stages: a run takes over what
another one in the same folder has finished (`artifacts.reuse`), so the task that makes the shared stages comes first.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from solon.artifacts.finished import FinishedStage
from solon.artifacts.hashes import sha256_file
from solon.artifacts.run_folder import run_config
from solon.config.load import load_run_config
from solon.config.run import RunConfig
from solon.embedded.card import WEIGHTS, count_parameters
from solon.errors import RunError
from solon.models.where import model_folder
from solon.pipeline.stages import STAGES

ORDER = {stage.name: place for place, stage in enumerate(STAGES)}
FOLDERS = {stage.name: stage.folder for stage in STAGES}


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A way to train, or a part of it."""

    name: str
    """Of its run folders, before the seed."""
    title: str
    """In pictures."""
    settings: tuple[str, ...] = ()
    """What is not as in the run file of the dose."""
    shares: tuple[str, str] | None = None
    """An arm and its last stage that this one has too; None: nothing."""
    model: str | None = None
    """None: the largest of the set."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a set is made, and of what."""

    runs: Path
    dose: str
    """The run file that every run begins from."""
    seeds: tuple[int, ...]
    models: tuple[str, ...]
    """Largest first; names or folders."""
    items: int
    """Comparisons that each model is asked about, under each seed."""

    def run(self, arm: Arm, seed: int) -> Path:
        """The folder of a run."""
        return self.runs / f"{arm.name}-{seed}"

    def arguments(self, arm: Arm, seed: int) -> list[str]:
        """What the run's commands say about it."""
        changed = [part for text in arm.settings for part in ("--set", text)]
        own = ("--seed", str(seed), "--model", arm.model or self.models[0])
        return [self.dose, "-o", str(self.run(arm, seed)), *own, *changed]

    def config(self, arm: Arm, seed: int) -> RunConfig:
        """The resolved run file."""
        flags = {"seed": seed, "models.assistant": arm.model or self.models[0]}
        return load_run_config(self.dose, arm.settings, flags)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One command, which makes something or finds it made."""

    name: str
    arguments: tuple[str, ...]
    """Of `solon`."""
    after: frozenset[str] = frozenset()
    """Names of the tasks that come first."""
    cost: float = 1.0
    """How long it takes beside others; for the time left alone."""
    done: bool = False
    """Whether it was made before."""

    @property
    def command(self) -> str:
        """As it is typed."""
        return shlex.join(["solon", *self.arguments])


def stage_task(place: Place, arm: Arm, seed: int, stage: str, *, after: Iterable[str] = (), cost: float) -> Task:
    """A run up to a stage."""
    return Task(
        name=task_name(arm, seed, stage),
        arguments=("stage", stage, *place.arguments(arm, seed)),
        after=frozenset(after),
        cost=cost,
        done=finished(place, arm, seed, stage),
    )


def task_name(arm: Arm, seed: int, stage: str) -> str:
    return f"{arm.name}-{seed} up to {stage}"


def finished(place: Place, arm: Arm, seed: int, stage: str) -> bool:
    """Whether the stage is there, of a run with these settings and this model. Another one is left to the command,
    which refuses it."""
    run = place.run(arm, seed)
    try:
        found = FinishedStage.find(run, FOLDERS[stage])
        if found is None or run_config(run) != place.config(arm, seed):
            return False
        asked = FinishedStage.find(run, "revisions")
    except RunError:
        return False
    return asked is None or weights(arm.model or place.models[0]) in asked.manifest.inputs.values()


def parameters(model: str) -> int:
    """How many a model has."""
    return count_parameters(model_folder(model) / WEIGHTS)


def weights(model: str) -> str:
    """sha256 of a model's weights."""
    return sha256_file(model_folder(model) / WEIGHTS)


def asked_file(place: Place, model: str, seed: int) -> Path:
    """Where a model's verdicts are kept: a place for each of its weights and number of questions."""
    return place.runs / f"verdicts-{Path(model).name}-{weights(model)[:8]}-{place.items}-{seed}.jsonl"


def asking_task(place: Place, model: str, seed: int, *, cost: float) -> Task:
    """A model is asked which of two answers is better."""
    path = asked_file(place, model, seed)
    options = ("--items", str(place.items), "--seed", str(seed), "-o", str(path))
    return Task(
        name=f"verdicts of {Path(model).name} under seed {seed}",
        arguments=("embedded", "verdicts", model, *options),
        cost=cost,
        done=path.is_file(),
    )
