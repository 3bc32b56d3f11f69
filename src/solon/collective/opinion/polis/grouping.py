"""Groups as Polis finds them: people's places on two axes, a hundred base clusters, groups of those."""

from __future__ import annotations

import numpy as np

from solon.collective.conversation import Conversation
from solon.collective.numerics import one_thread
from solon.collective.opinion.placing import Placed
from solon.collective.opinion.polis import clusters
from solon.collective.opinion.polis.projection import axes, project, ratings
from solon.collective.opinion.results import Imputation, Projection
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


def polis_place(conversation: Conversation, impute: Imputation | None = None) -> Placed:
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
    return Placed(rows_G=np.flatnonzero(chosen_P), start=start, method="polis", notes=tuple(notes))
