"""Which of two answers keeps better to a document as a whole, as far as the judge has room for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solon.constitution.fitting import Fitter, Selection
from solon.constitution.principles import WHOLE, Constitution, Principle, draw
from solon.errors import TooLongError
from solon.feedback.judge import DRAWINGS, Judge, Shots, question_of
from solon.feedback.rows import note
from solon.prompting.comparison import Example, Task, reasoned
from solon.prompting.context import Context
from solon.records import Comparison, Pair, Prompt, Turn

_VERDICT = 32
"""Tokens for the option, for what leads to it after reasoning, and for where pieces meet that were counted apart.
Assumption."""


@dataclass(frozen=True, kw_only=True)
class DocumentJudge(Judge):
    """Puts a pair under the articles of a document that fit its context, unless it is asked by one principle.

    Few-shot examples ask by an article each, never by all of them. They have their room before the articles, unless
    none would then have any; after that, as many are shown as still fit.
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
        if principle is not None or pair.a == pair.b:
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
        for spared in (self._example_tokens, 0):
            if chosen := self._fitter.choose(self._room(pair, prompt, spared), text):
                return chosen
        raise TooLongError(f"the pair {pair.id} leaves no room for an article of the constitution")

    def _room(self, pair: Pair, prompt: Prompt, spared: int) -> float:
        """Tokens for the question, if so many are spared for examples."""
        context = self.sampler.model.can.context
        most = math.inf if self.most_tokens is None else self.most_tokens
        if context is None:
            return most
        task = Task(turns=prompt.turns, first=pair.a, second=pair.b, question="")
        reply = self.sampler.sampling.max_new_tokens if self._reasons else 0
        return min(most, context - self._tokens(task) - spared - reply - _VERDICT)

    def _tokens(self, task: Task, shots: Sequence[Example] = ()) -> int:
        asked = self.format.reasoning(task, shots) if self._reasons else self.format.comparison(task, shots)
        return self.count_tokens(self.render(asked))

    @property
    def _reasons(self) -> bool:
        return self.section.method == "cot"

    def _shots(self, rng: np.random.Generator) -> Shots:
        """Those with reasons ask by an article of the stage's drawing; the others always do."""
        shots = super()._shots(rng)
        if not self._reasons:
            return shots
        article = self._example_article(int(rng.integers(DRAWINGS)))
        return lambda principle: shots(article if principle.id == WHOLE else principle)

    def _example_article(self, number: int) -> Principle:
        return draw(self.principles, self.sampler.rng("examples", number))

    @cached_property
    def _example_tokens(self) -> int:
        """Of all examples, in the longest of the stage's drawings."""
        task = Task(turns=(Turn(role="human", text="?"),), first="?", second="?", question="?")
        drawings = [
            reasoned(self.shots.reasoning, question_of(self._example_article(number)))
            if self._reasons
            else self._drawn(number, mirrored=False)
            for number in range(DRAWINGS)
        ]
        return max(self._tokens(task, shots) for shots in drawings) - self._tokens(task)

    @cached_property
    def _fitter(self) -> Fitter:
        return Fitter(self.document, lambda text: self.count_tokens(self.format.guard(text)))
