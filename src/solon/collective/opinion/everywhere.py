"""What a majority of every group agrees with or rejects: counted once, for report, principles and console alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Bools, Conversation, Ints
from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.opinion.counts import counts_of
from solon.collective.opinion.polis.projection import moderated_out
from solon.collective.opinion.results import Groups
from solon.collective.phrases import listed, many


@dataclass(frozen=True, kw_only=True)
class InEveryGroup:
    """Statements by what all groups say of them. All [S]."""

    ranked_S: Bools
    """Neither rejected nor about the conversation itself, with `MIN_GROUP_VOTES` votes or more in every group."""
    agreed_S: Bools
    """Ranked, and more than half of the votes of every group, passes included, agree."""
    rejected_S: Bools
    """Ranked, and more than half of the votes of every group, passes included, disagree: a consensus, too, of which the
    negation is what all agree with."""
    statement_ids: Ints

    def __str__(self) -> str:
        return f"{self._among(self.agreed_S)} found a majority in every group"

    @property
    def rejection(self) -> str:
        """How many, and the first of them."""
        ids = listed(self.statement_ids[self.rejected_S].tolist())
        return f"{self._among(self.rejected_S)} were rejected by a majority of every group: {ids}"

    def _among(self, found_S: Bools) -> str:
        ranked = many(int(self.ranked_S.sum()), "statement")
        return f"{int(found_S.sum()):,} of {ranked} with at least {MIN_GROUP_VOTES} votes in every group"


def in_every_group(conversation: Conversation, groups: Groups) -> InEveryGroup:
    """Counted from all votes; nothing that a report withholds changes it."""
    counts = counts_of(conversation, groups)
    ranked_S = (counts.seen >= MIN_GROUP_VOTES).all(axis=0) & ~moderated_out(conversation)
    agreed_S, rejected_S = ((2 * said > counts.seen).all(axis=0) for said in (counts.agrees, counts.disagrees))
    return InEveryGroup(
        ranked_S=np.asarray(ranked_S),
        agreed_S=np.asarray(ranked_S & agreed_S),
        rejected_S=np.asarray(ranked_S & rejected_S),
        statement_ids=conversation.statement_ids,
    )
