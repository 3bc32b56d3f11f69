"""Conversations analysed while they run: by the functions that analyse files, in the background, and kept a moment."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock, Semaphore
from time import monotonic
from typing import Any, TypeVar

import numpy as np

from solon.collective import conversation as c
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.counts import IN_NO_GROUP, Counts, labels_of
from solon.collective.opinion.grouping import find_groups
from solon.collective.opinion.polis.representativeness import priority
from solon.collective.opinion.results import Analysis
from solon.collective.opinion.stability import StabilityReport, opinion_of
from solon.web.db.assembled import assembled, version
from solon.web.db.engine import Database
from solon.web.db.people import answers
from solon.web.db.showings import views
from solon.web.db.tables import Conversation, State
from solon.web.lazy import lazy
from solon.web.troubles import busy

T = TypeVar("T")
log = logging.getLogger("solon.web")
LEAST_SECONDS = 5.0
"""Between two analyses of one conversation."""
REST = 10
"""An analysis rests for so many times as long as it took, so that the site has time for its visitors."""
MOST_WAITERS = 4
"""Requests that wait for an analysis at once: each takes one of the threads that answer (assumption: 40 of them)."""
NOBODY = np.zeros((1, 1), dtype=np.int64)
NEW_PRIORITY = float(priority(Counts(agrees=NOBODY, disagrees=NOBODY, seen=NOBODY), np.zeros(1), np.zeros(1, bool))[0])
"""Of a statement that no analysis has seen yet."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A conversation at one moment. `analysis` is None until somebody has voted."""

    conversation: c.Conversation
    analysis: Analysis | None
    seen_by: tuple[tuple[int, int], ...]
    """Statement and participant, by their numbers, wherever one was shown to the other."""
    answers: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    """What participants said of themselves, by their numbers."""
    stability: StabilityReport | None = None
    """How firm the groups are; measured when nobody votes any more."""
    _lock: Lock = field(default_factory=Lock)
    _made: dict[object, Any] = field(default_factory=dict)

    def once(self, key: object, make: Callable[[], T]) -> T:
        """What is made from this snapshot alone, such as a report in one language, is made once."""
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            made: T = self._made[key]
            return made

    @lazy
    def priorities(self) -> dict[int, float]:
        """By statement."""
        if self.analysis is None:
            return {}
        return dict(zip(self.conversation.statement_ids.tolist(), self.analysis.priority_S.tolist(), strict=True))

    @lazy
    def labels(self) -> dict[int, int]:
        """Group by participant; those in none are not in it."""
        if self.analysis is None:
            return {}
        labels = labels_of(self.conversation, self.analysis.groups).tolist()
        everybody = zip(self.conversation.participant_ids.tolist(), labels, strict=True)
        return {number: label for number, label in everybody if label != IN_NO_GROUP}

    @lazy
    def views(self) -> Counter[tuple[int, int]]:
        """People of each group who were shown a statement, by group and statement."""
        return Counter((self.labels.get(person, IN_NO_GROUP), statement) for statement, person in self.seen_by)

    def seldom(self, statement: int, participant: int, least: int) -> bool:
        """Have fewer than `least` people of somebody's group seen a statement? Of any group, for whoever is in none."""
        if self.analysis is None:
            return self.views[IN_NO_GROUP, statement] < least
        own = self.labels.get(participant)
        groups = range(self.analysis.groups.k) if own is None else (own,)
        return any(self.views[group, statement] < least for group in groups)


@dataclass
class _Kept:
    snapshot: Snapshot
    version: tuple[object, ...]
    made: float
    took: float

    @property
    def rests(self) -> bool:
        return monotonic() - self.made < max(LEAST_SECONDS, REST * self.took)


@dataclass
class Live:
    """The newest snapshot of every conversation of this process."""

    database: Database
    _kept: dict[int, _Kept] = field(default_factory=dict)
    _running: dict[int, Future[Snapshot]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _waiters: Semaphore = field(default_factory=lambda: Semaphore(MOST_WAITERS))
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "solon-live"))

    def newest(self, talk: int) -> Snapshot | None:
        """What is known now, without waiting; what is older than it might be is made anew meanwhile. None: nothing."""
        kept = self._kept.get(talk)
        if kept is None or not kept.rests:
            self._start(talk)
        return kept.snapshot if kept else None

    def current(self, talk: int) -> Snapshot:
        """A moment old at most; waits for it where it must.

        No more than a few wait, for the site has other visitors: the rest is given the one before.
        Raises `Trouble` where there is none.
        """
        kept = self._kept.get(talk)
        if kept and kept.rests:
            return kept.snapshot
        running = self._start(talk)
        if not self._waiters.acquire(blocking=False):
            if kept is None:
                raise busy()
            return kept.snapshot
        try:
            return running.result()
        finally:
            self._waiters.release()

    def refresh(self, talk: int) -> Snapshot:
        """As the database is now."""
        started = monotonic()
        with self.database.session(writes=False) as db:
            row = db.get_one(Conversation, talk)
            found = version(db, row)
            kept = self._kept.get(talk)
            same = kept is not None and kept.version == found
            read = () if same else (assembled(db, row), views(db, row), answers(db, row), row.state)
        # After the transaction: nobody waits for an analysis to let go of the database.
        snapshot = kept.snapshot if kept and same else _snapshot(*read)
        self._kept[talk] = _Kept(snapshot, found, monotonic(), monotonic() - started)
        return snapshot

    def _start(self, talk: int) -> Future[Snapshot]:
        with self._lock:
            running = self._running.get(talk)
            if running is None or running.done():
                running = self._running[talk] = self._pool.submit(self.refresh, talk)
                running.add_done_callback(_log_failure)
            return running


def _log_failure(done: Future[Snapshot]) -> None:
    """Somebody may have asked without waiting."""
    if error := done.exception():
        log.error("a conversation could not be analysed", exc_info=error)


def _snapshot(
    talk: c.Conversation, seen_by: list[tuple[int, int]], answers: Mapping[int, Mapping[str, str]], state: str
) -> Snapshot:
    analysis, stability = None, None
    if talk.seen_PS.any():
        analysis = analyse(talk, groups=find_groups(talk, counted=False))
        if state == State.CLOSED and analysis.groups.k > 1:
            stability = opinion_of(analysis.conversation, groups=analysis.groups).stability
    return Snapshot(conversation=talk, analysis=analysis, seen_by=tuple(seen_by), answers=answers, stability=stability)
