"""Everything that a run will read, looked at before it begins: nobody should wait an hour to hear of a typing error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from solon.config import PromptsSection, RunConfig
from solon.constitution.few_shots import load_few_shots
from solon.constitution.load import load_constitution
from solon.embedded.shipped import embedded_model
from solon.errors import ConfigError, Fault, PromptError, UserError, Where
from solon.models.folder import check_folder, context_length
from solon.pipeline.sources import prompt_source
from solon.prompts.helpful import read_helpful
from solon.prompts.read import read_prompts

P = ParamSpec("P")
T = TypeVar("T")

EMBEDDED = "embedded"
WORLD = "world"


def check_inputs(config: RunConfig) -> None:
    """Raises `UserError` with every fault of constitution, few-shot examples, prompts and model folders.

    No weights are loaded. Tokenizers are, and with them torch, but only once everything else is sound.
    """
    looks = _Looks()
    _check_constitution(config, looks)
    _check_prompts(config.prompts, config.seed, looks)
    models = config.models
    for name in dict.fromkeys((models.assistant, models.base or models.assistant, models.judge or models.assistant)):
        looks.take(_check_model, name, config)
    if not looks.faults:
        looks.take(_check_dialogues, config)
    if looks.faults:
        raise UserError(looks.faults)


class _Looks:
    """Faults of several inputs, collected."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def take(self, look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What `look` returns, or None where it found faults."""
        try:
            return look(*args, **kwargs)
        except UserError as error:
            self.faults.extend(error.faults)
            return None


def _check_constitution(config: RunConfig, looks: _Looks) -> None:
    section = config.constitution
    constitution = looks.take(load_constitution, section.path)
    if constitution is not None:
        looks.take(constitution.critique_principles, section.critique)
        looks.take(constitution.comparison_principles, section.comparison)
    if section.few_shots:
        looks.take(load_few_shots, Path(section.few_shots))


def _check_prompts(section: PromptsSection, seed: int, looks: _Looks) -> None:
    if section.source == WORLD:
        return
    before = len(looks.faults)
    looks.take(read_prompts, section.source, "harmful")
    if section.helpful is not None:
        looks.take(read_helpful, section.helpful)
    if len(looks.faults) == before:
        looks.take(_check_sets, section, seed)


def _check_sets(section: PromptsSection, seed: int) -> None:
    sets = prompt_source(section).prompt_sets(section, seed)
    if not sets.red_team:
        what = "no red-team prompts to train with: all but those held out are benign"
        raise PromptError(what, where=Where(section.source), hint="give more prompts of kind harmful or mixed")


def _check_model(name: str, config: RunConfig) -> None:
    folder = embedded_model() if name == EMBEDDED else Path(name)
    check_folder(folder, trust_remote_code=config.models.trust_remote_code)
    context, new = context_length(folder), config.sampling.max_new_tokens
    if context is not None and new >= context:
        what = f"sampling.max_new_tokens is {new}, but this model reads {context} tokens at once, prompt included"
        raise ConfigError(what, where=Where(name), hint="lower it to a half or less")


def _check_dialogues(config: RunConfig) -> None:
    from solon.pipeline.actors import Actors

    actors = Actors(config=config)
    for role in ("assistant", "base", "judge"):
        actors.format(actors.path(role))
