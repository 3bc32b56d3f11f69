"""People in an order that their votes alone decide, so that groups do not hang on who joined when.

k-means depends on the order of its points. With the order of ids, new ids (those of a public export, say) would give
other groups to the same votes. Here the order is that of a hash of each person's votes: it spreads people who vote
alike, as arrival does, and is the same whatever their ids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np

from solon.collective.conversation import Conversation, Ints, Participant
from solon.collective.opinion.results import Groups, Projection


@dataclass(frozen=True, kw_only=True)
class ByVotes:
    """A conversation whose people are numbered 0, 1, ... by their votes, and the way back."""

    conversation: Conversation
    row_P: Ints
    """For each of its people, the row in the conversation as it was."""
    ids_P: Ints
    """And the id."""

    def groups(self, found: Groups) -> Groups:
        """Groups of it with the ids as they were."""
        ids_G = self.ids_P[found.participant_ids]
        by_id = np.argsort(ids_G)
        return replace(found, participant_ids=ids_G[by_id], labels_G=found.labels_G[by_id])

    def projection(self, found: Projection) -> Projection:
        """Places of its people in the rows as they were."""
        places_P2 = np.empty_like(found.participants_P2)
        places_P2[self.row_P] = found.participants_P2
        return replace(found, participants_P2=places_P2)


def by_votes(conversation: Conversation) -> ByVotes:
    """People with the same votes keep the order of their ids among themselves. A statement without votes counts not."""
    voted_S = conversation.seen_PS.any(axis=0)
    both = zip(conversation.votes_PS, conversation.seen_PS, strict=True)
    hashes = [blake2b(np.where(seen, votes, 2)[voted_S].tobytes(), digest_size=8).digest() for votes, seen in both]
    row_P = np.array(sorted(range(len(hashes)), key=lambda row: hashes[row]), dtype=np.int64)
    renumbered = replace(
        conversation,
        participants=tuple(Participant(id=at) for at in range(len(row_P))),
        votes_PS=conversation.votes_PS[row_P],
        seen_PS=conversation.seen_PS[row_P],
        log=None,
    )
    return ByVotes(conversation=renumbered, row_P=row_P, ids_P=conversation.participant_ids[row_P])
