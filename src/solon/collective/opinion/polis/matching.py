"""Stored mathematics laid over the votes of a conversation, and where the two differ.

Groups, centre, components (and so their signs) and what was moderated out come from the stored file; votes are counted
anew. A difference is a note, not an error, for votes go on after mathematics is stored; the opposite sign of votes is
an error, for everything would be upside down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Bools, Conversation, Floats
from solon.collective.opinion.counts import Counts, counts_of
from solon.collective.opinion.polis.projection import Ratings, column_means, moderated_out, ratings
from solon.collective.opinion.polis.stored import StoredMathematics
from solon.collective.opinion.results import Groups
from solon.collective.phrases import listed
from solon.errors import InputError

SAME_MEAN = 1e-6
"""Means of a statement that differ by less are the same."""


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Stored mathematics in the shape of a conversation. S its statements."""

    rated: Ratings
    centre_S: Floats
    """In our sign, +1 agree; 0 for statements that the stored file lacks."""
    components_2S: Floats
    out_S: Bools
    meta_S: Bools
    groups: Groups
    notes: tuple[str, ...]


def match(conversation: Conversation, stored: StoredMathematics) -> Matched:
    """Lay stored mathematics over a conversation.

    Raises:
        InputError: if they have no statement or nobody in common, or the votes have the opposite sign.
    """
    ids = conversation.statement_ids
    at = {int(one): column for column, one in enumerate(stored.ids_T)}
    column = np.array([int(one) in at for one in ids], dtype=bool)
    if not column.any():
        raise InputError("the stored mathematics has no statement of this conversation", hint="is it of another one?")
    where = np.array([at[int(one)] for one in ids[column]])
    centre, components = np.zeros(len(ids)), np.zeros((2, len(ids)))
    centre[column], components[:, column] = stored.centre_T[where], stored.components_2T[:, where]
    out = moderated_out(conversation) if stored.mod_out is None else np.isin(ids, stored.mod_out)
    absent = set(stored.statement_ids) - {int(one) for one in ids}
    rated = ratings(
        conversation,
        out_S=out,
        column_S=column,
        absent_columns=len(absent),
        absent_seen=len(absent & set(stored.mod_out or ())),
    )
    means = column_means(rated)
    turned = bool(np.abs(centre + means)[column].sum() <= np.abs(centre - means)[column].sum())
    if turned:  # stored with agree as -1, as servers do; `+ 0.0` leaves no -0.0
        centre, components = 0.0 - centre, 0.0 - components
    groups, missing = _groups(conversation, stored)
    meta = np.array([one.is_meta for one in conversation.statements], dtype=bool)
    counts = counts_of(conversation, groups)
    notes = [
        *_different_ids(absent, missing, int(conversation.seen_PS[:, ~column].any(axis=0).sum())),
        *_different_counts(conversation, stored, counts),
        *_different_means(centre[column], means[column]),
    ]
    if not turned:
        notes.append("The stored mathematics has agree as +1, unlike a server's; it was taken as it is.")
    return Matched(
        rated=rated,
        centre_S=centre,
        components_2S=components,
        out_S=out,
        meta_S=meta if stored.meta is None else np.isin(ids, stored.meta),
        groups=groups,
        notes=tuple(notes),
    )


def _groups(conversation: Conversation, stored: StoredMathematics) -> tuple[Groups, list[int]]:
    """The stored groups with their own numbers, and the people in them who are not in the conversation."""
    known = set(conversation.participant_ids.tolist())
    by_group = stored.groups
    pairs = sorted(
        (person, label) for label, people in enumerate(by_group.values()) for person in people if person in known
    )
    if not pairs:
        raise InputError("nobody in the stored groups is in this conversation", hint="is it of another one?")
    found = Groups(
        participant_ids=np.array([person for person, _ in pairs], dtype=np.int64),
        labels_G=np.array([label for _, label in pairs], dtype=np.int64),
        names=tuple(str(number) for number in by_group),
        silhouettes={},
        method="stored",
    )
    return found, [person for people in by_group.values() for person in people if person not in known]


def _different_ids(absent: set[int], missing: list[int], later: int) -> list[str]:
    notes = []
    if later:
        notes.append(
            f"Statements with votes that the stored mathematics lacks: {later}. They have no place, and extremity 0."
        )
    if absent:
        notes.append(f"Stored statements that the conversation lacks: {len(absent)} ({listed(list(absent))}).")
    if missing:
        notes.append(f"People in the stored groups who are not among the votes: {len(missing)} ({listed(missing)}).")
    return notes


def _different_counts(conversation: Conversation, stored: StoredMathematics, counts: Counts) -> list[str]:
    """Notes on votes counted otherwise; the opposite sign is an error."""
    notes = []
    own = dict(zip(conversation.participant_ids.tolist(), conversation.n_votes_P.tolist(), strict=True))
    other = [person for person, count in stored.vote_counts.items() if own.get(person, 0) != count]
    if other:
        notes.append(
            f"People with another number of votes than in the stored mathematics: {len(other)} ({listed(other)})."
        )
    column = {one: at for at, one in enumerate(conversation.statement_ids.tolist())}
    label = {number: at for at, number in enumerate(stored.groups)}
    cells = [
        (int(counts.agrees[at, of]), int(counts.disagrees[at, of]), int(counts.seen[at, of]), tally)
        for number, group in stored.group_votes.items()
        for statement, tally in group.votes.items()
        if (at := label.get(number)) is not None and (of := column.get(statement)) is not None
    ]
    straight = sum(agrees != tally.agrees for agrees, _, _, tally in cells)
    reversed_ = sum(disagrees != tally.agrees for _, disagrees, _, tally in cells)
    if straight > 2 * reversed_ and straight > len(cells) // 4:
        raise InputError(
            "the votes have the opposite sign to the stored mathematics: its agrees are disagrees here",
            hint="say with `solon collect import --vote-sign` what means agree",
        )
    wrong = sum((a, d, s) != (tally.agrees, tally.disagrees, tally.seen) for a, d, s, tally in cells)
    if wrong:
        notes.append(f"Counts by group and statement that differ from the stored mathematics: {wrong} of {len(cells)}.")
    return notes


def _different_means(centre: Floats, means: Floats) -> list[str]:
    differ = int((np.abs(centre - means) > SAME_MEAN).sum())
    if not differ:
        return []
    return [f"Statements whose mean vote differs from the stored centre, which was used for the places: {differ}."]
