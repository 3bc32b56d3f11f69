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
from solon.collective.opinion.placing import Place
from solon.collective.opinion.polis.grouping import polis_place
from solon.collective.opinion.results import Groups, Imputation, Projection
from solon.collective.opinion.stability_trials import make_tries, renumbered

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
    tries = make_tries(ordered.conversation, PLACES[method], seed=seed)
    return ordered.groups(tries.groups(k, counted=counted))
