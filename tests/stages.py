"""Stages of a run folder, without a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from solon.artifacts.finished import FinishedStage
from solon.artifacts.manifest import Header
from solon.artifacts.run_folder import RunFolder
from solon.artifacts.stage import StageFolder
from solon.config.run import RunConfig
from solon.pipeline.stage import Stage, stage_of
from solon.pipeline.stages import stages_of


def header(run: RunFolder, name: str, config: Any = None, inputs: Mapping[str, str] = MappingProxyType({})) -> Header:
    return Header(stage=name, seed=run.config.seed, config=config or {}, inputs=dict(inputs))


def begun(run: RunFolder, name: str) -> StageFolder:
    """A stage of nothing, begun or gone on with."""
    return StageFolder(run.path, header(run, name))


def finished(run: RunFolder, name: str) -> FinishedStage:
    return FinishedStage.open(run.path, name)


def in_run(stage: Stage, config: RunConfig) -> Stage:
    """The stage as it is in such a run: it reads no stages that the run does not have."""
    there = {own.name for own in stages_of(config)}
    return replace(stage, reads=tuple(read for read in stage.reads if stage_of(read) in there))
