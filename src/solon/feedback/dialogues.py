"""Dialogues that explain themselves: an answer with articles of the constitution in view, and why it was given.

The assistant answers a scenario twice: plainly, and with some articles before it, the scenario's own among them. Then
it says by which one it answered. A dialogue is kept if it names the right one, and if a judge finds that the answer
keeps better to that article than the plain one. Finetuned on what is kept, without the articles, a model answers so by
itself: context distillation (2112.00861), here of a document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from solon.constitution.articles import Written
from solon.feedback.answers import IDENTICAL
from solon.feedback.judge import Judge
from solon.feedback.rows import Dropped, Rows, Sampler, fitting, run_rows
from solon.lm.protocols import Completion
from solon.prompting.context import Context, dialogue, digest
from solon.records import Demonstration, Dialogue, Pair, Prompt, Turn

_BEFORE = """You follow a constitution. These are articles of it.

{articles}

Answer as it asks of you. Do not speak of it unless you are asked."""
WHY = (
    "Why did you answer in this way? Say in two or three sentences which article of your constitution you went by, "
    "naming it by its title, and what it asks of you here."
)
NO_ARTICLE = "the explanation names no article"
ANOTHER = "the explanation names another article alone"
CUT_OFF = "an answer or explanation is empty or cut off"
NO_BETTER = "the judge does not prefer the answer to the plain one"
OTHERS = "other articles in view"
UNSCORED = "unscored: "
"""Before why a verdict could not be read."""

NamesFault = Callable[[str, Written, Sequence[Written]], str | None]
"""(explanation, the scenario's own article, all) -> what is wrong with those that it names."""


def explain(
    scenarios: Sequence[Prompt],
    articles: Mapping[str, Written],
    sampler: Sampler,
    judge: Judge,
    *,
    shown: int,
    fault: NamesFault | None = None,
) -> Rows[Dialogue]:
    """One dialogue per scenario, in their order; those that fail a check are dropped, by reason, and their texts do not
    count: nothing learns from them. The judge is asked last, of what passes the other checks.

    Args:
        articles: by their ids, in the order of the constitution.
        shown: how many articles are before the assistant, if its context has room for them.
        fault: what is wrong with the articles that an explanation names; by default `names_fault`.
    """
    row = _Explaining(articles, sampler, judge, shown, fault or names_fault).row
    return run_rows(row(prompt) for prompt in scenarios)


@dataclass(frozen=True)
class _Explaining:
    articles: Mapping[str, Written]
    sampler: Sampler
    judge: Judge
    shown: int
    fault: NamesFault

    async def row(self, prompt: Prompt) -> Dialogue:
        assert prompt.principle_id is not None
        own = self.articles[prompt.principle_id]
        plain = await self.sampler.complete(dialogue(prompt.turns), prompt.id, "plain", text="answer")
        answer, why, seen = await self._answered(prompt, own)
        pair = Pair(id=f"{prompt.id}.{self.sampler.stage}", prompt_id=prompt.id, a=answer.text, b=plain.text)
        if any(not one.text or one.truncated for one in (plain, answer, why)):
            raise Dropped(CUT_OFF)
        if answer.text == plain.text:
            raise Dropped(IDENTICAL)
        if fault := self.fault(why.text, own, [*self.articles.values()]):
            raise Dropped(fault)
        label = await self.judge.label(pair, prompt, own.principle)
        if label.p_a_preferred is None:
            raise Dropped(f"{UNSCORED}{label.unscored}")
        if label.p_a_preferred <= 0.5:
            raise Dropped(NO_BETTER)
        return Dialogue(
            id=pair.id,
            prompt_id=prompt.id,
            principle_id=own.id,
            shown=tuple(one.id for one in seen),
            answer=answer.text,
            plain=plain.text,
            question=WHY,
            explanation=why.text,
            p_preferred=label.p_a_preferred,
            prompt_hash=digest(answer.prompt),
        )

    async def _answered(self, prompt: Prompt, own: Written) -> tuple[Completion, Completion, Sequence[Written]]:
        """Answer, explanation and the articles in view of both: besides its own as many others, drawn for the scenario,
        as both have room for."""
        others = [one for one in self.articles.values() if one.id != own.id]
        order = self.sampler.rng(prompt.id, "articles").permutation(len(others))
        drawn = [others[place] for place in order[: self.shown - 1]]

        async def ask(some: Sequence[Written]) -> tuple[Completion, Completion, Sequence[Written]]:
            seen = self._in_order(own, some)
            answer = await self.sampler.complete(_in_view(seen, prompt.turns), prompt.id, "answer", text="answer")
            turns = asked_why(prompt.turns, answer.text, WHY)
            return answer, await self.sampler.complete(_in_view(seen, turns), prompt.id, "why", text="answer"), seen

        return await fitting(ask, drawn, OTHERS)

    def _in_order(self, own: Written, others: Sequence[Written]) -> list[Written]:
        """As they stand in the constitution, so that the place does not tell which is the scenario's own."""
        ids = {own.id, *(one.id for one in others)}
        return [one for one in self.articles.values() if one.id in ids]


def _in_view(articles: Sequence[Written], turns: Sequence[Turn]) -> Context:
    """A dialogue with these articles as system turn, before any that it has of its own."""
    text = _BEFORE.format(articles="\n\n".join(f"{one.title}\n{one.text}" for one in articles))
    given = [turn.text for turn in turns if turn.role == "system"]
    system = Turn(role="system", text="\n\n".join([text, *given]))
    return dialogue((system, *(turn for turn in turns if turn.role != "system")))


def asked_why(turns: Sequence[Turn], answer: str, question: str) -> tuple[Turn, ...]:
    """The dialogue up to the explanation."""
    return (*turns, Turn(role="assistant", text=answer), Turn(role="human", text=question))


def names_fault(explanation: str, own: Written, articles: Sequence[Written]) -> str | None:
    """What is wrong with the articles that an explanation names; None if the right one is among them.

    Example: of `Honesty` and `Care`, "I went by Honesty." names the first, and "to be honest" neither.
    """
    named = _named(explanation, articles)
    if own.id in named:
        return None
    return ANOTHER if named else NO_ARTICLE


def _named(text: str, articles: Sequence[Written]) -> set[str]:
    """Ids of the articles whose titles stand in it, word by word. The number of a part counts only where it is written;
    words of a longer title name no article with a shorter one."""
    ways: dict[str, set[str]] = {}
    for one in articles:
        for way in (one.title, re.sub(r"\s*\(\d+\)$", "", one.title)):
            ways.setdefault(way.lower(), set()).add(one.id)
    named = set[str]()
    for way in sorted(ways, key=len, reverse=True):
        text, found = re.subn(rf"(?<!\w){re.escape(way)}(?!\w)", "|", text, flags=re.IGNORECASE)
        named |= ways[way] if found else set()
    return named


def dialogue_verdicts(kept: int, dropped: Mapping[str, int]) -> list[str | None]:
    """Of every verdict that the judge was asked for: why it could not be read, None if it could. `dropped`: rows by
    reason."""
    read = kept + dropped.get(NO_BETTER, 0)
    unread = [[why.removeprefix(UNSCORED)] * count for why, count in dropped.items() if why.startswith(UNSCORED)]
    return [None] * read + [*chain.from_iterable(unread)]


def explanation_prompts(dialogues: Sequence[Dialogue], scenarios: Mapping[str, Prompt]) -> list[Prompt]:
    """What is asked before each explanation: the scenario, its answer, and why. `scenarios`: by id."""
    return [
        Prompt(
            id=f"{one.id}.why",
            kind=scenarios[one.prompt_id].kind,
            turns=asked_why(scenarios[one.prompt_id].turns, one.answer, one.question),
            source=f"dialogue {one.id}",
            principle_id=one.principle_id,
        )
        for one in dialogues
    ]


def dialogue_demonstrations(dialogues: Sequence[Dialogue]) -> list[Demonstration]:
    """Of each dialogue two targets: the answer, and the explanation."""
    return [
        made
        for one in dialogues
        for made in (
            Demonstration(id=f"{one.id}.answer", prompt_id=one.prompt_id, answer=one.answer, source="dialogue"),
            Demonstration(
                id=f"{one.id}.explanation", prompt_id=f"{one.id}.why", answer=one.explanation, source="explanation"
            ),
        )
    ]
