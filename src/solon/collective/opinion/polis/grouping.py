"""Groups as Polis finds them: people's places on two axes, a hundred base clusters, groups of those."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Conversation
from solon.collective.numerics import one_thread
from solon.collective.opinion.placing import Grouping, Placed, leading
from solon.collective.opinion.polis import clusters
from solon.collective.opinion.polis.projection import axes, project, ratings
from solon.collective.opinion.results import Imputation, Projection
from solon.errors import InputError
from solon.seeds import derive_seed

STARTS, LEAST_STARTS, STARTED = 5, 3, 10_000
"""Clusterings of one start (assumption: enough to leave a bad one alone), the least of them, and the people that all
together may place: with more, one clustering is like the other, and takes seconds."""


@dataclass(frozen=True, kw_only=True)
class PolisStart:
    """Several clusterings of the same places, so that a bad one alone decides nothing."""

    clusterings: tuple[clusters.Clustering, ...]

    @property
    def number(self) -> int:
        """What most of them choose; of equally common numbers the smaller."""
        common = leading((one.number for one in self.clusterings), of=len(self.clusterings))
        return min(common, key=lambda number: (-common[number], number))

    def grouped(self, k: int) -> Grouping:
        """The groups that are most like all others'."""
        places = min(len(one.base_centres_B2) for one in self.clusterings)
        if not 1 <= k <= places:
            raise InputError(
                f"{k} groups asked for, but people stand in {places} different places after base clustering",
                hint=f"ask for 1 to {places}, or leave the number to the method",
            )
        labels = [one.labels(k) for one in self.clusterings]
        at = clusters.most_alike(labels)
        return labels[at], self.clusterings[at].silhouettes_with(k)


def polis_projection(conversation: Conversation, impute: Imputation | None = None) -> Projection:
    """Where people and statements stand. Raises `InputError` if nobody has voted."""
    if not conversation.seen_PS.any():
        raise InputError("nobody has voted in this conversation", hint="import an export that has votes")
    with one_thread():
        rated = ratings(conversation)
        return project(rated, *axes(rated, impute=impute or "mean"))


def polis_place(conversation: Conversation, impute: Imputation | None = None) -> Placed:
    """Everybody with enough votes, by the places that all their votes give."""
    chosen_P = clusters.grouped_people(conversation)
    points_G2 = polis_projection(conversation, impute).participants_P2[chosen_P]
    starts = max(LEAST_STARTS, min(STARTS, STARTED // len(conversation.participants)))

    def start(seed: int) -> PolisStart:
        seeds = [seed, *(derive_seed(seed, "polis", "starts", at) for at in range(1, starts))]
        return PolisStart(clusterings=tuple(clusters.Clustering(points_G2, one) for one in seeds))

    able_P = conversation.n_votes_P >= clusters.votes_to_be_grouped(conversation)
    notes = []
    if added := int((chosen_P & ~able_P).sum()):
        least = clusters.MIN_VOTES
        notes.append(f"Few people cast {least} votes or more: the {added} most active others were grouped too.")
    if len(np.unique(points_G2, axis=0)) < 2:
        notes.append("Everybody who is grouped stands in the same place: there is one group.")
    return Placed(rows_G=np.flatnonzero(chosen_P), start=start, method="polis", notes=tuple(notes))
