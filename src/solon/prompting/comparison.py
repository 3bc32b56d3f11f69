"""Which of two answers is better, put to a judge under one question, after worked examples (CAI section 4.1, appendix
E.2).

In Solon's words, or in those of the files that the paper's authors published, letter for letter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np

from solon.config.feedback import Wording
from solon.constitution.few_shots import ComparisonShot, ReasoningShot
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context, Message
from solon.prompting.dialogue import ASSISTANT, HUMAN, HumanAssistant
from solon.prompting.guard import Guard
from solon.records import Turn
from solon.text import fill

OPTIONS = (" (A)", " (B)")
"""The scored continuations, with their leading space, as in the published evaluation files."""
MARKS = (
    *(HUMAN, ASSISTANT, "\n\nSystem:", "\n\nH:", "\n\nA:", "\n\nS:"),
    *("\nOptions:", "\n (A)", "\n (B)", "\nThe answer is:", "\nSo the answer is:"),
)
"""What the templates of comparisons write, and no text within them may: another turn, another option, a verdict."""
BRACKETS = ("[[[", "]]]")
"""Around each answer in the paper's wording."""
_ANSWER, _STEPS = "The answer is:", "Let's think step by step:"
"""How the judge's reply begins."""
_GAPS: dict[Wording, tuple[str, str]] = {"solon": ("\n\n", "\n"), "paper": ("", "\n\n")}
"""Between worked comparisons, and before the cue of the answer."""


# As text.


def comparison_prompt(
    turns: Sequence[Turn], first: str, second: str, question: str, *, wording: Wording = "solon"
) -> str:
    """Ends where the judge names an option; score `OPTIONS` after it. `first` is shown as (A)."""
    name = _named("comparison", wording)
    return _filled(name, (HUMAN, ASSISTANT, "\n\nSystem:"), turns, first, second, question)


def reasoning_prompt(
    turns: Sequence[Turn], first: str, second: str, question: str, *, wording: Wording = "solon"
) -> str:
    """Ends where the judge begins to reason; inner turns are H: and A:, so as not to look like the judge's own."""
    name = _named("comparison_cot", wording)
    return _filled(name, ("\n\nH:", "\n\nA:", "\n\nS:"), turns, first, second, question)


def verdict_prompt(reasoning: str, rationale: str, *, wording: Wording = "solon") -> str:
    """After the judge has reasoned: ends where it names an option; score `OPTIONS` after it."""
    return reasoning + fill(template(_named("verdict_cot", wording)), rationale=rationale)


def _named(name: str, wording: Wording) -> str:
    return name if wording == "solon" else f"{wording}_{name}"


def _filled(
    name: str, marks: tuple[str, str, str], turns: Sequence[Turn], first: str, second: str, question: str
) -> str:
    mark_of = dict(zip(("human", "assistant", "system"), marks, strict=True))
    dialogue = "".join(f"{mark_of[turn.role]} {turn.text}" for turn in turns)
    return fill(template(name), dialogue=dialogue, question=question, a=first, b=second)


@cache
def template(name: str) -> str:
    """A shipped template, without the newline that ends its file."""
    return files("solon.prompting").joinpath(f"templates/{name}.txt").read_text(encoding="utf-8").removesuffix("\n")


# As a context for a model.


@dataclass(frozen=True, kw_only=True)
class Task:
    """Two answers to compare, in the order shown."""

    turns: Sequence[Turn]
    first: str
    """Shown as (A)."""
    second: str
    """Shown as (B)."""
    question: str


@dataclass(frozen=True, kw_only=True)
class Example:
    """A task with its verdict, and the reasoning that led to it in the chain-of-thought format."""

    task: Task
    answer: Literal["A", "B"]
    rationale: str = ""

    @property
    def option(self) -> str:
        """Of `OPTIONS`."""
        return OPTIONS["AB".index(self.answer)]


def draw_comparisons(
    shots: Sequence[ComparisonShot],
    draw_question: Callable[[np.random.Generator], str],
    rng: np.random.Generator,
    *,
    mirrored: bool = False,
) -> list[Example]:
    """Each example gets the question of its own principle, and a random place for its better answer; `mirrored`: the
    other place."""
    examples = []
    for shot in shots:
        question = draw_question(rng)
        better_first = bool(rng.random() < 0.5) != mirrored
        first, second = (shot.better, shot.worse) if better_first else (shot.worse, shot.better)
        task = Task(turns=shot.turns, first=first, second=second, question=question)
        examples.append(Example(task=task, answer="A" if better_first else "B"))
    return examples


def reasoned(shots: Sequence[ReasoningShot], question: str) -> list[Example]:
    """Examples keep their order, which their reasoning speaks of; `question` stands where they have none."""
    return [
        Example(
            task=Task(turns=shot.turns, first=shot.first, second=shot.second, question=shot.question or question),
            answer=shot.answer,
            rationale=shot.rationale,
        )
        for shot in shots
    ]


@dataclass(frozen=True, kw_only=True)
class ComparisonFormat:
    """How one judge wants comparisons put. After each context that asks for a verdict, score `OPTIONS`.

    In plain text, as in the paper, for a model that was not taught a chat template; or else as a turn of the human,
    with the judge's reply begun for it.
    """

    guard: Guard
    chat: bool
    wording: Wording = "solon"

    def comparison(self, task: Task, examples: Sequence[Example] = ()) -> Context:
        """Up to the point where the judge names an option."""
        asked, options = self._asked(comparison_prompt, task, examples), [example.option for example in examples]
        between, tail = _GAPS[self.wording]
        if self.chat:
            questions = [text.removeprefix("\n\n").removesuffix(f"{tail}{_ANSWER}") for text in asked]
            return _dialogue(questions, [f"{_ANSWER}{option}" for option in options], _ANSWER)
        worked = (f"{text}{option}{between}" for text, option in zip(asked, options, strict=False))
        return Context(prefill="".join(worked) + asked[-1])

    def reasoning(self, task: Task, examples: Sequence[Example] = ()) -> Context:
        """Up to the point where the judge begins to reason."""
        asked = self._asked(reasoning_prompt, task, examples)
        begun = [_STEPS] * len(examples) if self.chat else asked[:-1]
        worked = [self._verdict(b, e.rationale) + e.option for b, e in zip(begun, examples, strict=True)]
        if self.chat:
            questions = [text.removeprefix(f"{HUMAN} ").removesuffix(f"{ASSISTANT} {_STEPS}") for text in asked]
            return _dialogue(questions, worked, _STEPS)
        return Context(prefill="".join(worked) + asked[-1])

    def verdict(self, reasoning: Context, rationale: str) -> Context:
        """After the reasoning, up to the point where the judge names an option."""
        return replace(reasoning, prefill=self._verdict(reasoning.prefill, rationale))

    def _verdict(self, begun: str, rationale: str) -> str:
        text = self.guard(rationale)
        if self.chat:
            return f"{begun} {text}\n\nSo the answer is:"
        return verdict_prompt(begun, text, wording=self.wording)

    def _asked(self, prompt: Callable[..., str], task: Task, examples: Sequence[Example]) -> list[str]:
        """The examples' tasks and the task itself as text. Nothing in them can be read as a mark of the format."""
        return [
            prompt(
                [Turn(role=turn.role, text=self.guard(turn.text)) for turn in each.turns],
                *map(self.guard, (each.first, each.second, each.question)),
                wording=self.wording,
            )
            for each in (*(example.task for example in examples), task)
        ]


def _dialogue(questions: Sequence[str], replies: Sequence[str], begun: str) -> Context:
    """The last question waits for a reply, which is begun."""
    answered = zip(questions, replies, strict=False)
    messages = [message for ask, reply in answered for message in (Message("human", ask), Message("assistant", reply))]
    return Context(messages=(*messages, Message("human", questions[-1])), prefill=begun)


def comparison_format(dialogue: DialogueFormat, wording: Wording = "solon") -> ComparisonFormat:
    """The format of comparisons that goes with a dialogue format."""
    marks = MARKS if wording == "solon" else (*MARKS, *BRACKETS)
    chat = not isinstance(dialogue, HumanAssistant)
    return ComparisonFormat(guard=dialogue.guard.also(marks), chat=chat, wording=wording)
