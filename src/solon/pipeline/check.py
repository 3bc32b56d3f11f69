"""Checks everything that a run will read before it begins, so that a typing error costs no hour of waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar, get_args

from solon.config import WORLD, ModelRole, PromptsSection, RunConfig
from solon.constitution.few_shots import FewShots, load_few_shots
from solon.constitution.load import load_constitution
from solon.embedded.shipped import model_folder
from solon.errors import ConfigError, Fault, ModelError, UserError, Where
from solon.lm.engines import reads_folder
from solon.models.folder import check_folder, faults_of
from solon.prompting import context
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.comparison import OPTIONS, ComparisonFormat, Task, comparison_format, draw_comparisons, reasoned
from solon.prompts.choose import choose_helpful, choose_red_team
from solon.records import Turn
from solon.seeds import generator

if TYPE_CHECKING:
    from solon.pipeline.actors import Actors

P = ParamSpec("P")
T = TypeVar("T")

_TURNS = (
    Turn(role="human", text="How do I prune a rose?"),
    Turn(role="assistant", text="Cut above a bud."),
    Turn(role="human", text="And a hedge?"),
)
_DIALOGUES: tuple[Sequence[Turn], ...] = (_TURNS, (Turn(role="system", text="Speak of gardens."), *_TURNS))
_ANSWER, _REQUEST = "Twice a year, wider below than above.", "Say what is missing."


def check_inputs(config: RunConfig) -> None:
    """Raises `UserError` with every fault of constitution, few-shot examples, prompts and model folders.

    No weights are loaded, only what describes them. Tokenizers are.
    """
    looks = _Looks()
    few_shots = _check_constitution(config, looks)
    _check_prompts(config.prompts, config.seed, looks)
    players = [config.models.role(role) for role in get_args(ModelRole)]
    names = dict.fromkeys(player.path for player in players if reads_folder(player.engine))
    sound = [looks.take(_check_trainable, config), *(looks.take(_check_model, name, config) for name in names)]
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


def _check_trainable(config: RunConfig) -> bool:
    """True, or raises."""
    engine = config.models.role("base").engine
    if not reads_folder(engine):
        what = f"models.base is to be finetuned, but the engine {engine} has no weights"
        raise ConfigError(what, hint="set models.base to a model folder")
    return True


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
    """Asks each role once, without weights, what the run will ask it: a model that cannot judge is found out now, not
    after finetuning."""
    from solon.pipeline.actors import Actors

    rehearsal = _Rehearsal(actors=Actors(config=config), config=config, few_shots=few_shots)
    faults = [fault for role, part in _PARTS.items() for fault in rehearsal.faults(role, part)]
    if faults:
        raise UserError(list(dict.fromkeys(faults)))


@dataclass(frozen=True, kw_only=True)
class _Rehearsal:
    """The parts of the roles, in dialogues with a system turn and without."""

    actors: Actors
    config: RunConfig
    few_shots: FewShots

    def faults(self, role: ModelRole, part: Part) -> list[Fault]:
        folder = self.actors.path(role)
        try:
            with faults_of(folder):
                format = self.actors.format(folder, role)
                for turns in _DIALOGUES:
                    part(self, folder, format, turns)
        except UserError as error:
            return list(error.faults)
        return []

    def answer(self, _folder: Path, format: DialogueFormat, turns: Sequence[Turn]) -> None:
        format.prompt(turns)
        format.answer(_ANSWER)

    def revise(self, folder: Path, format: DialogueFormat, turns: Sequence[Turn]) -> None:
        self.answer(folder, format, turns)
        critique, shots = None, self.few_shots.critique
        if self.config.supervised.critique:
            critique = (_REQUEST, _ANSWER)
            format.render(context.critique(turns, _ANSWER, _REQUEST, shots=shots))
        format.render(context.revision(turns, _ANSWER, _REQUEST, critique=critique, shots=shots))

    def compare(self, folder: Path, format: DialogueFormat, turns: Sequence[Turn]) -> None:
        task = Task(turns=turns, first=_ANSWER, second=_REQUEST, question=_REQUEST)
        asked = format.render(self._comparison(comparison_format(format), task))
        if not reads_folder(self.config.models.role("judge").engine):
            return
        tokenizer = self.actors.tokenizer(folder)
        first, second = (tokenizer.encode(asked + option, add_special_tokens=False) for option in OPTIONS)
        if first == second:
            what = f"the judge's tokenizer writes {OPTIONS[0].strip()} and {OPTIONS[1].strip()} alike"
            raise ModelError(what, hint="set models.judge to a model whose vocabulary has both letters")

    def _comparison(self, format: ComparisonFormat, task: Task) -> context.Context:
        """Up to where the judge names an option, after its reasoning if it is to reason."""
        if self.config.judge.method == "cot":
            return format.verdict(format.reasoning(task, reasoned(self.few_shots.reasoning, _REQUEST)), _ANSWER)
        rng = generator(self.config.seed, "rehearsal")
        return format.comparison(task, draw_comparisons(self.few_shots.comparison, lambda _: _REQUEST, rng))


Part = Callable[[_Rehearsal, Path, DialogueFormat, Sequence[Turn]], None]
"""What a role is asked."""
_PARTS: dict[ModelRole, Part] = {"assistant": _Rehearsal.revise, "base": _Rehearsal.answer, "judge": _Rehearsal.compare}
