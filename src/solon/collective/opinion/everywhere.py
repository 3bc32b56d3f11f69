"""What a majority of every group agrees with: counted once, for the report, the principles and the console alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Bools, Conversation
from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.opinion.counts import counts_of
from solon.collective.opinion.polis.projection import moderated_out
from solon.collective.opinion.results import Groups
from solon.collective.phrases import many


@dataclass(frozen=True, kw_only=True)
class InEveryGroup:
    """Statements by what all groups say of them. Both [S]."""

    ranked_S: Bools
    """Neither rejected nor about the conversation itself, with `MIN_GROUP_VOTES` votes or more in every group."""
    agreed_S: Bools
    """Ranked, and more than half of the votes of every group, passes included, agree."""

    def __str__(self) -> str:
        where = f"with at least {MIN_GROUP_VOTES} votes in every group"
        ranked = many(int(self.ranked_S.sum()), "statement")
        return f"{int(self.agreed_S.sum()):,} of {ranked} {where} found a majority in every group"


def in_every_group(conversation: Conversation, groups: Groups) -> InEveryGroup:
    """Counted from all votes; nothing that a report withholds changes it."""
    counts = counts_of(conversation, groups)
    ranked_S = (counts.seen >= MIN_GROUP_VOTES).all(axis=0) & ~moderated_out(conversation)
    majority_S = (2 * counts.agrees > counts.seen).all(axis=0)
    return InEveryGroup(ranked_S=np.asarray(ranked_S), agreed_S=np.asarray(ranked_S & majority_S))
