"""One coroutine per row: what a row asks its model with, and how the rows of a shard run side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from solon.errors import EngineError, TooLongError
from solon.feedback.made import Made, joined
from solon.lm.batcher import run, together
from solon.lm.protocols import Completion, LanguageModel, Sampling
from solon.prompting.context import Context
from solon.seeds import derive_seed, generator

T = TypeVar("T")
S = TypeVar("S")
Coro = Coroutine[Any, Any, T]


class Dropped(Exception):
    """A row ends without a record."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(kw_only=True)
class _Account:
    """What is counted while a row runs; what is noted counts only if the row is kept."""

    noted: Counter[str] = field(default_factory=Counter)
    tokens: int = 0


_ACCOUNT: ContextVar[_Account] = ContextVar("_ACCOUNT")
"""That of the row that runs now; its parts share it."""


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Asks a model for the rows of one stage: each request with a seed of its row's, and everything counted.

    All but `rows` and `rng` is for coroutines that `rows` runs.
    """

    model: LanguageModel
    sampling: Sampling
    seed: int
    stage: str

    def rng(self, *row: str | int) -> np.random.Generator:
        """Randomness of a row, named by its id and what it is for."""
        return generator(self.seed, self.stage, *row)

    async def complete(self, context: Context, *row: str | int) -> Completion:
        """A reply, with the seed that is named so."""
        seed = derive_seed(self.seed, self.stage, *row)
        completion = await self.model.complete(context, self.sampling, seed=seed)
        _ACCOUNT.get().tokens += completion.tokens
        return completion

    def note(self, what: str, count: int = 1) -> None:
        """Counts what is to be known of the row, if it is kept."""
        _ACCOUNT.get().noted[what] += count

    def note_ending(self, what: str, completion: Completion) -> None:
        """Notes an empty or truncated text."""
        if not completion.text:
            self.note(f"empty {what}")
        elif completion.truncated:
            self.note(f"unfinished {what}")

    async def fitting(self, ask: Callable[[Sequence[S]], Awaitable[T]], shots: Sequence[S]) -> T:
        """What is replied behind as many of the few-shot examples, from the first, as the context has room for.

        Examples left out are noted. Raises `TooLongError` if not even the task alone fits.
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
                self.note("few-shot examples left out", len(shots) - used)
                return reply

    def rows(self, rows: Iterable[Coro[T]]) -> Made[T]:
        """Runs the rows side by side; their records in order.

        A row that drops itself, or whose engine fails at it, is counted by reason and leaves the others alone. Any
        other error ends all.
        """
        waiting = list(rows)
        try:
            return joined(run(together(map(_kept, waiting))))
        finally:
            for row in waiting:
                row.close()  # an interrupt leaves some that never began


async def _kept(row: Coro[T]) -> Made[T]:
    account = _Account()
    _ACCOUNT.set(account)
    try:
        record = await row
    except (Dropped, EngineError) as error:
        return Made(records=(), dropped=Counter({error.reason: 1}), tokens=account.tokens)
    return Made(records=(record,), noted=account.noted, tokens=account.tokens)
