"""One coroutine per row: what a row asks its model with, and how the rows of a shard run side by side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from solon.errors import EngineError, TooLongError
from solon.feedback.made import Made
from solon.lm.protocols import Completion, LanguageModel, Sampling
from solon.lm.together import together
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
class Account:
    """What is counted while rows run; see `Made`."""

    dropped: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    tokens: int = 0

    def note_ending(self, what: str, completion: Completion) -> None:
        """Counts an empty or truncated text."""
        if not completion.text:
            self.noted[f"empty {what}"] += 1
        elif completion.truncated:
            self.noted[f"unfinished {what}"] += 1


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Asks a model for the rows of one stage: each request with a seed of its row's, and everything counted."""

    model: LanguageModel
    sampling: Sampling
    seed: int
    stage: str
    account: Account = field(default_factory=Account)

    def rng(self, *row: str | int) -> np.random.Generator:
        """Randomness of a row, named by its id and what it is for."""
        return generator(self.seed, self.stage, *row)

    async def complete(self, context: Context, *row: str | int) -> Completion:
        """A reply, with the seed that is named so."""
        seed = derive_seed(self.seed, self.stage, *row)
        completion = await self.model.complete(context, self.sampling, seed=seed)
        self.account.tokens += completion.tokens
        return completion

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
                self.account.noted["few-shot examples left out"] += len(shots) - used
                return reply

    def rows(self, rows: Iterable[Coro[T]]) -> Made[T]:
        """Runs the rows side by side; their records in order.

        A row that drops itself, or whose engine fails at it, is counted by reason and leaves the others alone. Any
        other error ends all.
        """
        found = asyncio.run(together(map(self._kept, rows)))
        records = tuple(record for kept in found for record in kept)
        dropped, noted = +self.account.dropped, +self.account.noted
        return Made(records=records, dropped=dropped, noted=noted, tokens=self.account.tokens)

    async def _kept(self, row: Coro[T]) -> tuple[T, ...]:
        try:
            return (await row,)
        except (Dropped, EngineError) as error:
            self.account.dropped[error.reason] += 1
            return ()
