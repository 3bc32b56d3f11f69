"""The analysis of a conversation in one call: groups, places, consensus, what divides, what to show next.

Polis's mathematics, step by step in `opinion.polis`; the table in docs/method.md says which equation is where.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solon.collective.conversation import Conversation
from solon.collective.opinion.consensus import group_aware_consensus
from solon.collective.opinion.counts import between_groups, counts_of
from solon.collective.opinion.grouping import by_votes, find_groups, polis_projection
from solon.collective.opinion.polis.projection import column_means, moderated_out, project, ratings
from solon.collective.opinion.polis.representativeness import extremity, majorities, priority, representative_statements
from solon.collective.opinion.polis.stored import compared, lay_over
from solon.collective.opinion.results import Analysis, Groups, Projection
from solon.collective.reading.mathematics import StoredMathematics


def analyse(
    conversation: Conversation, *, groups: Groups | None = None, stored: StoredMathematics | None = None
) -> Analysis:
    """Analyse a conversation with `groups` of its people, or those that `find_groups` finds by its defaults; `stored`:
    with groups, axes and their signs as they are there. Raises `InputError` if nobody has voted; as `find_groups`; if
    `stored` is of another conversation or vote sign.
    """
    assert stored is None or groups is None, "stored mathematics brings its own groups"
    if stored is not None:
        return compared(_analysis(*lay_over(conversation, stored)), stored)
    ordered = by_votes(conversation)
    projection = ordered.projection(polis_projection(ordered.conversation))
    chosen = groups or find_groups(conversation)
    return _analysis(conversation, projection, chosen, chosen.notes)


def refreshed(before: Analysis, conversation: Conversation) -> Analysis:
    """The analysis of a conversation that has gone on since: with the axes and groups of before, all else anew.

    Whoever is new is in no group, and a statement that is new stands at the origin, until it is analysed as a whole;
    one that was rejected since, or lost all its votes, goes there.
    """
    column = {one.id: at for at, one in enumerate(before.conversation.statements)}
    known_S = np.array([column.get(one.id, -1) for one in conversation.statements], dtype=np.int64)
    axes, rated, groups = before.projection, ratings(conversation), before.groups
    stands_S = (known_S >= 0) & rated.column_S & ~moderated_out(conversation)
    components_2S = np.where(stands_S, axes.components_2S[:, known_S], 0.0)
    projection = project(rated, components_2S, column_means(rated), axes.variance_2)
    here_G = np.isin(groups.participant_ids, conversation.participant_ids)
    groups = replace(groups, participant_ids=groups.participant_ids[here_G], labels_G=groups.labels_G[here_G])
    return _analysis(conversation, projection, groups, groups.notes)


def _analysis(conversation: Conversation, projection: Projection, groups: Groups, notes: tuple[str, ...]) -> Analysis:
    counts, out_S = counts_of(conversation, groups), moderated_out(conversation)
    meta_S = np.array([one.is_meta for one in conversation.statements], dtype=bool)
    extremity_S = extremity(projection.statements_S2)
    silent_S = ~conversation.seen_PS.any(axis=0) & ~projection.components_2S.any(axis=0)
    if silent := int(silent_S.sum()):
        notes = (*notes, f"Statements without any vote: {silent}. They stand at the origin and are in no list.")
    if not projection.components_2S[0].any():
        notes = (*notes, "All votes are alike, or there are fewer than two people or statements: there are no axes.")
    return Analysis(
        conversation=conversation,
        projection=projection,
        groups=groups,
        consensus_S=group_aware_consensus(counts.agreement(smoothing=True)),
        disagreement_S=group_aware_consensus(counts.disagreement(smoothing=True)),
        extremity_S=extremity_S,
        priority_S=priority(counts, extremity_S, meta_S),
        polarization_S=between_groups(counts),
        moderated_out_S=out_S,
        representative=representative_statements(counts, conversation.statement_ids, groups.names, out_S=out_S),
        majority=majorities(conversation, out_S=out_S),
        notes=notes,
    )
