"""Conversations analysed while they run: by the functions that analyse files, in the background, and kept a moment."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock, Semaphore
from time import monotonic
from typing import Any, TypeVar

import numpy as np

from solon.collective import conversation as c
from solon.collective.conversation import Bools, Ints
from solon.collective.opinion.analysis import analyse, refreshed
from solon.collective.opinion.counts import IN_NO_GROUP, Counts, blocks, column_sums, labels_of
from solon.collective.opinion.grouping import find_groups
from solon.collective.opinion.polis.representativeness import priority
from solon.collective.opinion.results import Analysis
from solon.collective.opinion.stability import StabilityReport, opinion_of
from solon.web.db.assembled import assembled, version
from solon.web.db.engine import Database
from solon.web.db.events import NOTHING, Events, Shown, events_of
from solon.web.db.people import answers
from solon.web.db.tables import Conversation, State
from solon.web.lazy import lazy
from solon.web.troubles import busy

T = TypeVar("T")
log = logging.getLogger("solon.web")
LEAST_SECONDS = 5.0
"""Between two analyses of one conversation."""
REST = 10
"""An analysis rests for so many times as long as it took, so that the site has time for its visitors; axes and groups
are found anew after so many times as long as that takes. What comes between keeps them, and counts votes anew."""
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
    shown: Shown
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
    def views(self) -> Ints:
        """[K + 1, numbers]: people of each group who were shown each statement; the last row: those in no group."""
        groups = np.array([self.labels.get(one, IN_NO_GROUP) for one in self.shown.people.tolist()], dtype=np.int64)
        views = np.zeros(((self.analysis.groups.k if self.analysis else 0) + 1, self._numbers), dtype=np.int64)
        for group in range(IN_NO_GROUP, len(views) - 1):
            for rows in blocks(np.flatnonzero(groups == group)):
                views[group, self.shown.statements] += column_sums(self.shown.shown_MN[rows])
        return views

    @property
    def _numbers(self) -> int:
        """Of statements: one more than the largest."""
        return max(
            1 + int(numbers.max(initial=-1)) for numbers in (self.conversation.statement_ids, self.shown.statements)
        )

    def seldom(self, numbers_N: Ints, participant: int, least: int) -> Bools:
        """[N]: have fewer than `least` people of somebody's group seen each of these statements? Of any group, for
        whoever is in none. Nobody has seen what came after this moment."""
        groups = [IN_NO_GROUP]
        if self.analysis is not None:
            own = self.labels.get(participant)
            groups = [*range(self.analysis.groups.k)] if own is None else [own]
        known_N = numbers_N < self._numbers
        seldom_N = np.full(len(numbers_N), least > 0)
        seldom_N[known_N] = (self.views[groups][:, numbers_N[known_N]] < least).any(axis=0)
        return seldom_N


@dataclass(frozen=True)
class _Took:
    made: float
    seconds: float

    @property
    def rests(self) -> bool:
        return monotonic() - self.made < max(LEAST_SECONDS, REST * self.seconds)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    snapshot: Snapshot
    version: tuple[object, ...]
    events: Events
    looked: _Took
    """When the database was last looked into; of a whole analysis, which has a rest of its own, without its time."""
    whole: _Took
    """When axes and groups were last found."""
    is_whole: bool
    """Is the snapshot of that moment?"""

    @property
    def rests(self) -> bool:
        return self.looked.rests


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
        started, kept = monotonic(), self._kept.get(talk)
        with self.database.session(writes=False) as db:
            row = db.get_one(Conversation, talk)
            events = events_of(db, row, kept.events if kept else NOTHING)
            found, closed = (*version(db, row), *events.version), row.state == State.CLOSED
            anew = closed or kept is None or kept.snapshot.analysis is None or not kept.whole.rests
            if kept and kept.version == found and (kept.is_whole or not anew):
                self._kept[talk] = replace(kept, looked=_Took(monotonic(), monotonic() - started))
                return kept.snapshot
            read = assembled(db, row, events), answers(db, row) if row.population else {}
        # After the transaction: nobody waits for an analysis to let go of the database.
        snapshot = _snapshot(*read, events, kept.snapshot if kept and not anew else None, closed=closed)
        took = _Took(monotonic(), monotonic() - started)
        looked, whole = (_Took(took.made, 0.0), took) if kept is None or anew else (took, kept.whole)
        self._kept[talk] = _Kept(
            snapshot=snapshot, version=found, events=events, looked=looked, whole=whole, is_whole=anew
        )
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
    talk: c.Conversation,
    answers: Mapping[int, Mapping[str, str]],
    events: Events,
    before: Snapshot | None,
    *,
    closed: bool,
) -> Snapshot:
    """`before`: one whose axes and groups are kept."""
    analysis, stability = None, None
    if talk.seen_PS.any():
        known = before.analysis if before else None
        analysis = refreshed(known, talk) if known else analyse(talk, groups=find_groups(talk, counted=False))
        if closed and analysis.groups.k > 1:
            stability = opinion_of(analysis.conversation, groups=analysis.groups).stability
    made = Snapshot(conversation=talk, analysis=analysis, shown=events.shown(), answers=answers, stability=stability)
    _ = made.views, made.priorities  # here, so that nobody who votes waits for them
    return made
