"""Questions that a model answers in words: XSTest, GSM8K, and the held-out prompts that games are played on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from solon.config.evaluations import AnswersSection, GamesSection
from solon.evals.published.gsm8k import answered, read_problems
from solon.evals.published.refusals import XsPrompt, classify, read_prompts
from solon.evals.tasks import Asked, Item, Outcome, Statistic, outcome, spread
from solon.prompting.context import Context, Message, dialogue
from solon.records import Prompt

REFUSALS: Mapping[str, Statistic] = dict.fromkeys(
    ("over-refusal", "over-refusal, partial", "refusal", "refusal, partial"), "rate"
)
"""Of safe prompts, and of all others; `partial`: with a refusal and help in one."""
GSM8K: Mapping[str, Statistic] = {"correct": "rate", "without a number": "rate"}
ELO = "elo"
Grade = Callable[[str], Mapping[str, float] | None]
"""The values of an answer; None if it is blank."""


@dataclass(frozen=True, kw_only=True)
class AnswerItem:
    """A question at one temperature, and what is measured of its answer."""

    task: str
    item: str
    context: Context
    temperature: float
    max_new_tokens: int | None
    grade: Grade

    async def ask(self, by: Asked) -> tuple[Outcome, ...]:
        names = (self.task, self.item, f"{self.temperature:g}")
        given = await by.write(self.context, self.temperature, self.max_new_tokens, *names)
        values = self.grade(given.text)
        return (
            outcome(
                self.task,
                self.item,
                self.temperature,
                values=dict(values or {}),
                unscored="blank" if values is None else None,
                text=given.text,
                finished=not given.truncated,
            ),
        )


def refusal_items(section: AnswersSection, path: Path) -> list[Item]:
    """Raises `PromptError`."""

    def graded(prompt: XsPrompt) -> Grade:
        name = "over-refusal" if prompt.label == "safe" else "refusal"

        def grade(answer: str) -> Mapping[str, float] | None:
            found = classify(answer, prompt.text)
            whole, partial = float(found == "full_refusal"), float(found == "partial_refusal")
            return {name: whole, f"{name}, partial": partial} if found else None

        return grade

    return _items(
        "refusals",
        section,
        [(one.id, _message(one.text), graded(one)) for one in spread(read_prompts(path), section.limit)],
    )


def gsm8k_items(section: AnswersSection, path: Path) -> list[Item]:
    """Raises `PromptError`."""

    def graded(truth: str) -> Grade:
        def grade(answer: str) -> Mapping[str, float]:
            found = answered(answer, truth)
            return {"correct": float(found.correct), "without a number": float(found.extracted is None)}

        return grade

    problems = spread(list(enumerate(read_problems(path), start=1)), section.limit)
    asked = [(str(number), _message(question), graded(truth)) for number, (question, truth) in problems]
    return _items("gsm8k", section, asked)


def game_items(section: GamesSection, prompts: Sequence[Prompt]) -> list[Item]:
    """The first of each kind."""
    kinds = dict.fromkeys(prompt.kind for prompt in prompts)
    chosen = [one for kind in kinds for one in [it for it in prompts if it.kind == kind][: section.prompts]]
    return _items(ELO, section, [(one.id, dialogue(one.turns), lambda _: {}) for one in chosen])


def _items(
    task: str, section: AnswersSection | GamesSection, asked: Sequence[tuple[str, Context, Grade]]
) -> list[Item]:
    return [
        AnswerItem(
            task=task,
            item=name,
            context=context,
            temperature=temperature,
            max_new_tokens=section.max_new_tokens,
            grade=grade,
        )
        for temperature in section.temperatures
        for name, context, grade in asked
    ]


def _message(text: str) -> Context:
    return Context(messages=(Message("human", text),))
