"""Coroutines side by side, each of which knows its place."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

PLACE: ContextVar[tuple[int, ...]] = ContextVar("PLACE", default=())
"""Of what runs now among all that runs side by side: `(3, 1)` is the second part of the fourth row."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns; also where a loop runs already, as in a notebook: then in a thread, waited for."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


async def together(rows: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What the coroutines return, in their order. The first error ends all others and is raised as it is."""
    here, tasks = PLACE.get(), []
    try:
        async with asyncio.TaskGroup() as group:
            for number, row in enumerate(rows):
                context = copy_context()
                context.run(PLACE.set, (*here, number))
                tasks.append(group.create_task(row, context=context))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
