"""Held-out text, and how surprising it is (`published.perplexity`). Models are compared by its windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from pathlib import Path

from solon.config.evaluations import PerplexitySection
from solon.errors import EngineError
from solon.evals.published.perplexity import parted, read_texts, windows
from solon.evals.tasks import Asked, Item, Outcome, Statistic, outcome, spread
from solon.lm.batcher import together
from solon.prompting.context import Context

PERPLEXITY: Mapping[str, Statistic] = {"perplexity": "perplexity", "bits per byte": "ratio"}


@dataclass(frozen=True, kw_only=True)
class TextItem:
    """A text."""

    name: str
    text: str
    window: int
    alone: bool
    """Whether there is no other: then its windows stand for themselves."""
    task: str = "perplexity"

    @property
    def says(self) -> str:
        """All of it."""
        return self.text

    def unasked(self, why: str) -> tuple[Outcome, ...]:
        """One, in the place of its windows."""
        return (outcome(self.task, self.name, None, unscored=why),)

    async def ask(self, by: Asked) -> tuple[Outcome, ...]:
        most = min(self.window, by.model.can.context or self.window)
        parts = [parted(part) for part in windows(self.text, by.count_tokens, most)]
        scorable = [(first, rest) for first, rest in parts if rest]
        if not scorable:
            return self.unasked("no window with a second word")
        try:
            scored = await together([by.model.score(Context(prefill=first), [rest]) for first, rest in scorable])
        except EngineError as error:
            return self.unasked(error.reason)
        both = zip(scorable, scored, strict=True)
        return tuple(
            self._outcome(number, by, *part, -one.logprobs[0]) for number, (part, one) in enumerate(both, start=1)
        )

    def _outcome(self, number: int, by: Asked, first: str, rest: str, nats: float) -> Outcome:
        name = f"{self.name}.{number}"
        tokens = by.count_tokens(first + rest) - by.count_tokens(first)
        values = {"perplexity": nats, "bits per byte": nats / log(2)}
        weights = {"perplexity": float(tokens), "bits per byte": float(len(rest.encode()))}
        return outcome("perplexity", name, None, name if self.alone else self.name, values=values, weights=weights)


def text_items(section: PerplexitySection, path: Path) -> list[Item]:
    """Raises `PromptError`."""
    texts = read_texts(path)
    return [
        TextItem(name=str(number), text=text, window=section.window, alone=len(texts) == 1)
        for number, text in spread(list(enumerate(texts, start=1)), section.limit)
    ]
