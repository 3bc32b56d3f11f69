"""A stage, as it is declared: what it reads, what it depends on, and the function that fills its folder."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

from pydantic import JsonValue

from solon.artifacts.finished import FinishedStage
from solon.artifacts.manifest import Manifest
from solon.config.models import ModelRole
from solon.config.run import RunConfig
from solon.config.section import Section
from solon.pipeline.inputs import Hashes, RunInputs

if TYPE_CHECKING:
    from solon.pipeline.work import Work

Facts = Mapping[str, JsonValue]
"""What a stage's manifest says about it beyond counts, e.g. an accuracy."""

Body = Callable[["Work"], Facts | None]
"""Fills the folder of a stage that is not finished. It may be killed at any moment and called again."""


@dataclass(frozen=True)
class Condition:
    """Which runs have a stage."""

    says: str
    """What their run files say, e.g. `alignment = "rl"`."""
    holds: Callable[[RunConfig], bool]


BY_RL = Condition('alignment = "rl"', lambda config: config.alignment == "rl")
BY_DPO = Condition('alignment = "dpo"', lambda config: config.alignment == "dpo")
BY_SCENARIOS = Condition("scenarios.per_article above 0", lambda config: config.scenarios.per_article > 0)
BY_PREFERENCE = Condition(
    f"{BY_RL.says} and rl.rewards.preference above 0",
    lambda config: BY_RL.holds(config) and config.rl.rewards.preference > 0,
)
"""There is no preference model where it earns nothing."""


@dataclass(frozen=True)
class Stage:
    """One stage. It is declared above its body: `@partial(Stage, name, title, ...)` takes the function below it.

    Whatever can change what the body makes is named here: a finished stage of another run in which all of it is equal
    is this stage.
    """

    name: str
    """In the command line, and for the stages that read it."""
    title: str
    """What happens in it, as a sentence."""
    body: Body
    _: KW_ONLY
    folder: str = ""
    """Below the run's; by default the name."""
    reads: tuple[str, ...] = ()
    """Stages before it, e.g. `pairs`, or one file of a stage, e.g. `prompts/evals`."""
    settings: tuple[str, ...] = ()
    """Sections or keys of the run file, e.g. `rl` or `sampling.max_new_tokens`. `models` follows from the roles."""
    unused: Callable[[RunConfig], tuple[str, ...]] = lambda config: ()
    """Those of the settings, and of what it reads, that settings make idle."""
    roles: tuple[ModelRole, ...] = ()
    """The models that it uses are written to as these roles are."""
    weights: tuple[ModelRole, ...] = ()
    """Roles whose own models it uses; trained models belong to the stages it reads."""
    asks: tuple[ModelRole, ...] = ()
    """Roles whose own models, by their engines, write or judge the rows. Trained models have one engine."""
    engines: Callable[[RunConfig], tuple[str, ...]] = lambda config: ()
    """Engines of models that it trains; those of the roles it asks belong to the roles."""
    also: Callable[[RunConfig], tuple[ModelRole, ...]] = lambda config: ()
    """Roles that some settings bring: it writes to them, uses their own models and asks them."""
    hashes: tuple[Callable[[RunInputs], Hashes], ...] = ()
    """Texts and files of the run that it depends on."""
    system_turns: bool = False
    """It writes system turns, whether prompts have any or not."""
    requires: Condition | None = None
    """None: all runs have it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", self.folder or self.name)

    @property
    def trains(self) -> bool:
        """Whether it makes a model."""
        return self.folder.startswith("models/")

    def among(self, stages: Container[str], config: RunConfig) -> Stage:
        """The same in a run of these stages: it reads no others, and nothing that settings make idle."""
        unused = self.unused(config)
        return replace(self, reads=tuple(one for one in self.reads if stage_of(one) in stages and one not in unused))

    def config(self, config: RunConfig) -> dict[str, JsonValue]:
        """The part of a settled run file that it depends on."""
        unused = self.unused(config)
        found: dict[str, JsonValue] = {key: _setting(config, key) for key in self.settings if key not in unused}
        return found | {"models": self._models(config)} if self.roles else found

    def played(self, config: RunConfig) -> tuple[ModelRole, ...]:
        """Its roles under these settings."""
        return tuple(dict.fromkeys((*self.roles, *self.also(config))))

    def weighed(self, config: RunConfig) -> tuple[ModelRole, ...]:
        """Roles whose own models it uses under these settings."""
        return tuple(dict.fromkeys((*self.weights, *self.also(config))))

    def asked(self, config: RunConfig) -> tuple[ModelRole, ...]:
        """Roles whose models write or judge its rows under these settings."""
        return tuple(dict.fromkeys((*self.asks, *self.also(config))))

    def driven(self, config: RunConfig) -> tuple[str, ...]:
        """The engines that it uses under these settings."""
        return (*(config.models.role(role).engine for role in self.asked(config)), *self.engines(config))

    def _models(self, config: RunConfig) -> JsonValue:
        """The section `models`, as far as it concerns the roles; the models themselves enter by hash."""
        found = config.models.model_dump(mode="json", include={"dtype", "date"})
        for role in self.played(config):
            own = config.models.role(role)
            found[role] = own.result_settings()
            if role in self.asked(config):
                found[role] |= own.engine_settings()
            else:
                del found[role]["engine"]
        return found

    def fingerprints(self, done: Mapping[str, FinishedStage]) -> Hashes:
        """Of what it reads. `done`: finished stages by name."""
        return {name: _fingerprint(done[stage_of(name)].manifest, name) for name in self.reads}

    def inputs_given(self, given: RunInputs) -> Hashes:
        """What it depends on beside the run file, stages and models."""
        return {name: sha256 for hashes in self.hashes for name, sha256 in hashes(given).items()}


def stage_of(read: str) -> str:
    """The stage of what is read: `prompts` of `prompts/evals`."""
    return read.partition("/")[0]


def _fingerprint(manifest: Manifest, read: str) -> str:
    file = read.partition("/")[2]
    return manifest.fingerprint_of(manifest.files(file)) if file else manifest.fingerprint


def _setting(config: RunConfig, key: str) -> JsonValue:
    *path, name = key.split(".")
    section: Section = reduce(getattr, path, config)
    found = getattr(section, name)
    return found.result_settings() if isinstance(found, Section) else section.result_settings()[name]
