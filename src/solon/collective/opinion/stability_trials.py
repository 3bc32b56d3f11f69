"""The same people grouped in other ways that are just as reasonable, and how alike two groupings are.

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
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from typing import Literal

import numpy as np

from solon.collective.conversation import Conversation, Ints, Participant
from solon.collective.opinion.consensus import group_consensus
from solon.collective.opinion.counts import IN_NO_GROUP
from solon.collective.opinion.likeness import adjusted_rand_index, shared_counts
from solon.collective.opinion.placing import Place, Placed, Start
from solon.collective.opinion.results import Imputation
from solon.errors import InputError
from solon.records import Record
from solon.seeds import generator

Kind = Literal["seed", "k", "imputation", "bootstrap", "chance"]
TRIED_K = (2, 3, 4, 5)
REPEATS = 8
"""Seeds, bootstrap samples and lots (assumption: enough to see a bad case, a few seconds for a thousand people)."""
MAX_CELLS = 1_000_000
"""Participants times statements above which people are sampled, so that it stays a matter of seconds."""
MIN_SAMPLE = 300
"""People in such a sample at least (assumption)."""
MOST_PERMUTED = 6
"""Groups that are paired by trying every way; more are left to a solver, which takes long to import."""


class StabilityCheck(Record):
    """One regrouping against the shipped groups."""

    kind: Kind
    setting: str
    """Which seed, which k, which imputation, which sample."""
    k: int
    """Groups in the regrouping."""
    chosen_k: int | None = None
    """Number of groups that the method chooses here by itself; None: not asked."""
    people: int
    """In groups both times."""
    likeness: float
    """Adjusted Rand index: 1 the same groups, 0 as alike as chance."""
    kept_share: float
    """Share of people who keep their group, groups being paired as well as can be."""
    change_max: float | None = None
    """Largest change of a group's consensus on a statement; None if the numbers of groups differ."""
    change_mean: float | None = None
    """Mean over groups and statements."""


@dataclass(frozen=True, kw_only=True)
class Try:
    """A start on people drawn from a conversation."""

    setting: str
    rows_P: Ints
    """The row of each person drawn; some may be drawn several times."""
    placed: Placed
    start: Start

    def labels_P(self, k: int, people: int) -> Ints:
        """Of all `people` of the conversation; copies of a person are grouped alike, and the first speaks for all."""
        drawn_P = np.full(len(self.rows_P), IN_NO_GROUP, dtype=np.int64)
        drawn_P[self.placed.rows_G] = self.start.grouped(k)[0]
        rows, first = np.unique(self.rows_P, return_index=True)
        labels_P = np.full(people, IN_NO_GROUP, dtype=np.int64)
        labels_P[rows] = drawn_P[first]
        return labels_P


@dataclass(frozen=True, kw_only=True)
class Tries:
    """All ways of grouping one conversation again."""

    conversation: Conversation
    place: Place
    seed: int
    repeats: int
    own: Try
    seeds: tuple[Try, ...]
    drawn: tuple[Try, ...]

    @property
    def numbers(self) -> dict[int, int]:
        """How many tries choose each number of groups, by number."""
        return dict(sorted(Counter(one.start.number for one in (*self.seeds, *self.drawn)).items()))

    @property
    def number(self) -> int:
        """Of groups: what most tries choose; of equally common numbers the one of the first start, then the smaller."""
        numbers, own = self.numbers, self.own.start.number
        return min(numbers, key=lambda k: (-numbers[k], k != own, k), default=own)

    def checks(
        self, ours_P: Ints, k: int, other_imputation: Imputation, *, smoothing: bool
    ) -> Iterator[StabilityCheck | None]:
        """Every regrouping against the labels of everybody, of `k` groups. None: it could not be made."""
        check = partial(compared, self.conversation, ours_P, smoothing=smoothing)
        people = len(self.conversation.participants)
        for one in self.seeds:
            yield check("seed", one.setting, one.start.number, partial(one.labels_P, k, people))
        for other in (one for one in TRIED_K if one != k):
            yield check("k", str(other), self.own.start.number, partial(self.own.labels_P, other, people))
        yield check("imputation", other_imputation, None, lambda: self._filled(other_imputation).labels_P(k, people))
        for one in self.drawn:
            yield check("bootstrap", one.setting, one.start.number, partial(one.labels_P, k, people))
        for repeat in range(1, self.repeats + 1):
            yield check("chance", str(repeat), None, partial(self._by_lot, ours_P, repeat))

    def _filled(self, impute: Imputation) -> Try:
        """With another value for votes not cast."""
        placed = self.place(self.conversation, impute)
        return replace(self.own, placed=placed, start=placed.start(self.seed))

    def _by_lot(self, ours_P: Ints, repeat: int) -> Ints:
        """The same labels, other owners."""
        grouped_P = ours_P != IN_NO_GROUP
        labels_P = ours_P.copy()
        labels_P[grouped_P] = generator(self.seed, "stability", "chance", repeat).permutation(ours_P[grouped_P])
        return labels_P


def make_tries(conversation: Conversation, place: Place, *, seed: int = 0, repeats: int | None = None) -> Tries:
    """Everybody, or as many people as `MAX_CELLS` allows, grouped again and again.

    `repeats`: `REPEATS`, or half as many where people are sampled. Draws that cannot be grouped are left out.

    Raises:
        InputError: if even the people as they are cannot be placed.
    """
    base = sampled(conversation, seed)
    if repeats is None:
        repeats = REPEATS // 2 if base is not conversation else REPEATS
    everybody = np.arange(len(base.participants))
    placed = place(base, None)

    def started(start: int) -> Try:
        return Try(setting=str(start), rows_P=everybody, placed=placed, start=placed.start(start))

    def drawn() -> Iterator[Try]:
        for repeat in range(1, repeats + 1):
            draws = generator(seed, "stability", "bootstrap", repeat)
            rows_P = np.sort(draws.integers(len(everybody), size=len(everybody)))
            try:
                again = place(resampled(base, rows_P), None)
                yield Try(setting=str(repeat), rows_P=rows_P, placed=again, start=again.start(seed))
            except InputError:  # too few are left of those who can be grouped
                continue

    return Tries(
        conversation=base,
        place=place,
        seed=seed,
        repeats=repeats,
        own=started(seed),
        seeds=tuple(started(seed + repeat) for repeat in range(1, repeats + 1)),
        drawn=tuple(drawn()),
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


def resampled(conversation: Conversation, rows: Ints) -> Conversation:
    """The participants in `rows`, some perhaps several times, numbered 0, 1, ... in that order."""
    return replace(
        conversation,
        participants=tuple(Participant(id=at) for at in range(len(rows))),
        votes_PS=conversation.votes_PS[rows],
        seen_PS=conversation.seen_PS[rows],
        log=None,
    )


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Two groupings of the same people."""

    people: int
    """In a group both times."""
    adjusted_rand: float
    kept_share: float
    change_max: float | None
    change_mean: float | None


def compare(conversation: Conversation, ours_P: Ints, theirs_P: Ints, *, smoothing: bool = True) -> Likeness:
    """Two labellings of the participants; those who are in no group in either are left out.

    >>> from solon.collective.conversation import Participant, Statement
    >>> talk = Conversation.of([Statement(id=0, text="")], [Participant(id=i) for i in range(4)], [(0, 0, 1)])
    >>> compare(talk, np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])).kept_share
    1.0
    """
    both = (ours_P != IN_NO_GROUP) & (theirs_P != IN_NO_GROUP)
    if not both.any():
        raise InputError("nobody is in a group both times")
    ours, theirs = ours_P[both], theirs_P[both]
    shared = shared_counts(ours, theirs)
    rows, columns = paired(shared)
    change = np.zeros(0)
    if shared.shape[0] == shared.shape[1] and shared.any(axis=0).all() and shared.any(axis=1).all():
        votes_PS, seen_PS = conversation.votes_PS[both], conversation.seen_PS[both]
        mine_KS = group_consensus(votes_PS, seen_PS, ours, smoothing)
        other_KS = group_consensus(votes_PS, seen_PS, theirs, smoothing)[columns]
        change = np.abs(mine_KS - other_KS)
        change = change[~np.isnan(change)]
    return Likeness(
        people=len(ours),
        adjusted_rand=adjusted_rand_index(ours, theirs),
        kept_share=float(shared[rows, columns].sum() / len(ours)),
        change_max=float(change.max()) if len(change) else None,
        change_mean=float(change.mean()) if len(change) else None,
    )


def paired(shared_KL: Ints) -> tuple[Ints, Ints]:
    """Rows and columns of the pairs of groups that have most people in common, ascending by row.

    >>> [part.tolist() for part in paired(np.array([[3, 5], [0, 4]]))]
    [[0, 1], [0, 1]]
    """
    rows, columns = shared_KL.shape
    if rows > columns:
        paired_columns, paired_rows = paired(shared_KL.T)
        order = np.argsort(paired_rows)
        return paired_rows[order], paired_columns[order]
    if columns > MOST_PERMUTED:
        from scipy.optimize import linear_sum_assignment

        found: tuple[Ints, Ints] = linear_sum_assignment(-shared_KL)
        return found
    at = np.arange(rows)
    best = max(permutations(range(columns), rows), key=lambda one: int(shared_KL[at, list(one)].sum()))
    return at, np.array(best, dtype=np.int64)


def compared(
    conversation: Conversation,
    ours_P: Ints,
    kind: Kind,
    setting: str,
    chosen_k: int | None,
    regroup: Callable[[], Ints],
    *,
    smoothing: bool,
) -> StabilityCheck | None:
    """A check of another grouping; None where that cannot be formed or has nobody in common."""
    try:
        theirs_P = regroup()
        found = compare(conversation, ours_P, theirs_P, smoothing=smoothing)
    except InputError:
        return None
    return StabilityCheck(
        kind=kind,
        setting=setting,
        k=int(theirs_P.max()) + 1,
        chosen_k=chosen_k,
        people=found.people,
        likeness=found.adjusted_rand,
        kept_share=found.kept_share,
        change_max=found.change_max,
        change_mean=found.change_mean,
    )
