"""Talking to models: those of a run, or any other. Loaded when they are first asked something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from solon.artifacts.finished import FinishedStage, require_run
from solon.artifacts.run_folder import run_config
from solon.config.paths import EMBEDDED_MODELS
from solon.config.run import RunConfig
from solon.config.sampling import SamplingOverrides
from solon.lm.batcher import run as run_rows
from solon.lm.protocols import Completion, Sampling, Tell
from solon.lm.streaming import streamed
from solon.pipeline.settle import KEYS
from solon.prompting.context import dialogue
from solon.records import Turn
from solon.seeds import derive_seed
from solon.world.prompts import world_prompts

if TYPE_CHECKING:
    from solon.pipeline.actors import Actor, Actors

TITLES = {"base": "Base", "sl": "SL-CAI", "rl": "RL-CAI", "dpo": "DPO-CAI"}
"""The models of a run, by the names of their stages, in the order in which a run makes them."""


@dataclass(frozen=True, kw_only=True)
class Talker:
    """A model that answers, and how it is sampled unless somebody says otherwise."""

    name: str
    actor: Actor
    sampling: SamplingOverrides
    """Leaves nothing open."""

    @property
    def temperature(self) -> float:
        """At which it is sampled unless somebody says otherwise."""
        assert self.sampling.temperature is not None
        return self.sampling.temperature

    def answer(self, turns: Sequence[Turn], *, seed: int, temperature: float | None = None, tell: Tell) -> Completion:
        """The reply to a dialogue that ends with the human; `tell` is given its pieces. The same seed gives the same
        reply to the same dialogue. Raises `EngineError`, and whatever `tell` raises."""
        own = {} if temperature is None else {"temperature": temperature}
        sampling = Sampling(**self.sampling.model_dump(include=set(KEYS)) | own)
        turn = derive_seed(seed, "chat", len(turns))
        return run_rows(streamed(self.actor.model, dialogue(turns), sampling, seed=turn, tell=tell))

    @property
    def identity(self) -> str:
        """Which model it is, by what it is made of."""
        return self.actor.model.identity


def models_of(run: Path) -> tuple[str, ...]:
    """The models that a run has made so far, by name. Raises `RunError` if there is no run."""
    require_run(run)
    return tuple(name for name in TITLES if name == "base" or FinishedStage.exists(run, f"models/{name}"))


def talkers(run: Path, names: Sequence[str]) -> Mapping[str, Talker]:
    """The models of a run, written to and sampled as the run evaluates them. Raises `RunError` of one that is not
    finished."""
    from solon.pipeline.actors import Actors

    actors = Actors(config=run_config(run))
    return {name: _of_run(run, name, actors) for name in names}


def _of_run(run: Path, name: str, actors: Actors) -> Talker:
    trained = None if name == "base" else FinishedStage.open(run, f"models/{name}").path("model")
    actor = actors.actor("base", trained, lambda rows, tokens: None)
    return Talker(name=name, actor=actor, sampling=actors.settled.evaluation)


def examples(config: RunConfig) -> tuple[str, ...]:
    """Where a run's models speak of the world alone: what one may ask them; a plain wish, a harmful one, and both in
    one. Empty: they are models of another kind."""
    if config.models.role("base").path not in EMBEDDED_MODELS:
        return ()
    drawn = [world_prompts(kind, 12, split="evaluation", seed=0) for kind in ("benign", "harmful", "mixed")]
    return tuple(next(one.turns[0].text for one in prompts if len(one.turns) == 1) for prompts in drawn)
