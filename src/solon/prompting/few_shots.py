"""Comparisons put to a judge, with worked comparisons before them (CAI section 4.1, appendix E.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from solon.constitution.few_shots import ComparisonShot, ReasoningShot
from solon.prompting.chat_template import ChatTemplate
from solon.prompting.comparison import MARKS, OPTIONS, comparison_prompt, reasoning_prompt, verdict_prompt
from solon.prompting.context import Context, Message
from solon.prompting.dialogue import HumanAssistant
from solon.prompting.guard import Guard
from solon.records import Turn

_ANSWER, _STEPS = "The answer is:", "Let's think step by step:"
_CUE = f"\n{_ANSWER}"
_HUMAN, _THINK = "\n\nHuman: ", f"\n\nAssistant: {_STEPS}"
"""What the shipped templates begin and end with, and a chat template writes in its own way."""

Letter = Literal["A", "B"]
DrawQuestion = Callable[[np.random.Generator], str]
"""Draws the question of one principle."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Two answers to compare, in the order shown."""

    turns: Sequence[Turn]
    first: str
    """Shown as (A)."""
    second: str
    """Shown as (B)."""
    question: str

    def guarded(self, guard: Guard) -> Task:
        """The same, with no text that could be read as a mark of the format."""
        return Task(
            turns=[Turn(role=turn.role, text=guard(turn.text)) for turn in self.turns],
            first=guard(self.first),
            second=guard(self.second),
            question=guard(self.question),
        )


@dataclass(frozen=True, kw_only=True)
class Worked:
    """A task with its verdict, and the reasoning that led to it in the chain-of-thought format."""

    task: Task
    answer: Letter
    rationale: str | None = None


def draw_comparisons(
    shots: Sequence[ComparisonShot], draw_question: DrawQuestion, rng: np.random.Generator
) -> list[Worked]:
    """Each example gets a principle of its own and a random place for its better answer."""
    worked = []
    for shot in shots:
        question = draw_question(rng)
        better_first = bool(rng.random() < 0.5)
        first, second = (shot.better, shot.worse) if better_first else (shot.worse, shot.better)
        task = Task(turns=shot.turns, first=first, second=second, question=question)
        worked.append(Worked(task=task, answer="A" if better_first else "B"))
    return worked


def reasoned(shots: Sequence[ReasoningShot], question: str) -> list[Worked]:
    """Examples keep their order, which their reasoning speaks of; `question` stands where they have none."""
    return [
        Worked(
            task=Task(turns=shot.turns, first=shot.first, second=shot.second, question=shot.question or question),
            answer=shot.answer,
            rationale=shot.rationale,
        )
        for shot in shots
    ]


class ComparisonFormat(Protocol):
    """How one judge wants comparisons put. After each context that asks for a verdict, `OPTIONS` are scored."""

    def comparison(self, task: Task, worked: Sequence[Worked] = ()) -> Context:
        """Up to the point where the judge names an option."""

    def reasoning(self, task: Task, worked: Sequence[Worked] = ()) -> Context:
        """Up to the point where the judge begins to reason."""

    def verdict(self, reasoning: Context, rationale: str) -> Context:
        """After the reasoning, up to the point where the judge names an option."""


class PlainComparison:
    """Plain text, as in the paper: for a model that was not taught a chat template."""

    def __init__(self, guard: Guard | None = None):
        self._guard = (guard or HumanAssistant().guard).also(MARKS)

    def comparison(self, task: Task, worked: Sequence[Worked] = ()) -> Context:
        shots = (f"{self._comparison(example.task)}{_option(example)}\n\n" for example in worked)
        return Context(prefill="".join(shots) + self._comparison(task))

    def reasoning(self, task: Task, worked: Sequence[Worked] = ()) -> Context:
        shots = (f"{self._verdict(self._reasoning(e.task), e.rationale or '')}{_option(e)}" for e in worked)
        return Context(prefill="".join(shots) + self._reasoning(task))

    def verdict(self, reasoning: Context, rationale: str) -> Context:
        return replace(reasoning, prefill=self._verdict(reasoning.prefill, rationale))

    def _comparison(self, task: Task) -> str:
        return _comparison(task.guarded(self._guard))

    def _reasoning(self, task: Task) -> str:
        return _reasoning(task.guarded(self._guard))

    def _verdict(self, reasoning: str, rationale: str) -> str:
        return verdict_prompt(reasoning, self._guard(rationale))


class ChatComparison:
    """The comparison is a turn of the human, and the judge's reply is begun for it, up to the option."""

    def __init__(self, guard: Guard):
        self._guard = guard.also(MARKS)

    def comparison(self, task: Task, worked: Sequence[Worked] = ()) -> Context:
        messages = []
        for example in worked:
            messages.append(Message("human", self._comparison(example.task)))
            messages.append(Message("assistant", f"{_ANSWER}{_option(example)}"))
        return Context(messages=(*messages, Message("human", self._comparison(task))), prefill=_ANSWER)

    def reasoning(self, task: Task, worked: Sequence[Worked] = ()) -> Context:
        messages = []
        for example in worked:
            messages.append(Message("human", self._reasoning(example.task)))
            reply = self._verdict(_STEPS, example.rationale or "") + _option(example)
            messages.append(Message("assistant", reply))
        return Context(messages=(*messages, Message("human", self._reasoning(task))), prefill=_STEPS)

    def verdict(self, reasoning: Context, rationale: str) -> Context:
        return replace(reasoning, prefill=self._verdict(reasoning.prefill, rationale))

    def _verdict(self, reasoning: str, rationale: str) -> str:
        return f"{reasoning} {self._guard(rationale)}\n\nSo the answer is:"

    def _comparison(self, task: Task) -> str:
        return _comparison(task.guarded(self._guard)).removesuffix(_CUE)

    def _reasoning(self, task: Task) -> str:
        return _reasoning(task.guarded(self._guard)).removeprefix(_HUMAN).removesuffix(_THINK)


def comparison_format(dialogue: ChatTemplate | HumanAssistant) -> ComparisonFormat:
    """How a model that wants its dialogues so wants its comparisons."""
    return (ChatComparison if isinstance(dialogue, ChatTemplate) else PlainComparison)(dialogue.guard)


def _comparison(task: Task) -> str:
    return comparison_prompt(task.turns, task.first, task.second, task.question)


def _reasoning(task: Task) -> str:
    return reasoning_prompt(task.turns, task.first, task.second, task.question)


def _option(example: Worked) -> str:
    return OPTIONS["AB".index(example.answer)]
