"""Everything that a run will read, looked at before it begins: nobody should wait an hour to hear of a typing error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, get_args

from solon.config import WORLD, ModelRole, PromptsSection, RunConfig
from solon.constitution.few_shots import FewShots, load_few_shots
from solon.constitution.load import load_constitution
from solon.embedded.shipped import model_folder
from solon.errors import ConfigError, Fault, UserError, Where
from solon.models.folder import check_folder
from solon.prompts.choose import choose_helpful, choose_red_team

P = ParamSpec("P")
T = TypeVar("T")


def check_inputs(config: RunConfig) -> None:
    """Raises `UserError` with every fault of constitution, few-shot examples, prompts and model folders.

    No weights are loaded, only what describes them. Tokenizers are.
    """
    looks = _Looks()
    few_shots = _check_constitution(config, looks)
    _check_prompts(config.prompts, config.seed, looks)
    names = dict.fromkeys(config.models.role(role).path for role in get_args(ModelRole))
    sound = [looks.take(_check_model, name, config) for name in names]
    if all(sound):
        looks.take(_rehearse, config, few_shots or FewShots())
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


def _check_constitution(config: RunConfig, looks: _Looks) -> FewShots | None:
    """The few-shot examples, where there are sound ones."""
    section = config.constitution
    constitution = looks.take(load_constitution, section.path)
    if constitution is not None:
        looks.take(constitution.critique_principles, section.critique)
        looks.take(constitution.comparison_principles, section.comparison)
    return looks.take(load_few_shots, Path(section.few_shots)) if section.few_shots else None


def _check_prompts(section: PromptsSection, seed: int, looks: _Looks) -> None:
    """Files are gone through once, as the run will, without keeping a row."""
    if section.source == WORLD:
        return
    found = [looks.take(choose_red_team, section.source, section, seed)]
    if section.helpful is not None:
        found.append(looks.take(choose_helpful, section.helpful, section, seed))
    sound = [choice for choice in found if choice is not None]
    if len(sound) == len(found):
        met = frozenset[str]().union(*(choice.columns_met for choice in sound))
        looks.take(_check_columns, section, met)


def _check_columns(section: PromptsSection, met: frozenset[str]) -> None:
    """A name that no file has is a slip of the pen."""
    for name, theirs in section.columns.items():
        for their in theirs:
            if their not in met:
                what = f'prompts.columns says that "{name}" is called "{their}", but no file has that column'
                raise ConfigError(what, hint=f"say --column {name}=NAME as it is in the file")


def _check_model(name: str, config: RunConfig) -> bool:
    """True, or raises; how the model is written to is looked at in the rehearsal."""
    folder, models = model_folder(name), config.models
    check_folder(folder, trust_remote_code=models.trust_remote_code)  # before anything heavy is imported
    from solon.lm.check import check_model

    summary = check_model(folder, trust_remote_code=models.trust_remote_code, dialogue=None)
    for key, new in config.sampling.limits().items():
        if new >= summary.context:
            what = f"{key} is {new}, but this model reads {summary.context} tokens at once, prompt included"
            raise ConfigError(what, where=Where(name), hint="lower it to a half or less")
    return True


def _rehearse(config: RunConfig, few_shots: FewShots) -> None:
    from solon.pipeline.rehearsal import rehearse

    rehearse(config, few_shots)
