"""The analysis of a conversation in one call: groups, places, consensus, what divides, what to show next.

Polis's mathematics, step by step in `opinion.polis`; the table in docs/method.md says which equation is where.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from solon.collective.conversation import Bools, Conversation
from solon.collective.opinion.ccai import ccai_groups
from solon.collective.opinion.consensus import group_aware_consensus, share_of_agrees
from solon.collective.opinion.counts import counts_of
from solon.collective.opinion.ordering import by_votes
from solon.collective.opinion.polarisation import between_groups
from solon.collective.opinion.polis import clusters
from solon.collective.opinion.polis.agreement import compare, notes_on
from solon.collective.opinion.polis.matching import match
from solon.collective.opinion.polis.projection import moderated_out, project, ratings
from solon.collective.opinion.polis.representativeness import majority_lists, representative_statements
from solon.collective.opinion.polis.routing import extremity, priority
from solon.collective.opinion.polis.stored import StoredMathematics
from solon.collective.opinion.results import Analysis, Groups, Imputation, Projection, by_size
from solon.errors import InputError

Method = Literal["polis", "ccai"]
STARTS, LEAST_STARTS, STARTED = 5, 3, 10_000
"""Starts of the clustering (assumption: enough to leave a bad one alone), the least of them, and the people that all
starts together may place: with more, one start is like the other, and takes seconds."""


def find_groups(
    conversation: Conversation,
    *,
    k: int | None = None,
    method: Method = "polis",
    seed: int = 0,
    impute: Imputation = "mean",
) -> Groups:
    """The opinion groups of a conversation.

    `k`: how many; None: as many as give the best silhouette. `seed`: the start of the clustering. The same votes give
    the same groups, whatever the ids. `impute`: what missing votes count as when axes are sought (method `polis`).

    Raises:
        InputError: if nobody has voted, or for more groups than people stand in different places.
    """
    ordered = by_votes(conversation)
    if method == "ccai":
        return ordered.groups(ccai_groups(ordered.conversation, k=k, seed=seed))
    _require_votes(conversation)
    return ordered.groups(_polis(ordered.conversation, k=k, seed=seed, impute=impute)[1])


def update_groups(
    conversation: Conversation, smoother: clusters.Smoother | None = None, *, seed: int = 0
) -> tuple[Groups, clusters.Smoother]:
    """The groups of a running conversation, and the state to hand to the next update; None: this is the first.

    The number of groups changes only after another one has been best in four updates in a row. Everything else starts
    anew each time.

    Raises:
        InputError: if nobody has voted.
    """
    _require_votes(conversation)
    return _grouped(conversation, project(ratings(conversation)), seed=seed, smoother=smoother)


def _polis(
    ordered: Conversation, *, k: int | None, seed: int, impute: Imputation = "mean"
) -> tuple[Projection, Groups]:
    """Where people stand, and the groups by that, as Polis finds them."""
    projection = project(ratings(ordered), impute=impute)
    starts = max(LEAST_STARTS, min(STARTS, STARTED // len(ordered.participants)))
    return projection, _grouped(ordered, projection, k=k, seed=seed, starts=starts)[0]


def _grouped(
    conversation: Conversation,
    projection: Projection,
    *,
    k: int | None = None,
    seed: int = 0,
    smoother: clusters.Smoother | None = None,
    starts: int = 1,
) -> tuple[Groups, clusters.Smoother]:
    recipe = clusters.SOLON
    able = conversation.n_votes_P >= clusters.votes_to_be_grouped(conversation, recipe)
    chosen = clusters.grouped_people(conversation, recipe)
    ids = conversation.participant_ids[chosen]
    points, agreeing = projection.participants_P2[chosen], starts
    if starts > 1:
        found, agreeing = clusters.cluster_often(points, k=k, seed=seed, starts=starts)
    else:
        found = clusters.cluster(points, k=k, seed=seed, smoother=smoother)
    n_places = len(found.base_centres_B2)
    if k is not None and not 1 <= k <= n_places:
        raise InputError(
            f"{k} groups asked for, but people stand in {n_places} different places after base clustering",
            hint=f"ask for 1 to {n_places}, or leave the number to the method",
        )
    labels = by_size(found.labels_N, ids)
    n_groups = len(np.unique(labels))
    notes = []
    if added := int((chosen & ~able).sum()):
        notes.append(
            f"Few people cast {recipe.min_votes} votes or more: the {added} most active others were grouped too."
        )
    if n_places < 2:
        notes.append("Everybody who is grouped stands in the same place: there is one group.")
    if k is not None and n_groups < k:
        notes.append(f"{k} groups were asked for; {k - n_groups} of them ended up empty.")
    if agreeing < starts and k is None:
        notes.append(f"{agreeing} of {starts} starts of the calculation chose {n_groups} groups; {n_groups} are taken.")
    groups = Groups(
        participant_ids=ids,
        labels_G=labels,
        names=tuple(str(label) for label in range(n_groups)),
        silhouettes=found.silhouettes,
        method="polis",
        notes=tuple(notes),
    )
    return groups, found.smoother


def analyse(
    conversation: Conversation,
    *,
    seed: int = 0,
    k: int | None = None,
    method: Method = "polis",
    stored: StoredMathematics | None = None,
    groups: Groups | None = None,
) -> Analysis:
    """Analyse a conversation.

    Groups are found by `method`, `k` and `seed`, as `find_groups` does, unless they are given. `stored`: groups, axes
    and their signs are taken from there. `groups`: these are taken, of people in the conversation; axes are computed.

    Raises:
        InputError: if nobody has voted; as `find_groups`; if `stored` is of another conversation or vote sign.
    """
    assert stored is None or groups is None, "stored mathematics brings its own groups"
    _require_votes(conversation)
    if stored is not None:
        matched = match(conversation, stored)
        given = project(matched.rated, centre_S=matched.centre_S, components_2S=matched.components_2S)
        found = _analysis(conversation, given, matched.groups, matched.out_S, matched.meta_S, matched.notes)
        compared = compare(found, matched, stored)
        return replace(found, agreements=compared, notes=(*found.notes, *notes_on(compared, stored)))
    ordered = by_votes(conversation)
    if groups is None and method == "polis":  # the places are at hand
        projection, found_groups = _polis(ordered.conversation, k=k, seed=seed)
        groups = ordered.groups(found_groups)
    else:
        projection = project(ratings(ordered.conversation))
    projection = ordered.projection(projection)
    chosen = groups or find_groups(conversation, k=k, method=method, seed=seed)
    meta = np.array([one.is_meta for one in conversation.statements], dtype=bool)
    return _analysis(conversation, projection, chosen, moderated_out(conversation), meta, chosen.notes)


def _analysis(
    conversation: Conversation,
    projection: Projection,
    groups: Groups,
    out_S: Bools,
    meta_S: Bools,
    notes: tuple[str, ...],
) -> Analysis:
    counts = counts_of(conversation, groups)
    extremity_S = extremity(projection.statements_S2)
    silent = int((~conversation.seen_PS.any(axis=0)).sum())
    if silent:
        notes = (*notes, f"Statements without any vote: {silent}. They stand at the origin and are in no list.")
    if not projection.components_2S[0].any():
        notes = (*notes, "All votes are alike, or there are fewer than two people or statements: there are no axes.")
    return Analysis(
        conversation=conversation,
        projection=projection,
        groups=groups,
        consensus_S=group_aware_consensus(share_of_agrees(counts.agrees, counts.seen, smoothing=True)),
        extremity_S=extremity_S,
        priority_S=priority(counts, extremity_S, meta_S),
        polarisation_S=between_groups(counts),
        moderated_out_S=out_S,
        representative=representative_statements(counts, conversation.statement_ids, groups.names, out_S=out_S),
        majority=majority_lists(conversation, out_S=out_S),
        notes=notes,
    )


def _require_votes(conversation: Conversation) -> None:
    if not conversation.seen_PS.any():
        raise InputError("nobody has voted in this conversation", hint="import an export that has votes")
