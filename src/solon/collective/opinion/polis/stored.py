"""Mathematics that a Polis server stored, laid over the votes: its groups and axes.

What it says of statements is computed anew and compared: votes go on after mathematics is stored, exports may lack
some, and stored values may be wrong.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solon.collective.conversation import Conversation, Floats, Statement
from solon.collective.opinion.given_groups import named_groups
from solon.collective.opinion.polis.projection import column_means, explained, project, ratings
from solon.collective.opinion.polis.representativeness import META_PRIORITY
from solon.collective.opinion.results import Agreement, Analysis, Groups, Projection
from solon.collective.phrases import listed
from solon.collective.reading.mathematics import Numbers, StoredMathematics
from solon.errors import InputError, Where

EXACT = 1e-9
"""What rounding leaves; relative where values exceed 1."""
CONSENSUS, EXTREMITY, PRIORITY = "group-aware consensus", "extremity", "priority"
ALL_META = (
    f"All stored priorities are {META_PRIORITY:g}, which is for statements about the conversation: a known fault of "
    "Polis from March 2025 to mid-2026, which showed statements in random order. They are not compared."
)


def lay_over(
    conversation: Conversation, stored: StoredMathematics
) -> tuple[Conversation, Projection, Groups, tuple[str, ...]]:
    """The conversation as it was then, everybody's places, +1 agree, the stored groups, and what does not fit. Raises
    `InputError` if they have no statement or nobody in common.
    """
    absent = sorted(set(stored.statement_ids) - set(conversation.statement_ids.tolist()))
    missing = sorted(stored.group_of.keys() - set(conversation.participant_ids.tolist()))
    if len(absent) == len(stored.statement_ids) or len(missing) == len(stored.group_of):
        what = "the stored mathematics has no statement, or nobody in its groups, of this conversation"
        raise InputError(what, hint="is it of another one?")
    talk = _as_it_was(conversation, stored, absent)
    at, count = np.searchsorted(talk.statement_ids, stored.statement_ids), len(talk.statements)
    column_S, center_S, components_2S = np.zeros(count, dtype=bool), np.zeros(count), np.zeros((2, count))
    column_S[at], center_S[at] = True, stored.axes.center
    for axis, entries in enumerate(stored.axes.comps[:2]):
        components_2S[axis, at] = entries
    rated = ratings(talk, column_S=column_S)
    means_S = column_means(rated)
    turned = np.abs(center_S + means_S).sum() <= np.abs(center_S - means_S).sum()
    if turned:  # stored with agree as -1, as servers do; `0.0 -` leaves no -0.0
        center_S, components_2S = 0.0 - center_S, 0.0 - components_2S
    here = {person: name for person, name in stored.group_of.items() if person not in missing}
    groups = named_groups(here, talk, Where("the stored mathematics"), "stored", "Groups as the server stored them.")
    later = int(talk.seen_PS[:, ~column_S].any(axis=0).sum())
    notes = (
        (later, f"Statements with votes that the stored mathematics lacks: {later}. They stand in the middle."),
        (absent, f"Stored statements that the conversation lacks: {len(absent)} ({listed(absent)})."),
        (missing, f"People in the stored groups who are not among the votes: {len(missing)} ({listed(missing)})."),
        (not turned, "The stored mathematics has agree as +1, unlike a server's; it was taken as it is."),
    )
    projection = project(rated, components_2S, center_S, explained(rated, center_S, components_2S))
    return talk, projection, groups, (*groups.notes, *(note for holds, note in notes if holds))


def _as_it_was(talk: Conversation, stored: StoredMathematics, absent: list[int]) -> Conversation:
    """Moderated as the file says, and with the statements in `absent`, without text or votes."""
    known = sorted([*talk.statements, *(Statement(id=one, text="") for one in absent)], key=lambda one: one.id)
    if stored.mod_out is not None:
        out = set(stored.mod_out)
        known = [one.model_copy(update={"moderated": -1 if one.id in out else max(0, one.moderated)}) for one in known]
    if stored.meta is not None:
        known = [one.model_copy(update={"is_meta": one.id in stored.meta}) for one in known]
    had_S = ~np.isin([one.id for one in known], absent)
    votes_PS = np.zeros((len(talk.participants), len(known)), dtype=np.int8)
    seen_PS = np.zeros(votes_PS.shape, dtype=bool)
    votes_PS[:, had_S], seen_PS[:, had_S] = talk.votes_PS, talk.seen_PS
    return replace(talk, statements=tuple(known), votes_PS=votes_PS, seen_PS=seen_PS, important_PS=None)


def compared(found: Analysis, stored: StoredMathematics) -> Analysis:
    """The analysis with how far stored results differ. Raises `InputError` if the votes have the opposite sign."""
    ids = found.conversation.statement_ids.tolist()
    straight = _agreement(CONSENSUS, stored.consensus, ids, found.consensus_S)
    reverse = _agreement(CONSENSUS, stored.consensus, ids, found.disagreement_S)
    if straight.differ > max(2 * reverse.differ, straight.compared // 4):
        raise InputError(
            "the votes have the opposite sign to the stored mathematics: its agrees are disagrees here",
            hint="say with `solon collect import --vote-sign` what means agree",
        )
    extremity = dict(zip(stored.statement_ids, stored.axes.extremity, strict=False))
    meta = {one.id for one in found.conversation.statements if one.is_meta}
    faulty = {value for one, value in stored.priorities.items() if one not in meta} == {META_PRIORITY}
    agreements = (
        straight,
        _agreement(EXTREMITY, extremity, ids, found.extremity_S),
        _agreement(PRIORITY, {} if faulty else stored.priorities, ids, found.priority_S),
    )
    notes = (*found.notes, ALL_META) if faulty else found.notes
    return replace(found, agreements=tuple(one for one in agreements if one.compared), notes=notes)


def _agreement(quantity: str, stored: Numbers, ids: list[int], computed_S: Floats) -> Agreement:
    apart = [
        (abs(value - ours), max(1.0, abs(ours)))
        for one, ours in zip(ids, computed_S.tolist(), strict=True)
        if (value := stored.get(one)) is not None
    ]
    return Agreement(
        quantity=quantity,
        compared=len(apart),
        differ=sum(difference > EXACT * size for difference, size in apart),
        largest=max((difference for difference, _ in apart), default=0.0),
    )
