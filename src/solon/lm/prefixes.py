"""Beginnings that were read already: found, and read once.

Three kinds of sharing come to the same: the next request of a row begins with what the last one wrote, the rows of a
stage begin with the same examples, and both orders of a comparison are alike but for their end. A request goes on where
the longest beginning that is known ends: in the same place if nobody needs the rest of it, else in a copy. A beginning
that many wait for is a trunk, held once for all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Tokens
from typing import Any, Literal

from solon.lm.cache import Cache, Place, Sequence
from solon.lm.jobs import Job

CHUNK = 16
"""Tokens by which beginnings are compared; a shorter one is not worth the search. Assumption."""
TRUNK_ROWS = 16
TRUNK_TOKENS = 128
"""So many rows that share so many tokens have them in a trunk: fewer gain less than the products of their own cost."""
AHEAD = 32
"""Columns that a row gets beyond its prompt, so that it does not move at once."""
COMPACT_BELOW = 0.8
"""Idle rows of a block are dropped once less than this share of it is busy; measured."""


class Prefixes:
    """Gives requests their places in a cache, at most `rows` at once."""

    def __init__(self, cache: Cache, rows: int):
        self.cache = cache
        self._rows = rows
        self.reused = 0
        """Tokens that did not have to be read again."""
        self._holders: dict[int, dict[Sequence, None]] = {}
        self._keys: dict[Sequence, list[int]] = {}
        self._trunks: dict[int, Sequence] = {}
        self._waiting: Counter[int] = Counter()
        self._wanted: dict[int, list[int]] = {}
        self._owners: Counter[Place] = Counter()
        self.trunks_to_read: list[Sequence] = []

    def expect(self, job: Job) -> None:
        """A job waits: what it begins with counts."""
        keys = self._wanted[id(job)] = list(_chain(job.ids))
        self._waiting.update(keys)
        self._owners[job.place] += 1

    def forget(self, job: Job) -> None:
        """It no longer waits."""
        for key in self._wanted.pop(id(job)):
            _less(self._waiting, key)
        _less(self._owners, job.place)

    def place(self, job: Job) -> Sequence | Literal["wait", "full"]:
        """The sequence that knows the most of the job's tokens. "wait": what the job begins with is read now, or is to
        be read now as a trunk; "full": there is no room."""
        keys = self._wanted[id(job)]
        best, shared = self._best(job, keys)
        shared = min(shared, len(job.ids) - job.last)
        if best and best.known + CHUNK <= shared:
            return "wait"
        known = min(shared, best.known) if best else 0
        if best and self._may_take(best, job, known):
            if not self.cache.room_for(job.most - best.base, best.trunk):
                return "full"
            self._forget(best)
            best.ids, best.known, best.most, best.owner, best.busy = job.ids, known, job.most, job.place, True
            return self._begin(best, known)
        trunk = self._trunk(job, keys)
        return trunk if isinstance(trunk, str) else self._open(job, trunk, best, known)

    def end(self, sequence: Sequence, *, clean: bool = False) -> None:
        """Nobody works on the sequence any more. `clean`: what it holds is worth nothing."""
        if clean:
            self._forget(sequence)
            self.cache.close(sequence, clean=True)
            return
        sequence.busy = False
        self.cache.touch(sequence)
        del sequence.ids[sequence.known :]
        self._remember(sequence)

    def rest(self) -> None:
        """Called when all that waits has been looked at: what is idle now may go."""
        self._drop(self.cache.compact(COMPACT_BELOW))

    def grow(self, sequence: Sequence, tokens: int) -> None:
        """Room for so many tokens."""
        assert sequence.block
        if tokens - sequence.base > sequence.block.columns:
            self._drop(self.cache.move(sequence, tokens - sequence.base))

    def _open(self, job: Job, trunk: Sequence | None, best: Sequence | None, known: int) -> Sequence | Literal["full"]:
        base = trunk.known if trunk else 0
        if not self.cache.room_for(job.most - base, trunk):
            return "full"
        sequence = Sequence(ids=job.ids, most=job.most, owner=job.place, trunk=trunk, known=base)
        columns = min(job.most, len(job.ids) + AHEAD) - base
        beside = min(len(self._wanted), self._rows) // 2
        busy = best and best.busy
        if best:
            best.busy = True  # it must not go before it is copied
        self._drop(self.cache.open(sequence, columns, beside=beside, kept=self._owners))
        if best:
            best.busy = bool(busy)
            self.cache.copy(best, sequence, max(known, base))
        return self._begin(sequence, max(known, base))

    def _begin(self, sequence: Sequence, known: int) -> Sequence:
        self.reused += known
        self.cache.touch(sequence)
        self._remember(sequence)
        return sequence

    def _may_take(self, best: Sequence, job: Job, known: int) -> bool:
        """Whether the job may overwrite what follows: nobody else is likely to want it."""
        idle = not best.busy and best.owner is not None and known >= best.base
        return idle and (best.owner == job.place or 2 * known >= len(best.ids))

    def _best(self, job: Job, keys: list[int]) -> tuple[Sequence | None, int]:
        """The sequence that shares the longest beginning with the job, and how long that is."""
        for key in reversed(keys):
            if holders := self._holders.get(key):
                shared = {holder: common_length(holder.ids, job.ids) for holder in list(holders)[-4:]}
                own = [holder for holder in holders if holder.owner == job.place]
                shared |= {holder: common_length(holder.ids, job.ids) for holder in own[-2:]}
                best = max(shared, key=lambda one: (shared[one], one.owner == job.place, not one.busy, one.used))
                return best, shared[best]
        return None, 0

    def _trunk(self, job: Job, keys: list[int]) -> Sequence | Literal["wait", "full"] | None:
        """The longest trunk of the job's beginning."""
        for count in range(len(keys), 0, -1):
            trunk, tokens = self._trunks.get(keys[count - 1]), count * CHUNK
            if trunk:
                return "wait" if trunk.busy else trunk
            if (
                tokens >= TRUNK_TOKENS
                and tokens <= len(job.ids) - job.last
                and self._waiting[keys[count - 1]] >= TRUNK_ROWS
            ):
                return self._new_trunk(job, keys[:count])
        return None

    def _new_trunk(self, job: Job, keys: list[int]) -> Literal["wait", "full"] | None:
        tokens = len(keys) * CHUNK
        if not self.cache.room_for(tokens):
            return "full"
        trunk = Sequence(ids=job.ids[:tokens], most=tokens)
        self._drop(self.cache.open_trunk(trunk))
        self._trunks[keys[-1]] = self._begin(trunk, 0)
        self.trunks_to_read.append(trunk)
        return "wait"

    def _drop(self, gone: Iterable[Sequence]) -> None:
        for sequence in gone:
            self._forget(sequence)
            self._trunks = {key: trunk for key, trunk in self._trunks.items() if trunk is not sequence}

    def _remember(self, sequence: Sequence) -> None:
        keys = self._keys.setdefault(sequence, [])
        for key in _chain(sequence.ids, keys):
            keys.append(key)
            self._holders.setdefault(key, {})[sequence] = None

    def _forget(self, sequence: Sequence) -> None:
        for key in self._keys.pop(sequence, ()):
            holders = self._holders[key]
            del holders[sequence]
            if not holders:
                del self._holders[key]


def _less(counts: Counter[Any], key: Any) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]


def common_length(one: Tokens[int], other: Tokens[int]) -> int:
    """How many tokens both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _chain(ids: list[int], known: list[int] | None = None) -> Iterator[int]:
    """A number for each beginning of whole chunks, those that are known left out. Equal beginnings have equal ones."""
    start = len(known or ())
    key = known[-1] if known else 0
    for at in range(start * CHUNK, len(ids) - CHUNK + 1, CHUNK):
        key = hash((key, *ids[at : at + CHUNK]))
        yield key
