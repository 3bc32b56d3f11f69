"""The one place where a site holds models: loaded when somebody asks, and the last few kept.

Nothing here imports torch before somebody asks a model; then the thread that computes does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from solon.artifacts.finished import RUN, FinishedStage
from solon.pipeline.talking import Talker, talkers
from solon.web.kept import Kept
from solon.web.line import Line
from solon.web.runs import stamp_of

T = TypeVar("T")


@dataclass(frozen=True)
class ModelName:
    """A model of a run, such as its `sl`."""

    run: Path
    name: str

    @property
    def version(self) -> object:
        """Other weights have another, and so has another run in the same folder."""
        stage = None if self.name == "base" else FinishedStage.find(self.run, f"models/{self.name}")
        return stamp_of([self.run / RUN]), stage and stage.manifest.fingerprint


@dataclass
class Modelling:
    """The models of a site, and the line before them."""

    line: Line = field(default_factory=Line)
    _kept: Kept = field(default_factory=Kept)

    def kept(self, key: Hashable, version: object, make: Callable[[], T]) -> T:
        """What was made of this version of it, if it is among the last few; else it is made, and what was made of
        another goes. For the thread that computes."""
        return self._kept.once("models", key, make, version=version)

    def talker(self, model: ModelName) -> Talker:
        """For the thread that computes. Raises `RunError` if there is no such model."""
        return self.kept(model, model.version, lambda: talkers(model.run, [model.name])[model.name])
