"""Checks everything that a run will read before it begins, so that a typing error costs no hour of waiting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from solon.config import WORLD, ModelRole, PromptsSection, RunConfig
from solon.constitution.few_shots import FewShots, load_few_shots
from solon.constitution.load import load_constitution
from solon.data.choose import choose_helpful, choose_red_team
from solon.embedded.shipped import model_folder
from solon.errors import ConfigError, Fault, ModelError, UserError, Where
from solon.lm.engines import reads_folder
from solon.models.folder import check_folder, faults_of
from solon.models.generation import preference
from solon.prompting import context
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.comparison import OPTIONS, Task, comparison_format, draw_comparisons, reasoned
from solon.records import Turn
from solon.seeds import generator

if TYPE_CHECKING:
    from solon.pipeline.actors import Actors

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
    faults: list[Fault] = []
    section, few_shots = config.constitution, FewShots()
    with _collected(faults):
        constitution = load_constitution(section.path)
        with _collected(faults):
            constitution.critique_principles(section.critique)
        constitution.comparison_principles(section.comparison)
    with _collected(faults):
        few_shots = load_few_shots(Path(section.few_shots)) if section.few_shots else few_shots
    _check_prompts(config.prompts, config.seed, faults)
    before = len(faults)
    with _collected(faults):
        _check_trainable(config)
    models = [config.models.role(role) for role in get_args(ModelRole)]
    for name in dict.fromkeys(model.path for model in models if reads_folder(model.engine)):
        with _collected(faults):
            _check_model(name, config)
    if len(faults) == before:
        _rehearse(config, few_shots, faults)
    if faults:
        raise UserError(list(dict.fromkeys(faults)))


@contextmanager
def _collected(faults: list[Fault]) -> Iterator[None]:
    """Adds what the block raises to the faults, and goes on."""
    try:
        yield
    except UserError as error:
        faults.extend(error.faults)


def _check_prompts(section: PromptsSection, seed: int, faults: list[Fault]) -> None:
    """Files are gone through once, as the run will, without keeping a row."""
    if section.source == WORLD:
        return
    met, before = set[str](), len(faults)
    with _collected(faults):
        met |= choose_red_team(section.source, section, seed).first.columns.met
    if section.helpful is not None:
        with _collected(faults):
            met |= choose_helpful(section.helpful, section, seed).first.columns.met
    if len(faults) == before:
        with _collected(faults):
            _check_columns(section, met)


def _check_columns(section: PromptsSection, met: set[str]) -> None:
    """A name that no file has is a slip of the pen."""
    for name, theirs in section.columns.items():
        for their in theirs:
            if their not in met:
                what = f'prompts.columns says that "{name}" is called "{their}", but no file has that column'
                raise ConfigError(what, hint=f"say --column {name}=NAME as it is in the file")


def _check_trainable(config: RunConfig) -> None:
    engine = config.models.role("base").engine
    if not reads_folder(engine):
        what = f"models.base is to be finetuned, but the engine {engine} has no weights"
        raise ConfigError(what, hint="set models.base to a model folder")


def _check_model(name: str, config: RunConfig) -> None:
    """How the model is written to is looked at in the rehearsal."""
    folder, models = model_folder(name), config.models
    check_folder(folder, trust_remote_code=models.trust_remote_code)  # before anything heavy is imported
    from solon.lm.check import check_model

    summary = check_model(folder, trust_remote_code=models.trust_remote_code, dialogue=None)
    preference(folder)
    for key, new in config.token_limits().items():
        if new >= summary.context:
            what = f"{key} is {new}, but this model reads {summary.context} tokens at once, prompt included"
            raise ConfigError(what, where=Where(name), hint="lower it to a half or less")


def _rehearse(config: RunConfig, few_shots: FewShots, faults: list[Fault]) -> None:
    """Asks each role once, without weights, what the run will ask it, in dialogues with a system turn and without: a
    model that cannot judge is found out now, not after finetuning."""
    from solon.pipeline.actors import Actors

    actors = Actors(config=config)
    for role in get_args(ModelRole):
        folder = actors.path(role)
        with _collected(faults), faults_of(folder):
            format = actors.format(folder, role)
            for turns in _DIALOGUES:
                if role == "judge":
                    _compare(turns, format, actors, few_shots)
                    continue
                format.prompt(turns)
                format.answer(_ANSWER)
                if role == "assistant":
                    _revise(turns, format, config, few_shots)


def _revise(turns: Sequence[Turn], format: DialogueFormat, config: RunConfig, few_shots: FewShots) -> None:
    critique, shots = None, few_shots.critique
    if config.supervised.critique:
        critique = (_REQUEST, _ANSWER)
        format.render(context.critique(turns, _ANSWER, _REQUEST, shots=shots))
    format.render(context.revision(turns, _ANSWER, _REQUEST, critique=critique, shots=shots))


def _compare(turns: Sequence[Turn], format: DialogueFormat, actors: Actors, few_shots: FewShots) -> None:
    """Up to where the judge names an option, after its reasoning if it is to reason."""
    config, comparing = actors.config, comparison_format(format)
    task = Task(turns=turns, first=_ANSWER, second=_REQUEST, question=_REQUEST)
    if config.judge.method == "cot":
        reasoning = comparing.reasoning(task, reasoned(few_shots.reasoning, _REQUEST))
        asked = format.render(comparing.verdict(reasoning, _ANSWER))
    else:
        shots = draw_comparisons(few_shots.comparison, lambda _: _REQUEST, generator(config.seed, "rehearsal"))
        asked = format.render(comparing.comparison(task, shots))
    if not reads_folder(config.models.role("judge").engine):
        return
    tokenizer = actors.tokenizer(actors.path("judge"))
    first, second = (tokenizer.encode(asked + option, add_special_tokens=False) for option in OPTIONS)
    if first == second:
        what = f"the judge's tokenizer writes {OPTIONS[0].strip()} and {OPTIONS[1].strip()} alike"
        raise ModelError(what, hint="set models.judge to a model whose vocabulary has both letters")
