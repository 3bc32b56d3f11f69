"""The analysis of a conversation in one call: groups, places, consensus, what divides, what to show next.

Polis's mathematics, step by step in `opinion.polis`; the table in docs/method.md says which equation is where.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solon.collective.conversation import Bools, Conversation
from solon.collective.opinion.consensus import group_aware_consensus, share_of_agrees
from solon.collective.opinion.counts import counts_of
from solon.collective.opinion.grouping import Method, by_votes, find_groups
from solon.collective.opinion.polarisation import between_groups
from solon.collective.opinion.polis.agreement import compare, notes_on
from solon.collective.opinion.polis.grouping import polis_projection
from solon.collective.opinion.polis.matching import match
from solon.collective.opinion.polis.priority import extremity, priority
from solon.collective.opinion.polis.projection import moderated_out, project
from solon.collective.opinion.polis.representativeness import majority_lists, representative_statements
from solon.collective.opinion.polis.stored import StoredMathematics
from solon.collective.opinion.results import Analysis, Groups, Projection
from solon.errors import InputError

__all__ = ["Method", "analyse", "find_groups"]


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
    projection = ordered.projection(polis_projection(ordered.conversation))
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
        disagreement_S=group_aware_consensus(share_of_agrees(counts.disagrees, counts.seen, smoothing=True)),
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
