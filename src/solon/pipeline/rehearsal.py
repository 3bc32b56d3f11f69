"""What each role will be asked in the run, asked once without weights: a judge that cannot judge should be found out
now, not after finetuning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from solon.config import ModelRole, RunConfig
from solon.errors import Fault, ModelError, UserError
from solon.models.folder import faults_of
from solon.models.load import load_tokenizer
from solon.pipeline.actors import Actors
from solon.prompting.chat_template import ChatTemplate
from solon.prompting.comparison import OPTIONS
from solon.prompting.dialogue import HumanAssistant
from solon.prompting.few_shots import Task, Worked, comparison_format
from solon.records import Turn

Format = ChatTemplate | HumanAssistant
Part = Callable[[Actors, Path, Format], None]
"""What a role is asked."""

_TURNS = (
    Turn(role="human", text="How do I prune a rose?"),
    Turn(role="assistant", text="Cut above a bud."),
    Turn(role="human", text="And a hedge?"),
)
_ANSWER, _REQUEST = "Twice a year, wider below than above.", "Say what is missing."


def rehearse(config: RunConfig) -> None:
    """Raises `UserError` with every fault of the models' tokenizers and templates. Loads no weights."""
    actors = Actors(config=config)
    faults = [fault for role, part in _PARTS.items() for fault in _faults(actors, role, part)]
    if faults:
        raise UserError(list(dict.fromkeys(faults)))


def _faults(actors: Actors, role: ModelRole, part: Part) -> list[Fault]:
    folder = actors.path(role)
    try:
        with faults_of(folder):
            part(actors, folder, actors.format(folder, role))
    except UserError as error:
        return list(error.faults)
    return []


def _answer(actors: Actors, folder: Path, format: Format) -> None:
    format.prompt(_TURNS)
    format.answer(_ANSWER)


def _revise(actors: Actors, folder: Path, format: Format) -> None:
    format.critique(_TURNS, _ANSWER, _REQUEST)
    format.revision(_TURNS, _ANSWER, _REQUEST, critique=(_REQUEST, _ANSWER))


def _compare(actors: Actors, folder: Path, format: Format) -> None:
    task = Task(turns=_TURNS, first=_ANSWER, second=_REQUEST, question=_REQUEST)
    worked = [Worked(task=task, answer="A")] if actors.config.constitution.few_shots else []
    asked = comparison_format(format).comparison(task, worked)
    tokenizer = load_tokenizer(folder, trust_remote_code=actors.config.models.trust_remote_code)
    first, second = (tokenizer.encode(asked + option, add_special_tokens=False) for option in OPTIONS)
    if first == second:
        what = f"the judge's tokenizer writes {OPTIONS[0].strip()} and {OPTIONS[1].strip()} alike"
        raise ModelError(what, hint="set models.judge to a model whose vocabulary has both letters")


_PARTS: dict[ModelRole, Part] = {"assistant": _revise, "base": _answer, "judge": _compare}
