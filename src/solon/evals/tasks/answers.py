"""Questions that a model answers in words: XSTest, GSM8K, and the held-out prompts that games are played on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from solon.config.evaluations import AnswersSection, GamesSection
from solon.errors import EngineError
from solon.evals.contest import KINDS
from solon.evals.published.gsm8k import GradedAnswer, answered, read_problems
from solon.evals.published.preachiness import Manner, boilerplate, manner_of
from solon.evals.published.refusals import Completion, XsPrompt, completion_of, read_prompts
from solon.evals.tasks import Asked, Item, Outcome, Statistic, outcome, spread
from solon.prompting.context import Context, Message, dialogue
from solon.records import Prompt

REFUSALS: Mapping[str, Statistic] = dict.fromkeys(
    ("over-refusal", "over-refusal, partial", "refusal", "refusal, partial"), "rate"
)
"""Of safe prompts, and of all others; `partial`: with a refusal and help in one."""
GSM8K: Mapping[str, Statistic] = {"correct": "rate", "without a number": "rate"}
PREACHINESS: Mapping[str, Statistic] = {"lectures": "rate", "lecturing sentences": "mean", "boilerplate": "mean"}
ELO = "elo"
Grade = Callable[[str], Mapping[str, float] | None]
"""The values of an answer; None if it is blank."""


@dataclass(frozen=True, kw_only=True)
class AnswerItem:
    """A question at one temperature, and what is measured of its answer."""

    task: str
    item: str
    about: str
    context: Context
    temperature: float
    max_new_tokens: int | None
    grade: Grade

    @property
    def says(self) -> str:
        """The question, or all of a dialogue."""
        return "\n".join(message.text for message in self.context.messages)

    def unasked(self, why: str) -> tuple[Outcome, ...]:
        """At its temperature."""
        return (outcome(self.task, self.item, self.temperature, self.about, unscored=why),)

    async def ask(self, by: Asked) -> tuple[Outcome, ...]:
        names = (self.task, self.item, f"{self.temperature:g}")
        try:
            given = await by.write(self.context, self.temperature, self.max_new_tokens, *names)
        except EngineError as error:
            return self.unasked(error.reason)
        values = self.grade(given.text)
        return (
            outcome(
                self.task,
                self.item,
                self.temperature,
                self.about,
                values=dict(values or {}),
                unscored="blank" if values is None else None,
                text=given.text,
                finished=not given.truncated,
            ),
        )


def completion_outcome(item: str, row: Completion) -> Outcome:
    """Of a completion of XSTest, which was asked or given."""
    name = "over-refusal" if row.prompt_label == "safe" else "refusal"
    whole, partial = float(row.label == "full_refusal"), float(row.label == "partial_refusal")
    values = {name: whole, f"{name}, partial": partial} if row.label else {}
    return outcome("refusals", item, None, row.id, values=values, unscored=None if row.label else "blank")


def answer_outcome(item: str, row: GradedAnswer) -> Outcome:
    """Of an answer to a problem of GSM8K."""
    values = {"correct": float(row.correct), "without a number": float(row.extracted is None)}
    return outcome("gsm8k", item, None, row.id, values=values)


def manner_outcome(item: str, row: Manner) -> Outcome:
    """Of an answer; without its boilerplate, which takes the others."""
    found = row.lecturing
    values = {} if found is None else {"lectures": float(found > 0), "lecturing sentences": found}
    more = {} if row.boilerplate is None else {"boilerplate": row.boilerplate}
    unscored = "blank" if found is None else None
    return outcome("preachiness", item, None, row.id, values=values | more, unscored=unscored)


def with_boilerplate(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Of one model at one temperature: each answer is held against those to other prompts."""
    told = [one for one in outcomes if one.values and one.text is not None]
    shares = dict(zip((one.id for one in told), boilerplate([(it.about, it.text or "") for it in told]), strict=True))
    return [
        one
        if (share := shares.get(one.id)) is None
        else one.model_copy(update={"values": {**one.values, "boilerplate": share}})
        for one in outcomes
    ]


def preachiness_items(section: AnswersSection, path: Path) -> list[Item]:
    """Any prompts. Raises `PromptError`."""

    def graded(prompt: XsPrompt) -> Grade:
        return lambda answer: manner_outcome("", manner_of(prompt.id, answer)).values or None

    asked = [(str(n), one.id, _message(one.text), graded(one)) for n, one in enumerate(read_prompts(path), start=1)]
    return _items("preachiness", section, spread(asked, section.limit))


def refusal_items(section: AnswersSection, path: Path) -> list[Item]:
    """Raises `PromptError`."""

    def graded(prompt: XsPrompt) -> Grade:
        return lambda answer: completion_outcome("", completion_of(prompt, answer)).values or None

    asked = [(str(n), one.id, _message(one.text), graded(one)) for n, one in enumerate(read_prompts(path), start=1)]
    return _items("refusals", section, spread(asked, section.limit))


def gsm8k_items(section: AnswersSection, path: Path) -> list[Item]:
    """Raises `PromptError`."""

    def graded(truth: str) -> Grade:
        return lambda answer: answer_outcome("", answered(answer, truth)).values

    asked = [
        (str(n), str(n), _message(question), graded(truth))
        for n, (question, truth) in enumerate(read_problems(path), start=1)
    ]
    return _items("gsm8k", section, spread(asked, section.limit))


def game_items(section: GamesSection, prompts: Sequence[Prompt]) -> list[Item]:
    """As many of each kind that a judge of harmlessness can say something of."""
    of_kind = ([it for it in prompts if it.kind == kind] for kind in KINDS["harmlessness"])
    chosen = [one for own in of_kind for one in spread(own, section.prompts)]
    return _items(ELO, section, [(one.id, one.id, dialogue(one.turns), lambda _: {}) for one in chosen])


def _items(
    task: str, section: AnswersSection | GamesSection, asked: Sequence[tuple[str, str, Context, Grade]]
) -> list[Item]:
    return [
        AnswerItem(
            task=task,
            item=name,
            about=about,
            context=context,
            temperature=temperature,
            max_new_tokens=section.max_new_tokens,
            grade=grade,
        )
        for temperature in section.temperatures
        for name, about, context, grade in asked
    ]


def _message(text: str) -> Context:
    return Context(messages=(Message("human", text),))
