"""The same people grouped in other ways that are just as reasonable, each compared with the groups as they are.

    seed         the clustering starts elsewhere
    bootstrap    the public is drawn anew from itself: other people, as many of them
    k            another number of groups
    imputation   votes that were not cast count as something else
    chance       the same labels dealt out by lot, to see what agreement by accident looks like

Of the first two, most settle how many groups there are. What all say together is told by `opinion.stability`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import Literal

import numpy as np

from solon.collective.conversation import Conversation, Ints, Participant
from solon.collective.opinion.counts import IN_NO_GROUP
from solon.collective.opinion.likeness import Likeness, compare
from solon.collective.opinion.polis.clusters import Start, leading
from solon.collective.opinion.results import Groups, Imputation, by_size
from solon.errors import InputError
from solon.seeds import generator

Kind = Literal["seed", "k", "imputation", "bootstrap", "chance"]
TRIED_K = (2, 3, 4, 5)
REPEATS = 8
"""Seeds, bootstrap samples and lots (assumption: enough to see a bad case, a few seconds for a thousand people)."""
MAX_CELLS = 1_000_000
"""Participants times statements above which people are sampled, so that it stays a matter of seconds."""
MIN_SAMPLE = 300
"""People in such a sample at least (assumption)."""


class StabilityCheck(Likeness):
    """One regrouping against the shipped groups."""

    kind: Kind
    setting: str
    """Which seed, which k, which imputation, which sample."""
    k: int
    """Groups in the regrouping."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """People of a conversation, ready to be grouped."""

    rows_G: Ints
    """Of those who are grouped, ascending."""
    start: Callable[[int], Start]
    method: str
    notes: tuple[str, ...] = ()

    def groups(self, conversation: Conversation, start: Start, k: int) -> Groups:
        labels_G, silhouettes = start.grouped(k)
        ids_G = conversation.participant_ids[self.rows_G]
        labels_G = by_size(labels_G, ids_G)
        names = tuple(map(str, range(int(labels_G.max()) + 1)))
        empty = (f"{k} groups were asked for; {k - len(names)} of them ended up empty.",) if len(names) < k else ()
        return Groups(
            participant_ids=ids_G,
            labels_G=labels_G,
            names=names,
            silhouettes=silhouettes,
            method=self.method,
            notes=(*self.notes, *empty),
        )


Place = Callable[[Conversation, Imputation | None], Placement]
"""A method. Imputation None is its own. Raises InputError where it cannot place anybody."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A start on people drawn from a conversation, computed where asked for; InputError where it cannot be made."""

    setting: str
    rows_P: Ints
    """The row of each person drawn; some may be drawn several times."""
    place: Callable[[], Placement]
    seed: int

    @cached_property
    def placed(self) -> Placement:
        return self.place()

    @cached_property
    def start(self) -> Start:
        return self.placed.start(self.seed)

    def labels_P(self, k: int) -> Ints:
        """Of everybody; copies of a person are grouped alike, and the first speaks for all."""
        drawn_P = np.full(len(self.rows_P), IN_NO_GROUP, dtype=np.int64)
        drawn_P[self.placed.rows_G] = self.start.grouped(k)[0]
        rows, first = np.unique(self.rows_P, return_index=True)
        labels_P = np.full(len(self.rows_P), IN_NO_GROUP, dtype=np.int64)
        labels_P[rows] = drawn_P[first]
        return labels_P


@dataclass(frozen=True, kw_only=True)
class Trials:
    """All ways of grouping one conversation again."""

    whole: Conversation
    conversation: Conversation
    """The same, or a sample of its people where there are many."""
    place: Place
    seed: int
    own: Trial
    seeds: tuple[Trial, ...]
    drawn: tuple[Trial, ...]

    @property
    def numbers(self) -> dict[int, int]:
        """How many tries choose each number of groups, by number."""
        return dict(sorted(Counter(self._numbers()).items()))

    @cached_property
    def number(self) -> int:
        """Of groups: what most tries choose; of equally common numbers the one of the first start, then the smaller.

        Trials that cannot change it are not made.
        """
        numbers = leading(self._numbers(), of=len(self.seeds) + len(self.drawn))
        tied = sorted(k for k, count in numbers.items() if count == max(numbers.values()))
        if len(tied) == 1:
            return tied[0]
        own = self.own.start.number
        return own if own in tied or not tied else tied[0]

    def groups(self, k: int | None, *, counted: bool = True) -> Groups:
        """The groups of everybody, `k` of them or as many as the tries choose; `counted`: with how many chose what.
        Raises `InputError` for more groups than people stand in different places.
        """
        own = self.own
        if self.conversation is not self.whole:
            own = replace(own, place=lambda: self.place(self.whole, None))
        found = own.placed.groups(self.whole, own.start, self.number if k is None else k)
        return replace(found, tries=self.numbers) if k is None and counted else found

    def _numbers(self) -> Iterator[int]:
        for one in (*self.seeds, *self.drawn):
            with suppress(InputError):  # too few are left of those who can be grouped
                yield one.start.number

    def checks(self, ours_P: Ints, k: int, impute: Imputation, *, smoothing: bool) -> Iterator[StabilityCheck | None]:
        """Every regrouping against the labels of everybody, of `k` groups. None: it could not be made.

        `impute`: the other value for votes not cast.
        """
        for kind, setting, regroup in self._regroupings(ours_P, k, impute):
            try:
                theirs_P = regroup()
                found = compare(self.conversation, ours_P, theirs_P, smoothing=smoothing)
            except InputError:
                yield None
                continue
            number = int(theirs_P.max()) + 1
            yield StabilityCheck(kind=kind, setting=setting, k=number, **found.model_dump())

    def _regroupings(self, ours_P: Ints, k: int, impute: Imputation) -> Iterator[tuple[Kind, str, Callable[[], Ints]]]:
        """Kind, setting, and what gives the labels of everybody."""
        base = self.conversation
        for one in self.seeds:
            yield "seed", one.setting, partial(one.labels_P, k)
        for other in (one for one in TRIED_K if one != k):
            yield "k", str(other), partial(self.own.labels_P, other)
        yield "imputation", impute, lambda: replace(self.own, place=lambda: self.place(base, impute)).labels_P(k)
        for one in self.drawn:
            yield "bootstrap", one.setting, partial(one.labels_P, k)
        for repeat in range(1, len(self.seeds) + 1):
            yield "chance", str(repeat), partial(self._by_lot, ours_P, repeat)

    def _by_lot(self, ours_P: Ints, repeat: int) -> Ints:
        grouped_P = ours_P != IN_NO_GROUP
        labels_P = ours_P.copy()
        labels_P[grouped_P] = generator(self.seed, "stability", "chance", repeat).permutation(ours_P[grouped_P])
        return labels_P


def make_trials(conversation: Conversation, place: Place, *, seed: int = 0) -> Trials:
    """Everybody, or as many people as `MAX_CELLS` allows, to be grouped `REPEATS` times from other starts and as often
    drawn anew; half as often where people are sampled. Raises `InputError` if not even they can be placed.
    """
    base = sampled(conversation, seed)
    repeats = range(1, 1 + (REPEATS if base is conversation else REPEATS // 2))
    everybody, placed = np.arange(len(base.participants)), place(base, None)

    def started(start: int) -> Trial:
        return Trial(setting=str(start), rows_P=everybody, place=lambda: placed, seed=start)

    def drawn(repeat: int) -> Trial:
        draws = generator(seed, "stability", "bootstrap", repeat)
        rows_P = np.sort(draws.integers(len(everybody), size=len(everybody)))
        return Trial(setting=str(repeat), rows_P=rows_P, place=lambda: place(renumbered(base, rows_P), None), seed=seed)

    return Trials(
        whole=conversation,
        conversation=base,
        place=place,
        seed=seed,
        own=started(seed),
        seeds=tuple(started(seed + repeat) for repeat in repeats),
        drawn=tuple(map(drawn, repeats)),
    )


def sampled(conversation: Conversation, seed: int) -> Conversation:
    """Everybody, or as many people as `MAX_CELLS` allows, drawn once from the seed."""
    n = len(conversation.participants)
    size = max(MIN_SAMPLE, MAX_CELLS // max(1, len(conversation.statements)))
    if n <= size:
        return conversation
    kept = np.zeros(n, dtype=bool)
    kept[generator(seed, "stability", "sample").choice(n, size=size, replace=False)] = True
    return conversation.select(participants=kept)


def renumbered(conversation: Conversation, rows: Ints) -> Conversation:
    """The participants in `rows`, some perhaps several times, numbered 0, 1, ... in that order. Votes alone."""
    return replace(
        conversation,
        participants=tuple(map(_numbered, range(len(rows)))),
        votes_PS=conversation.votes_PS[rows],
        seen_PS=conversation.seen_PS[rows],
        important_PS=None,
        log=None,
    )


@cache
def _numbered(number: int) -> Participant:
    """Made once: validating twenty thousand again and again takes longer than drawing them."""
    return Participant(id=number)
