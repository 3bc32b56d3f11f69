"""Computations that wait for each other: one at a time, in the order in which they were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event, Lock
from typing import Any, Generic, TypeVar, cast

from solon.report.public.language import mark
from solon.web.troubles import Trouble, too_often

T = TypeVar("T")
MOST = 8
"""Computations that wait or run; each takes one of the threads that answer (assumption: 40 of them)."""
MOST_OF_ONE = 2
"""Of them, those of one browser, so that nobody fills the line alone."""
LOOK_SECONDS = 0.5
"""How often one that waits looks how many come before it."""
_END = object()


class Stopped(Exception):
    """Nobody waits for the computation any more."""


@dataclass(frozen=True)
class Ahead:
    """So many computations come before; 0: it has begun."""

    count: int


@dataclass(eq=False)
class Computation(Generic[T]):
    """What is computed for one visitor."""

    work: Callable[[Callable[[Any], None]], T]
    """Is given what tells whoever waits how far it is."""
    line: Line
    who: str = ""
    """The browser that it is for."""
    _told: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    _stopped: Event = field(default_factory=Event)
    _result: T | None = None
    _error: BaseException | None = None

    def events(self) -> Iterator[Any]:
        """What it tells, and how many come before it while it waits (`Ahead`); ends when it has ended. Whoever leaves
        earlier stops it."""
        ahead = 0
        try:
            while True:
                if (now := self.line.before(self)) != ahead:
                    yield Ahead(now)
                    ahead = now
                with suppress(Empty):
                    told = self._told.get(timeout=LOOK_SECONDS)
                    if told is _END:
                        return
                    if ahead:
                        yield Ahead(ahead := 0)
                    yield told
        finally:
            self._stopped.set()

    def result(self) -> T:
        """Of the work, once `events` has ended; raises what it raised."""
        if self._error:
            raise self._error
        return cast(T, self._result)

    def awaited(self) -> T:
        """As `result`, when it has ended; what it tells until then is left aside."""
        for _ in self.events():
            pass
        return self.result()

    def run(self) -> None:
        """In the thread that computes."""
        try:
            self._heed()
            self._result = self.work(self._tell)
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result is told
            self._error = error
        finally:
            self.line.leave(self)
            self._told.put(_END)

    def _tell(self, what: Any) -> None:
        self._heed()
        self._told.put(what)

    def _heed(self) -> None:
        if self._stopped.is_set():
            raise Stopped


@dataclass
class Line:
    """The computations of a site that wait or run."""

    _order: list[Computation[Any]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "solon-models"))

    def join(self, work: Callable[[Callable[[Any], None]], T], who: str = "") -> Computation[T]:
        """The last of the line. Raises `Trouble` if the line is too long, or much of it is for the same browser."""
        with self._lock:
            if who and sum(one.who == who for one in self._order) >= MOST_OF_ONE:
                raise too_often(1)
            if len(self._order) >= MOST:
                raise Trouble(503, mark("Too many people wait for the models"), mark("Try again in a minute."))
            one = Computation(work, self, who)
            self._order.append(one)
        self._thread.submit(one.run)
        return one

    def before(self, one: Computation[Any]) -> int:
        """How many come first; 0 for one that runs or has ended."""
        with self._lock:
            return self._order.index(one) if one in self._order else 0

    def leave(self, one: Computation[Any]) -> None:
        with self._lock:
            self._order.remove(one)
