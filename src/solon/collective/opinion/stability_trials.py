"""The same people grouped again, and how alike two groupings are. What it means is told by `opinion.stability`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol

import numpy as np

from solon.collective.conversation import Conversation, Floats, Ints, Participant
from solon.collective.opinion.consensus import group_consensus
from solon.collective.opinion.counts import IN_NO_GROUP, labels_of
from solon.collective.opinion.results import Groups, Imputation
from solon.errors import InputError
from solon.records import Record
from solon.seeds import generator

Kind = Literal["seed", "k", "imputation", "bootstrap", "chance"]

TRIED_K = (2, 3, 4, 5)


class Regroup(Protocol):
    """A way of grouping; `impute` None is the method's own."""

    def __call__(
        self, conversation: Conversation, *, k: int | None, seed: int, impute: Imputation | None
    ) -> Groups: ...


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
class Likeness:
    """Two groupings of the same people."""

    people: int
    """In a group both times."""
    adjusted_rand: float
    kept_share: float
    change_max: float | None
    change_mean: float | None


@dataclass(frozen=True, kw_only=True)
class Trials:
    """All regroupings of one conversation."""

    conversation: Conversation
    groups: Groups
    """The shipped ones."""
    regroup: Regroup
    other_imputation: Imputation
    """The one that the method does not use."""
    seed: int
    repeats: int
    smoothing: bool

    def planned(self) -> Iterator[Callable[[], StabilityCheck]]:
        """Every check, not yet made. It raises `InputError` where the groups cannot be formed."""
        again = range(1, self.repeats + 1)
        for repeat in again:
            yield partial(self.regrouped, "seed", str(self.seed + repeat), seed=self.seed + repeat)
        for k in TRIED_K:
            if k != self.groups.k:
                yield partial(self.regrouped, "k", str(k), k=k)
        yield partial(self.regrouped, "imputation", self.other_imputation, impute=self.other_imputation)
        for repeat in again:
            yield partial(self.bootstrapped, repeat)
        for repeat in again:
            yield partial(self.dealt_by_lot, repeat)

    def regrouped(
        self,
        kind: Kind,
        setting: str,
        *,
        k: int | None = None,
        seed: int | None = None,
        impute: Imputation | None = None,
    ) -> StabilityCheck:
        """The same people, another setting."""
        k = self.groups.k if k is None else k
        other = self.regroup(self.conversation, k=k, seed=self.seed if seed is None else seed, impute=impute)
        return self._check(kind, setting, other)

    def bootstrapped(self, repeat: int) -> StabilityCheck:
        """As many people, drawn from the public with replacement; each is compared once, however often drawn."""
        talk = self.conversation
        n = len(talk.participants)
        rows = np.sort(generator(self.seed, "stability", "bootstrap", repeat).integers(n, size=n))
        drawn = self.regroup(resampled(talk, rows), k=self.groups.k, seed=self.seed, impute=None)
        # Copies of a person vote alike and are grouped alike; the first speaks for all.
        people, first = np.unique(rows, return_index=True)
        label = dict(zip(drawn.participant_ids.tolist(), drawn.labels_G.tolist(), strict=True))
        inside = np.isin(first, drawn.participant_ids)
        labels_G = np.array([label[one] for one in first[inside].tolist()], dtype=np.int64)
        back = replace(drawn, participant_ids=talk.participant_ids[people[inside]], labels_G=labels_G)
        return self._check("bootstrap", str(repeat), back)

    def dealt_by_lot(self, repeat: int) -> StabilityCheck:
        """The same labels, other owners."""
        labels_G = generator(self.seed, "stability", "chance", repeat).permutation(self.groups.labels_G)
        return self._check("chance", str(repeat), replace(self.groups, labels_G=labels_G, silhouettes={}))

    def _check(self, kind: Kind, setting: str, other: Groups) -> StabilityCheck:
        ours_P, theirs_P = labels_of(self.conversation, self.groups), labels_of(self.conversation, other)
        found = compare(self.conversation, ours_P, theirs_P, smoothing=self.smoothing)
        return StabilityCheck(
            kind=kind,
            setting=setting,
            k=other.k,
            chosen_k=max(other.silhouettes, key=lambda k: (other.silhouettes[k], k), default=None),
            people=found.people,
            likeness=found.adjusted_rand,
            kept_share=found.kept_share,
            change_max=found.change_max,
            change_mean=found.change_mean,
        )


def resampled(conversation: Conversation, rows: Ints) -> Conversation:
    """The participants in `rows`, some perhaps several times, numbered 0, 1, ... in that order."""
    return replace(
        conversation,
        participants=tuple(Participant(id=at) for at in range(len(rows))),
        votes_PS=conversation.votes_PS[rows],
        seen_PS=conversation.seen_PS[rows],
        log=None,
    )


def compare(conversation: Conversation, ours_P: Ints, theirs_P: Ints, *, smoothing: bool = True) -> Likeness:
    """Two labellings of the participants; those who are in no group in either are left out.

    >>> from solon.collective.conversation import Participant, Statement
    >>> talk = Conversation.of([Statement(id=0, text="")], [Participant(id=i) for i in range(4)], [(0, 0, 1)])
    >>> compare(talk, np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])).kept_share
    1.0
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score

    both = (ours_P != IN_NO_GROUP) & (theirs_P != IN_NO_GROUP)
    if not both.any():
        raise InputError("nobody is in a group both times")
    ours, theirs = ours_P[both], theirs_P[both]
    n_ours, n_theirs = int(ours.max()) + 1, int(theirs.max()) + 1
    shared = np.zeros((n_ours, n_theirs), dtype=np.int64)
    np.add.at(shared, (ours, theirs), 1)
    rows, columns = linear_sum_assignment(-shared)
    change: Floats | None = None
    if len(np.unique(ours)) == len(np.unique(theirs)) == n_ours == n_theirs:
        votes_PS, seen_PS = conversation.votes_PS[both], conversation.seen_PS[both]
        mine_KS = group_consensus(votes_PS, seen_PS, ours, smoothing)
        other_KS = group_consensus(votes_PS, seen_PS, theirs, smoothing)[columns]
        change = np.abs(mine_KS - other_KS)
        change = change[~np.isnan(change)]
    known = change is not None and len(change) > 0
    return Likeness(
        people=len(ours),
        adjusted_rand=float(adjusted_rand_score(ours, theirs)),
        kept_share=float(shared[rows, columns].sum() / len(ours)),
        change_max=float(change.max()) if known and change is not None else None,
        change_mean=float(change.mean()) if known and change is not None else None,
    )
