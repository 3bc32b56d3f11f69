"""What each role will be asked in the run, asked once without weights: a judge that cannot judge should be found out
now, not after finetuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from solon.config import ModelRole, RunConfig
from solon.constitution.few_shots import FewShots
from solon.errors import Fault, ModelError, UserError
from solon.models.folder import faults_of
from solon.pipeline.actors import Actors
from solon.prompting import context
from solon.prompting.chat_template import ChatTemplate
from solon.prompting.comparison import OPTIONS, ComparisonFormat, Task, comparison_format, draw_comparisons, reasoned
from solon.prompting.dialogue import HumanAssistant
from solon.records import Turn
from solon.seeds import generator

Format = ChatTemplate | HumanAssistant

_TURNS = (
    Turn(role="human", text="How do I prune a rose?"),
    Turn(role="assistant", text="Cut above a bud."),
    Turn(role="human", text="And a hedge?"),
)
_DIALOGUES: tuple[Sequence[Turn], ...] = (_TURNS, (Turn(role="system", text="Speak of gardens."), *_TURNS))
_ANSWER, _REQUEST = "Twice a year, wider below than above.", "Say what is missing."


def rehearse(config: RunConfig, few_shots: FewShots) -> None:
    """Raises `UserError` with every fault of the models' tokenizers and templates. Loads no weights."""
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

    def answer(self, _folder: Path, format: Format, turns: Sequence[Turn]) -> None:
        format.prompt(turns)
        format.answer(_ANSWER)

    def revise(self, folder: Path, format: Format, turns: Sequence[Turn]) -> None:
        self.answer(folder, format, turns)
        critique, shots = None, self.few_shots.critique
        if self.config.supervised.critique:
            critique = (_REQUEST, _ANSWER)
            format.render(context.critique(turns, _ANSWER, _REQUEST, shots=shots))
        format.render(context.revision(turns, _ANSWER, _REQUEST, critique=critique, shots=shots))

    def compare(self, folder: Path, format: Format, turns: Sequence[Turn]) -> None:
        task = Task(turns=turns, first=_ANSWER, second=_REQUEST, question=_REQUEST)
        asked = format.render(self._comparison(comparison_format(format), task))
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


Part = Callable[[_Rehearsal, Path, Format, Sequence[Turn]], None]
"""What a role is asked."""
_PARTS: dict[ModelRole, Part] = {"assistant": _Rehearsal.revise, "base": _Rehearsal.answer, "judge": _Rehearsal.compare}
