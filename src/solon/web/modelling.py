"""The one place where a site holds models: loaded when somebody asks, and the last few kept.

Nothing here imports torch before somebody asks a model; then the thread that computes does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from solon.artifacts.finished import FinishedStage
from solon.pipeline.talking import Talker, talkers
from solon.records import Turn
from solon.web.line import Line

T = TypeVar("T")
MOST_KEPT = 3
"""Models in memory. As many as stand side by side: with fewer, each question would load every one of them anew."""


@dataclass(frozen=True)
class ModelName:
    """A model of a run, such as its `sl`."""

    run: Path
    name: str

    @property
    def key(self) -> Hashable:
        """Other weights have another."""
        stage = None if self.name == "base" else FinishedStage.find(self.run, f"models/{self.name}")
        return self.run, self.name, stage and stage.manifest.fingerprint


@dataclass
class Modelling:
    """The models of a site, and the line before them."""

    line: Line = field(default_factory=Line)
    _kept: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for this key, if it is among the last few; else it is made. For the thread that computes."""
        if key not in self._kept:
            while len(self._kept) >= MOST_KEPT:
                self._kept.popitem(last=False)
            self._kept[key] = make()
        self._kept.move_to_end(key)
        found: T = self._kept[key]
        return found

    def talker(self, model: ModelName) -> Talker:
        """For the thread that computes. Raises `RunError` if there is no such model."""
        return self.kept(model.key, lambda: talkers(model.run, [model.name])[model.name])

    def answer(
        self, model: ModelName, turns: Sequence[Turn], *, seed: int, temperature: float | None = None
    ) -> Iterator[str]:
        """Its answer, piece by piece, when it is its turn. Raises `Trouble` if the line is too long; `EngineError` and
        `UserError` of the model."""

        def work(tell: Callable[[str], None]) -> None:
            talker = self.talker(model)
            talker.answer(turns, seed=seed, temperature=temperature, tell=tell)

        asked = self.line.join(work)
        yield from (told for told in asked.events() if isinstance(told, str))
        asked.result()
