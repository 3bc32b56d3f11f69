"""One coroutine per row: how a row samples from its model, and how the rows of a shard run side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from solon.errors import EngineError, TooLongError
from solon.evals import quality
from solon.lm.batcher import run, together
from solon.lm.protocols import Completion, LanguageModel, Sampling
from solon.prompting.context import Context
from solon.prompting.dialogue import HumanAssistant
from solon.prompting.guard import Guard
from solon.seeds import derive_seed, generator

T = TypeVar("T")
S = TypeVar("S")


@dataclass(kw_only=True)
class Rows(Generic[T]):
    """Records, with the counts that belong in the stage's manifest."""

    records: tuple[T, ...] = ()
    dropped: Counter[str] = field(default_factory=Counter)
    """Rows that gave no record, by reason."""
    noted: Counter[str] = field(default_factory=Counter)
    """Things that happened to rows that were kept, e.g. `unfinished answer`."""
    texts: Counter[str] = field(default_factory=Counter)
    """How many texts they took, and tokens (`evals.quality`)."""
    tokens: int = 0
    """Generated tokens."""

    def account(self, parts: Iterable[Rows[Any]]) -> Rows[T]:
        """These rows, with the counts of the parts that they came from."""
        for part in parts:
            self.dropped += part.dropped
            self.noted += part.noted
            self.texts += part.texts
            self.tokens += part.tokens
        return self


class Dropped(Exception):
    """A row ends without a record. `told`: what it noted and its texts count as if it had one."""

    def __init__(self, reason: str, *, told: bool = False):
        super().__init__(reason)
        self.reason, self.told = reason, told


_ROW: ContextVar[Rows[Any]] = ContextVar("_ROW")
"""The counts of the row that runs now; its parts share them."""


def run_rows(rows: Iterable[Coroutine[Any, Any, T]]) -> Rows[T]:
    """Runs the rows side by side; their records in order.

    A row that drops itself, or whose engine fails at it, is counted by reason and leaves the others alone. Any other
    error ends all.
    """
    waiting = list(rows)
    try:
        parts = run(together(map(_run_row, waiting)))
    finally:
        for row in waiting:
            row.close()  # an interrupt leaves some that never began
    return Rows(records=tuple(record for part in parts for record in part.records)).account(parts)


async def _run_row(row: Coroutine[Any, Any, T]) -> Rows[T]:
    counts = Rows[T]()
    _ROW.set(counts)
    try:
        counts.records = (await row,)
    except (Dropped, EngineError) as error:
        if not (isinstance(error, Dropped) and error.told):
            counts = Rows(tokens=counts.tokens)
        counts.dropped[error.reason] += 1
    return counts


def note(what: str, count: int = 1) -> None:
    """Counts something about the row that runs now, if the row is kept."""
    _ROW.get().noted[what] += count


async def fitting(ask: Callable[[Sequence[S]], Awaitable[T]], shots: Sequence[S], what: str = "few-shot examples") -> T:
    """The reply behind as many of the few-shot examples, from the first, as the context has room for.

    Those left out are noted, as `what` they are. Raises `TooLongError` if not even the task alone fits.
    """
    used = len(shots)
    while True:
        try:
            reply = await ask(shots[:used])
        except TooLongError:
            if not used:
                raise
            used -= 1
        else:
            note(f"{what} left out", len(shots) - used)
            return reply


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A model, and how the rows of one stage sample from it. Every completion has its own seed, derived from names."""

    model: LanguageModel
    sampling: Sampling
    seed: int
    """The run's."""
    stage: str
    guard: Guard = HumanAssistant.guard
    """That of the model's dialogue format: a text that it would change has marks of the format in it."""

    def rng(self, *names: str | int) -> np.random.Generator:
        """The row's own generator for one purpose."""
        return generator(self.seed, self.stage, *names)

    async def complete(
        self,
        context: Context,
        *names: str | int,
        text: quality.Kind | None = None,
        echo: Callable[[str], str | None] = lambda text: None,
    ) -> Completion:
        """A completion, for the row that runs now.

        Args:
            text: what it and its flaws are counted as.
            echo: what its text repeats, as that is counted.
        """
        seed = derive_seed(self.seed, self.stage, *names)
        completion = await self.model.complete(context, self.sampling, seed=seed)
        row = _ROW.get()
        row.tokens += completion.tokens
        if text:
            flaws, sizes = quality.counted(text, completion, self.guard, echo(completion.text))
            row.noted += flaws
            row.texts += sizes
        return completion
