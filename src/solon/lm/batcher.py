"""Rows side by side, and their requests answered in batches.

Which requests form a batch follows from the rows alone, never from the clock: a batch begins when every row waits. So a
shard that is computed again after a kill forms the same batches, and has the same bytes. This holds for rows that
wait for nothing but the engine, and whose parts have no parts side by side of their own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")

QUIET = 4
"""Passes of the event loop without a new request after which every row is taken to wait. A row whose parts ran side by
side asks again after 2 such passes; with parts of parts it would be after 5, and its batch would be split."""
_PLACE: ContextVar[tuple[int, ...]] = ContextVar("_PLACE", default=())
"""Of what runs now among all that runs side by side: `(3, 1)` is the second part of the fourth row."""


_RUNNER: ContextVar[asyncio.Runner | None] = ContextVar("_RUNNER", default=None)
"""Holds the loop that is shared."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns. Where a loop runs already, as in a notebook, it runs in a thread, and is waited
    for."""
    if _in_loop():
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(asyncio.run, coroutine).result()
    runner = _RUNNER.get()
    return runner.run(coroutine, context=copy_context()) if runner else asyncio.run(coroutine)


@contextmanager
def shared_loop() -> Iterator[None]:
    """Whatever `run` runs in the block has one event loop, which ends with the block: what an engine opens in it, such
    as connections, serves from one call to the next. Where a loop runs already, every call has its own."""
    if _in_loop():
        yield
        return
    with asyncio.Runner() as runner:
        before = _RUNNER.set(runner)
        try:
            yield
        finally:
            _RUNNER.reset(before)


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def together(rows: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What the coroutines return, in their order. The first error ends all others and is raised as it is."""
    here, tasks = _PLACE.get(), []
    try:
        async with asyncio.TaskGroup() as group:
            for number, row in enumerate(rows):
                context = copy_context()
                context.run(_PLACE.set, (*here, number))
                tasks.append(group.create_task(row, context=context))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    place: tuple[int, ...]
    kind: str
    answer: Callable[[Sequence[Any]], Sequence[Any]]
    request: Any
    future: asyncio.Future[Any]


class Batcher:
    """Holds requests until every row waits, then answers those of one kind, in the order of the rows."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, answer: Callable[[Sequence[Q]], Sequence[A]], request: Q, *, kind: str) -> A:
        """The answer to a request, once its batch is done. All requests of a kind have the same `answer`: it answers
        requests in their order, and what it raises is raised to every row of the batch."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(place=_PLACE.get(), kind=kind, answer=answer, request=request, future=future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
            self._worker.add_done_callback(self._ended)
        return await future

    async def _work(self) -> None:
        while await self._all_wait():
            batch = self._next()
            try:
                answers = batch[0].answer([waiting.request for waiting in batch])
                answered = list(zip(batch, answers, strict=True))
            except Exception as error:  # noqa: BLE001 - whatever it is, the rows that wait are told
                for waiting in batch:
                    waiting.future.set_exception(error)
            else:
                for waiting, answer in answered:
                    waiting.future.set_result(answer)

    async def _all_wait(self) -> bool:
        """True when every row waits; False when there is none."""
        count, quiet = -1, 0
        while quiet < QUIET:
            quiet = quiet + 1 if len(self._waiting) == count else 0
            count = len(self._waiting)
            await asyncio.sleep(0)
        going = (waiting for waiting in self._waiting if not waiting.future.done())  # some rows have given up
        self._waiting = sorted(going, key=lambda waiting: waiting.place)
        return bool(self._waiting)

    def _next(self) -> list[_Waiting]:
        """The requests of the kind that most wait for, so that a row which is ahead of the others waits for them."""
        counts = Counter(waiting.kind for waiting in self._waiting)
        kind = counts.most_common(1)[0][0]  # of equals that of the first row
        batch = [waiting for waiting in self._waiting if waiting.kind == kind]
        self._waiting = [waiting for waiting in self._waiting if waiting.kind != kind]
        return batch

    def _ended(self, worker: asyncio.Task[None]) -> None:
        """Forgets the worker, whose last traceback may hold this batcher. An interrupt within a batch ends the loop by
        itself; unseen, it would be reported a second time."""
        if self._worker is worker:
            self._worker = None
        if not worker.cancelled():
            worker.exception()
