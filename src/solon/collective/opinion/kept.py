"""Groups and how far to trust them, computed once for the same votes, moderation, settings and given groups.

What is kept has no ids: people are numbered by the order of their votes, so that a public export finds the same file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np
from pydantic import model_validator

from solon.collective.conversation import Conversation
from solon.collective.kept import kept
from solon.collective.opinion.grouping import PLACES, ByVotes, Method, by_votes
from solon.collective.opinion.results import Groups
from solon.collective.opinion.stability import StabilityReport, method_of, stability_by
from solon.collective.opinion.stability_trials import make_tries
from solon.records import Record


class Opinion(Record):
    """Groups, and how far to trust them."""

    groups: Groups
    stability: StabilityReport

    @model_validator(mode="after")
    def _is_a_grouping(self) -> Self:
        """Each person once, in a group that there is: a file may say anything."""
        ids_G, labels_G = self.groups.participant_ids, self.groups.labels_G
        known = self.groups.k or len(labels_G)
        if len(ids_G) != len(labels_G) or not set(labels_G.tolist()) <= set(range(known)):
            raise ValueError("no grouping")
        if ids_G.tolist() != sorted({one for one in ids_G.tolist() if one >= 0}):
            raise ValueError("people twice, or out of order")
        return self


def opinion_of(
    conversation: Conversation,
    *,
    groups: Groups | None = None,
    k: int | None = None,
    method: Method = "polis",
    seed: int = 0,
) -> Opinion:
    """The groups that `find_groups` finds, or those given, and their stability: kept ones, else computed and kept.
    Raises `InputError` as `find_groups`.
    """
    ordered = by_votes(conversation)
    given = None if groups is None else ordered.there(groups)
    how = method if groups is None else method_of(groups)

    def compute() -> Opinion:
        tries = make_tries(ordered.conversation, PLACES[how], seed=seed)
        found = given or tries.groups(k)
        stability = stability_by(tries, found)
        if given is not None:
            found = replace(given, names=(), notes=())  # what somebody called them is not ours to keep
        return Opinion(groups=found, stability=stability)

    found = kept(Opinion, _made_from(ordered, given, (how, k, seed)), compute)
    return Opinion(groups=groups or ordered.groups(found.groups), stability=found.stability)


def _made_from(ordered: ByVotes, given: Groups | None, settings: tuple[object, ...]) -> bytes:
    talk = ordered.conversation
    moderation = [(one.moderated, one.is_meta) for one in talk.statements]
    members = None if given is None else (given.k, given.participant_ids.tolist(), given.labels_G.tolist())
    votes_PS = np.where(talk.seen_PS, talk.votes_PS, 2).astype(np.int8)
    return repr((settings, votes_PS.shape, moderation, members)).encode() + votes_PS.tobytes()
