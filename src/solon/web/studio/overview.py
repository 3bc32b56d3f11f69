"""How far a run is, and what it achieved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from solon.artifacts.finished import FinishedStage
from solon.artifacts.live import ProgressRecord, read_progress
from solon.artifacts.lock import is_held
from solon.artifacts.manifest import PARTIAL, Manifest
from solon.artifacts.run_folder import run_config
from solon.config.run import RunConfig
from solon.evals.statistics import Rate
from solon.evals.summary import Summary, read_summary
from solon.pipeline.stage import Stage
from solon.pipeline.stages import stages_of
from solon.report.wording import HEADLINES, rates
from solon.web.runs import SUMMARY, Run
from solon.web.troubles import not_found
from solon.web.visit import Visit

State = Literal["running", "finished", "failed", "stopped", "killed"]
LAST = "scores"
"""The stage that the summary of a finished run is made from."""


def runs_of(visit: Visit) -> list[Run]:
    """The newest first. Raises `Trouble` where the site has no folder of runs."""
    if visit.site.runs.folder is None:
        raise not_found()
    return visit.site.runs.newest()


@dataclass(frozen=True, kw_only=True)
class StageSeen:
    """One stage of a run, and how far it is."""

    stage: Stage
    manifest: Manifest | None
    """Of a finished one."""
    begun: bool
    progress: ProgressRecord | None
    """Of the one that was worked on last, if it is not finished."""

    @property
    def folder(self) -> str:
        return self.stage.folder


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A run as the list shows it."""

    run: Run
    state: State
    config: RunConfig
    stages: tuple[StageSeen, ...]
    progress: ProgressRecord | None
    summary: Summary | None

    @property
    def reached(self) -> StageSeen | None:
        """The last stage that is begun or finished."""
        return next((one for one in reversed(self.stages) if one.begun or one.manifest), None)

    @property
    def constitution(self) -> str:
        """A shipped one by its name, another by that of its file."""
        return Path(str(self.config.constitution.path)).name

    @property
    def headlines(self) -> list[dict[str, Rate | None]]:
        """For each of the rates that reports open with, by model; empty where none was measured."""
        if self.summary is None:
            return [{} for _ in HEADLINES]
        return [rates(kind, measure, self.summary) for kind, measure, _ in HEADLINES]


def overview(run: Run) -> Overview:
    """Raises `UserError` or `OSError` if the run cannot be read."""
    config = run_config(run.path)
    progress = read_progress(run.path)
    stages = tuple(_seen(run.path, stage, progress) for stage in stages_of(config))
    summary = read_summary(run.path / SUMMARY) if (run.path / SUMMARY).is_file() else None
    graded = any(one.manifest for one in stages if one.folder == LAST)
    return Overview(
        run=run,
        state=_state(run.path, progress, done=summary is not None and graded),
        config=config,
        stages=stages,
        progress=progress,
        summary=summary,
    )


def _seen(run: Path, stage: Stage, progress: ProgressRecord | None) -> StageSeen:
    found = FinishedStage.find(run, stage.folder)
    own = progress if progress and progress.stage == stage.folder and not found else None
    begun = (run / stage.folder / PARTIAL).is_dir()
    return StageSeen(stage=stage, manifest=found.manifest if found else None, begun=begun, progress=own)


def _state(run: Path, progress: ProgressRecord | None, *, done: bool) -> State:
    """A run that says nothing of its end and that nobody works on was killed; one that says nothing at all, stopped."""
    if is_held(run):
        return "running"
    if done:
        return "finished"
    if progress and progress.ended is None:
        return "killed"
    return "failed" if progress and progress.ended == "failed" else "stopped"
