"""Rows side by side, and their requests answered together.

Which requests are computed together follows from the rows alone, never from the clock: requests are let in when every
row waits, and whenever one of them was answered, the others stand still until its row waits again. So a shard that is
computed again after a kill has the same bytes. This holds for rows that wait for nothing but the engine, and whose
parts have no parts side by side of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from solon.lm.jobs import Job
    from solon.lm.scheduler import Scheduler

T = TypeVar("T")

QUIET = 4
"""Passes of the event loop without a new request after which every row is taken to wait. A row whose parts ran side by
side asks again after 2 such passes; with parts of parts it would be after 5, and its batch would be split."""
_PLACE: ContextVar[tuple[int, ...]] = ContextVar("_PLACE", default=())
"""Of what runs now among all that runs side by side: `(3, 1)` is the second part of the fourth row."""


_RUNNER: ContextVar[asyncio.Runner | None] = ContextVar("_RUNNER", default=None)
"""Holds the loop that is shared."""
_WORKER = "batcher"
"""What tasks are called that hold a scheduler open."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns, after the schedulers have closed that it opened. Where a loop runs already, as in a
    notebook, it runs in a thread, and is waited for."""
    coroutine = _and_its_workers(coroutine)
    if _in_loop():
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(asyncio.run, coroutine).result()
    runner = _RUNNER.get()
    if runner is None:
        return asyncio.run(coroutine)
    try:
        return runner.run(coroutine, context=copy_context())
    except BaseException:
        _end_all(runner.get_loop())  # an interrupt leaves rows that wait; they would outlive their callers
        raise


async def _and_its_workers(coroutine: Coroutine[Any, Any, T]) -> T:
    result = await coroutine
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == _WORKER))
    return result


def _end_all(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


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


class Batcher:
    """Takes requests of rows to a scheduler, which lives as long as any row waits."""

    def __init__(self) -> None:
        self._new: list[Job] = []
        self._waiting: dict[Job, asyncio.Future[Any]] = {}
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, job: Job, open_scheduler: Callable[[], AbstractContextManager[Scheduler]]) -> Any:
        """The job's result, once it has one; raises its error. All jobs have the same scheduler."""
        future = self._waiting[job] = asyncio.get_running_loop().create_future()
        job.place = _PLACE.get()
        self._new.append(job)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(open_scheduler), name=_WORKER)
            self._worker.add_done_callback(self._ended)
        return await future

    async def _work(self, open_scheduler: Callable[[], AbstractContextManager[Scheduler]]) -> None:
        try:
            with open_scheduler() as scheduler:
                while await self._all_wait(scheduler):
                    while not (ended := scheduler.step()):
                        await asyncio.sleep(0)
                    for job in ended:
                        _settle(self._waiting.pop(job), job.result, job.error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the rows that wait are told
            waiting, self._waiting, self._new = self._waiting, {}, []
            for future in waiting.values():
                _settle(future, None, error)

    async def _all_wait(self, scheduler: Scheduler) -> bool:
        """Lets requests in when every row waits; False when there is none."""
        count, quiet = -1, 0
        while quiet < QUIET:
            quiet = quiet + 1 if len(self._new) == count else 0
            count = len(self._new)
            await asyncio.sleep(0)
        new, self._new = self._new, []
        scheduler.add([job for job in new if not self._waiting[job].done()])
        for job in [job for job, future in self._waiting.items() if future.done()]:  # its row has given up
            del self._waiting[job]
            scheduler.drop(job)
        return bool(scheduler)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        """Forgets the worker, whose last traceback may hold this batcher. An interrupt within a step ends the loop by
        itself; unseen, it would be reported a second time."""
        if self._worker is worker:
            self._worker = None
        if not worker.cancelled():
            worker.exception()


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
