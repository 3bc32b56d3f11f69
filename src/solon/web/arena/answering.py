"""The models behind a live arena: imported when somebody asks one, one computation at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Protocol

from solon.artifacts.finished import RUN, FinishedStage
from solon.artifacts.run_folder import run_config
from solon.config.evaluations import EVALUATED
from solon.errors import RunError
from solon.lm.batcher import run as run_now
from solon.lm.protocols import Sampling
from solon.prompting.context import dialogue
from solon.records import Turn
from solon.report.public.language import mark
from solon.web.troubles import Trouble

if TYPE_CHECKING:
    from solon.pipeline.actors import Actor

MOST_WAITING = 6
"""Who wait for a model at once; each takes one of the threads that answer (assumption: 40 of them)."""
MOST_KEPT = 2
"""Models in memory: those of a pair."""
HOW = ("max_new_tokens", "temperature", "top_k", "top_p", "min_p")


class Answering(Protocol):
    """What a live arena asks of models."""

    def models(self) -> Sequence[str]:
        """Those that can be asked, by name."""

    def answer(self, model: str, turns: Sequence[Turn], *, seed: int) -> str:
        """What it says next. Waits for others who ask. Raises `Trouble` if too many do, `EngineError` and `UserError`
        of the model."""


@dataclass
class RunModels:
    """The models of the runs in a folder, as `RUN:MODEL`, by the engine of their run; sampled as the run evaluates."""

    folder: Path | None
    _kept: OrderedDict[str, tuple[Actor, Sampling]] = field(default_factory=OrderedDict)
    _computing: Lock = field(default_factory=Lock)
    _waiting: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MOST_WAITING))

    def models(self) -> Sequence[str]:
        """See `Answering`."""
        if self.folder is None or not self.folder.is_dir():
            return ()
        runs = sorted(one for one in self.folder.iterdir() if (one / RUN).is_file())
        return [f"{run.name}:{model}" for run in runs for model in EVALUATED if _is_there(run, model)]

    def answer(self, model: str, turns: Sequence[Turn], *, seed: int) -> str:
        """See `Answering`."""
        if not self._waiting.acquire(blocking=False):
            raise Trouble(503, mark("Too many people wait for the models"), mark("Try again in a minute."))
        try:
            with self._computing:
                actor, sampling = self._actor(model)
                return run_now(actor.model.complete(dialogue(turns), sampling, seed=seed)).text
        finally:
            self._waiting.release()

    def _actor(self, name: str) -> tuple[Actor, Sampling]:
        """Opened when it is first asked for; the last few are kept."""
        found = self._kept.pop(name, None) or self._opened(name)
        self._kept[name] = found
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    def _opened(self, name: str) -> tuple[Actor, Sampling]:
        from solon.pipeline.actors import Actors

        run, _, model = name.rpartition(":")
        if self.folder is None or name not in self.models():
            raise RunError(f"there is no model {name}")
        actors = Actors(config=run_config(self.folder / run))
        trained = None if model == "base" else FinishedStage.open(self.folder / run, f"models/{model}").path("model")
        how = actors.settled.evaluation.model_dump(include=set(HOW))
        return actors.actor("base", trained, lambda *_: None), Sampling(**how)


def _is_there(run: Path, model: str) -> bool:
    return model == "base" or (run / "models" / model / "manifest.json").is_file()
