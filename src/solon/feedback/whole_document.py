"""Which of two answers keeps better to a document as a whole, as far as the judge has room for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from solon.constitution.fitting import Selection, fitting
from solon.constitution.principles import WHOLE, Constitution, Principle
from solon.errors import TooLongError
from solon.feedback.judge import Judge
from solon.feedback.rows import note
from solon.prompting.comparison import Task
from solon.prompting.context import Context
from solon.records import Comparison, Pair, Prompt

_VERDICT = 32
"""Tokens for the option, for what leads to it after reasoning, and for where pieces meet that were counted apart.
Assumption."""


@dataclass(frozen=True, kw_only=True)
class DocumentJudge(Judge):
    """Puts a pair under the articles of a document that fit its context, unless it is asked by one principle.

    Few-shot examples come after the articles: as many as still fit.
    """

    document: Constitution
    render: Callable[[Context], str]
    """What the judge's model reads."""
    count_tokens: Callable[[str], int]
    most_tokens: int | None = None
    """At most so many for the question, even if the context has room for more, or does not say."""

    async def label(self, pair: Pair, prompt: Prompt, principle: Principle | None = None) -> Comparison:
        """The articles are chosen by what the prompt and both answers say, recorded and counted. Dropped as too long:
        pairs that leave no room for an article."""
        if principle is not None:
            return await super().label(pair, prompt, principle)
        chosen = self._chosen_for(pair, prompt)
        for name in chosen.articles:
            note(f"article read: {name}")
        note("articles without room", len(chosen.left_out))
        asked = Principle(id=WHOLE, title="The constitution as a whole", comparison_question=chosen.question)
        found = await super().label(pair, prompt, asked)
        return found.model_copy(update={"articles": chosen.articles})

    def _chosen_for(self, pair: Pair, prompt: Prompt) -> Selection:
        text = "\n".join([*(turn.text for turn in prompt.turns), pair.a, pair.b])
        chosen = fitting(self.document, self._room(pair, prompt), self._guarded_tokens, text)
        if chosen is None:
            raise TooLongError(f"the pair {pair.id} leaves no room for an article of the constitution")
        return chosen

    def _room(self, pair: Pair, prompt: Prompt) -> float:
        """Tokens for the question."""
        context, reasons = self.sampler.model.can.context, self.section.method == "cot"
        most = math.inf if self.most_tokens is None else self.most_tokens
        if context is None:
            return most
        task = Task(turns=prompt.turns, first=pair.a, second=pair.b, question="")
        asked = self.format.reasoning(task) if reasons else self.format.comparison(task)
        reply = self.sampler.sampling.max_new_tokens if reasons else 0
        return min(most, context - self.count_tokens(self.render(asked)) - reply - _VERDICT)

    def _guarded_tokens(self, text: str) -> int:
        return self.count_tokens(self.format.guard(text))
