"""Requests of many rows, collected for an engine that takes lists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

QUIET = 16
"""Passes of the event loop after the first request in which all other rows have asked, too."""


class Gather(Generic[Q, A]):
    """Hands all that wait to `answer` at once."""

    def __init__(self, answer: Callable[[Sequence[Q]], Sequence[A]]):
        self._answer = answer
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, request: Q) -> A:
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if len(self._waiting) == 1:
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        for _ in range(QUIET):
            await asyncio.sleep(0)
        waiting, self._waiting = self._waiting, []
        answers = self._answer([request for request, _ in waiting])
        for (_, future), answer in zip(waiting, answers, strict=True):
            future.set_result(answer)
