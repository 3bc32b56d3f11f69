"""How many requests are under way at once: as many as the server bears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Turns:
    """One more after as many good replies as there are turns; half as many, and at least one, when a server says that
    they are too many. Requests that were under way together halve them once. (As TCP: additive increase,
    multiplicative decrease.)"""

    def __init__(self, most: int):
        self.most = most
        self.now = float(most)
        self._turns = asyncio.Semaphore(most)
        self._withheld = self._cuts = 0
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def one(self, room: Callable[[], bool]) -> AsyncIterator[int]:
        """Waits for a turn, and until there is room for what is asked. Gives what `overloaded` wants to know."""
        await self._turns.acquire()
        try:
            while not room():  # others may turn out to need less than they can
                await self._settled.wait()
            yield self._cuts
        finally:
            self._settled.set()
            self._settled.clear()
            self._withheld += 1
            while self._withheld > self.most - int(self.now):
                self._withheld -= 1
                self._turns.release()

    def went_well(self) -> None:
        """A reply came."""
        self.now = min(float(self.most), self.now + 1 / self.now)

    def overloaded(self, turn: int) -> None:
        """The server says, of a request in this turn, that there are too many."""
        if turn == self._cuts:
            self.now = max(1.0, self.now / 2)
            self._cuts += 1
