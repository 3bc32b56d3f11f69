"""The opinion groups of a conversation.

k-means depends on the order of its points. With the order of ids, new ids (those of a public export, say) would give
other groups to the same votes. So people are taken in the order of a hash of their votes: it spreads people who vote
alike, as arrival does, and is the same whatever their ids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal

import numpy as np

from solon.collective.conversation import Conversation, Ints
from solon.collective.opinion.ccai import ccai_place
from solon.collective.opinion.counts import IN_NO_GROUP, labels_of
from solon.collective.opinion.polis import clusters
from solon.collective.opinion.polis.projection import axes, one_thread, project, ratings
from solon.collective.opinion.results import Groups, Imputation, Projection
from solon.collective.opinion.trials import Place, Placement, make_trials, renumbered
from solon.errors import InputError
from solon.seeds import derive_seed

STARTS, LEAST_STARTS, STARTED = 5, 3, 10_000
"""Clusterings of one start (assumption: enough to leave a bad one alone), the least of them, and the people that all
together may place: with more, one clustering is like the other, and takes seconds."""


def polis_projection(conversation: Conversation, impute: Imputation | None = None) -> Projection:
    """Where people and statements stand. Raises `InputError` if nobody has voted."""
    if not conversation.seen_PS.any():
        raise InputError("nobody has voted in this conversation", hint="import an export that has votes")
    with one_thread():
        rated = ratings(conversation)
        return project(rated, *axes(rated, impute=impute or "mean"))


def polis_place(conversation: Conversation, impute: Imputation | None = None) -> Placement:
    """Everybody with enough votes, by the places that all their votes give."""
    chosen_P = clusters.grouped_people(conversation)
    points_G2 = polis_projection(conversation, impute).participants_P2[chosen_P]
    starts = max(LEAST_STARTS, min(STARTS, STARTED // len(conversation.participants)))

    def start(seed: int) -> clusters.Start:
        seeds = [seed, *(derive_seed(seed, "polis", "starts", at) for at in range(1, starts))]
        return clusters.Start(clusterings=tuple(clusters.cluster(points_G2, seed=one) for one in seeds))

    able_P = conversation.n_votes_P >= clusters.votes_to_be_grouped(conversation)
    notes = []
    if added := int((chosen_P & ~able_P).sum()):
        least = clusters.MIN_VOTES
        notes.append(f"Few people cast {least} votes or more: the {added} most active others were grouped too.")
    if len(np.unique(points_G2, axis=0)) < 2:
        notes.append("Everybody who is grouped stands in the same place: there is one group.")
    return Placement(rows_G=np.flatnonzero(chosen_P), start=start, method="polis", notes=tuple(notes))


Method = Literal["polis", "ccai"]
PLACES: dict[str, Place] = {"polis": polis_place, "ccai": ccai_place}
OTHERWISE: dict[str, Imputation] = {"polis": "pass", "ccai": "mean"}
"""What each method might take for a vote not cast, and does not."""


@dataclass(frozen=True, kw_only=True)
class ByVotes:
    """A conversation whose people are numbered 0, 1, ... by their votes, and the way back."""

    conversation: Conversation
    row_P: Ints
    """For each of its people, the row in the conversation as it was."""
    before: Conversation

    def groups(self, found: Groups) -> Groups:
        """Groups of it with the ids as they were."""
        ids_G = self.before.participant_ids[self.row_P[found.participant_ids]]
        by_id = np.argsort(ids_G)
        return replace(found, participant_ids=ids_G[by_id], labels_G=found.labels_G[by_id])

    def there(self, groups: Groups) -> Groups:
        """Groups with ids as they were as groups of it; strangers are left out."""
        labels_P = labels_of(self.before, groups)[self.row_P]
        rows_G = np.flatnonzero(labels_P != IN_NO_GROUP)
        return replace(groups, participant_ids=rows_G, labels_G=labels_P[rows_G])

    def projection(self, found: Projection) -> Projection:
        """Places of its people in the rows as they were."""
        places_P2 = np.empty_like(found.participants_P2)
        places_P2[self.row_P] = found.participants_P2
        return replace(found, participants_P2=places_P2)


def by_votes(conversation: Conversation) -> ByVotes:
    """People with the same votes keep the order of their ids among themselves. A statement without votes counts not."""
    voted_S = conversation.seen_PS.any(axis=0)
    cells_PS = np.ascontiguousarray(np.where(conversation.seen_PS, conversation.votes_PS, 2)[:, voted_S])
    hashes = [blake2b(row.tobytes(), digest_size=8).digest() for row in cells_PS]
    row_P = np.array(sorted(range(len(hashes)), key=lambda row: hashes[row]), dtype=np.int64)
    return ByVotes(conversation=renumbered(conversation, row_P), row_P=row_P, before=conversation)


def find_groups(
    conversation: Conversation, *, k: int | None = None, method: Method = "polis", seed: int = 0, counted: bool = True
) -> Groups:
    """The opinion groups of a conversation.

    `k`: how many; None: as many as most tries choose, from other starts and other draws of the same public. `seed`: the
    start of the clustering. The same votes give the same groups, whatever the ids. Not `counted`: how many tries chose
    which number stays unknown, and those that cannot change it are spared. Raises `InputError` if nobody has voted, or
    for more groups than people stand in different places.
    """
    ordered = by_votes(conversation)
    tries = make_trials(ordered.conversation, PLACES[method], seed=seed)
    return ordered.groups(tries.groups(k, counted=counted))
