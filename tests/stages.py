"""Stages of a run folder, without a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from solon.artifacts.finished import FinishedStage
from solon.artifacts.manifest import Header
from solon.artifacts.run_folder import RunFolder
from solon.artifacts.stage import StageFolder


def header(run: RunFolder, name: str, config: Any = None, inputs: Mapping[str, str] = MappingProxyType({})) -> Header:
    return Header(stage=name, seed=run.config.seed, config=config or {}, inputs=dict(inputs))


def begun(run: RunFolder, name: str) -> StageFolder:
    """A stage of nothing, begun or gone on with."""
    return StageFolder(run.path, header(run, name))


def finished(run: RunFolder, name: str) -> FinishedStage:
    return FinishedStage.open(run.path, name)
