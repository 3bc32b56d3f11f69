"""Everything that a run will read, looked at before it begins: nobody should wait an hour to hear of a typing error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from solon.config import PromptsSection, RunConfig
from solon.constitution.few_shots import load_few_shots
from solon.constitution.load import load_constitution
from solon.embedded.shipped import embedded_model
from solon.errors import ConfigError, Fault, PromptError, UserError, Where
from solon.models.folder import check_folder
from solon.prompts.helpful import read_helpful
from solon.prompts.read import read_prompts
from solon.prompts.split import PromptSplit, split_prompts
from solon.records import Prompt

P = ParamSpec("P")
T = TypeVar("T")

EMBEDDED = "embedded"
WORLD = "world"


def check_inputs(config: RunConfig) -> None:
    """Raises `UserError` with every fault of constitution, few-shot examples, prompts and model folders.

    No weights are loaded, only what describes them. Tokenizers are.
    """
    looks = _Looks()
    _check_constitution(config, looks)
    _check_prompts(config.prompts, config.seed, looks)
    models = config.models
    for name in dict.fromkeys((models.assistant, models.base or models.assistant, models.judge or models.assistant)):
        looks.take(_check_model, name, config)
    if not looks.faults:
        looks.take(_rehearse, config)
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
    red_team = looks.take(read_prompts, section.source, "harmful")
    if red_team is not None:
        looks.take(_check_red_team, red_team.prompts, section, seed)
    if section.helpful is None:
        return
    helpful = looks.take(read_helpful, section.helpful)
    if helpful is not None and len(helpful.prompts) > 1:
        looks.take(_split, helpful.prompts, section.helpful, section, seed)


def _check_red_team(prompts: Sequence[Prompt], section: PromptsSection, seed: int) -> None:
    """Something must be left to train with; something is always held out."""
    halves = _split(prompts, section.source, section, seed)
    if all(prompt.kind == "benign" for prompt in halves.training):
        what = "no red-team prompts to train with: all but those held out are benign"
        raise PromptError(what, where=Where(section.source), hint="give more prompts of kind harmful or mixed")


def _split(prompts: Sequence[Prompt], path: str, section: PromptsSection, seed: int) -> PromptSplit:
    """As the run will split them; a fault names the file."""
    try:
        return split_prompts(prompts, evaluation=section.evaluation, seed=seed)
    except PromptError as error:
        raise PromptError([replace(fault, where=Where(path)) for fault in error.faults]) from error


def _check_model(name: str, config: RunConfig) -> None:
    folder, models = embedded_model() if name == EMBEDDED else Path(name), config.models
    check_folder(folder, trust_remote_code=models.trust_remote_code)  # before anything heavy is imported
    from solon.lm.check import check_model

    summary = check_model(folder, trust_remote_code=models.trust_remote_code, dialogue=models.dialogue)
    context, new = summary.context, config.sampling.max_new_tokens
    if new >= context:
        what = f"sampling.max_new_tokens is {new}, but this model reads {context} tokens at once, prompt included"
        raise ConfigError(what, where=Where(name), hint="lower it to a half or less")


def _rehearse(config: RunConfig) -> None:
    from solon.pipeline.rehearsal import rehearse

    rehearse(config)
