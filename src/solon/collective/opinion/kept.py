"""Groups and how far to trust them, computed once for the same votes, moderation, settings and given groups.

What is kept has no ids: people are numbered by the order of their votes, so that a public export finds the same file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import model_validator

from solon.collective.conversation import Conversation
from solon.collective.kept import kept
from solon.collective.opinion.grouping import PLACES, ByVotes, Method, by_votes, settled
from solon.collective.opinion.results import Groups
from solon.collective.opinion.stability import StabilityReport, method_of, stability_by
from solon.collective.opinion.stability_trials import make_tries
from solon.records import Record


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """Groups, and how far to trust them."""

    groups: Groups
    stability: StabilityReport


class KeptOpinion(Record):
    """The same as a file."""

    rows: tuple[int, ...]
    """Of the people in groups, in the order of votes."""
    labels: tuple[int, ...]
    names: tuple[str, ...]
    silhouettes: dict[int, float]
    method: str
    tries: dict[int, int]
    notes: tuple[str, ...]
    stability: StabilityReport

    @model_validator(mode="after")
    def _is_a_grouping(self) -> KeptOpinion:
        """As it was computed: each person once, each group with somebody in it."""
        groups = len(self.names) or max(self.labels, default=-1) + 1
        if len(self.rows) != len(self.labels) or set(self.labels) != set(range(groups)):
            raise ValueError("no grouping")
        if list(self.rows) != sorted({row for row in self.rows if row >= 0}):
            raise ValueError("people twice, or out of order")
        return self

    @property
    def groups(self) -> Groups:
        return Groups(
            participant_ids=np.array(self.rows, dtype=np.int64),
            labels_G=np.array(self.labels, dtype=np.int64),
            names=self.names,
            silhouettes=self.silhouettes,
            method=self.method,
            tries=self.tries,
            notes=self.notes,
        )


def opinion_of(
    conversation: Conversation,
    *,
    groups: Groups | None = None,
    k: int | None = None,
    method: Method = "polis",
    seed: int = 0,
) -> Opinion:
    """The groups that `find_groups` finds, or those given, and their stability: kept ones, else computed and kept.

    Raises:
        InputError: as `find_groups`.
    """
    ordered = by_votes(conversation)
    given = None if groups is None else ordered.there(groups)
    how = method if groups is None else method_of(groups)

    def compute() -> KeptOpinion:
        talk = ordered.conversation
        tries = make_tries(talk, PLACES[how], seed=seed)
        found = given or settled(talk, PLACES[how], tries, k=k, seed=seed)
        return KeptOpinion(
            rows=tuple(found.participant_ids.tolist()),
            labels=tuple(found.labels_G.tolist()),
            names=found.names if given is None else (),  # what somebody called them is not ours to keep
            silhouettes=found.silhouettes,
            method=found.method,
            tries=found.tries,
            notes=found.notes if given is None else (),
            stability=stability_by(tries, found, people=len(talk.participants)),
        )

    found = kept(KeptOpinion, _made_from(ordered, given, (how, k, seed)), compute)
    return Opinion(groups=groups or ordered.groups(found.groups), stability=found.stability)


def _made_from(ordered: ByVotes, given: Groups | None, settings: tuple[object, ...]) -> bytes:
    talk = ordered.conversation
    moderation = [(one.moderated, one.is_meta) for one in talk.statements]
    members = None if given is None else (given.k, given.participant_ids.tolist(), given.labels_G.tolist())
    votes_PS = np.where(talk.seen_PS, talk.votes_PS, 2).astype(np.int8)
    return repr((settings, votes_PS.shape, moderation, members)).encode() + votes_PS.tobytes()
