"""Opinion groups as in Collective Constitutional AI (Huang et al. 2024), with people and labels kept together.

How it differs from Polis: a statement not seen counts as a pass; every participant's votes are centred, instead of
every statement's; both axes have unit length, so the second counts as much as the first; nobody's position is scaled
by how much they voted; k is chosen once, without memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Bools, Conversation, Floats, Ints
from solon.collective.numerics import one_thread
from solon.collective.opinion.ccai.kmeans import k_means
from solon.collective.opinion.results import Groups, Imputation, by_size
from solon.errors import InputError

MORE_VOTES_THAN = 25
"""Participants need more votes than this, on whatever statement (the study's code; its text says at least 25)."""
N_BASE = 100
"""Small clusters that people fall into first; the groups are made of them (the study's code)."""
TRIED_K = (2, 3, 4, 5)
"""Numbers of groups tried (the study's code)."""


@dataclass(frozen=True, kw_only=True)
class Positions:
    """Where participants stand on the two axes of largest variance."""

    participants_P2: Floats
    """Each axis has unit length over all participants and a positive mean."""
    variance_2: Floats
    """Share of the variance that each axis explains."""


def ccai_groups(
    conversation: Conversation, *, k: int | None = None, seed: int = 0, impute: Imputation = "pass"
) -> Groups:
    """The study's groups for any conversation: people with more than 25 votes, by their votes on accepted statements.

    Where no statement was ever accepted, all that were not rejected count. `k`: the silhouette chooses if None.
    `impute`: what a vote not cast counts as, a pass (the study) or the statement's mean vote.

    Raises:
        InputError: if fewer than two people have enough votes, no statement is left, or `k` groups cannot be formed.
    """
    people = conversation.n_votes_P > MORE_VOTES_THAN
    if people.sum() < 2:
        raise InputError(
            f"{int(people.sum())} of {len(people)} participants have more than {MORE_VOTES_THAN} votes",
            hint="the ccai method cannot group them; use --method polis",
        )
    statements = accepted(conversation)
    if not statements.any():
        raise InputError("moderators rejected every statement", hint="there is nothing to group people by")
    chosen = conversation.select(participants=people, statements=statements)
    return group_all(chosen, k=k, seed=seed, impute=impute)


def accepted(conversation: Conversation) -> Bools:
    """Statements that moderators accepted [S]; all that they did not reject if they never accepted one."""
    moderated_S = np.array([one.moderated for one in conversation.statements], dtype=np.int64)
    return np.asarray(moderated_S > 0 if (moderated_S > 0).any() else moderated_S >= 0)


def group_all(
    conversation: Conversation, *, k: int | None = None, seed: int = 0, impute: Imputation = "pass"
) -> Groups:
    """Groups of all participants by all statements. Options as for `ccai_groups`.

    People fall into at most 100 base clusters, and the base clusters' centres into groups; the mean silhouette over
    centres, not weighted by people, chooses k, the larger one on a tie.

    Raises:
        InputError: if there are fewer different positions than `k`.
    """
    with one_thread():
        return _group_all(conversation, k, seed, impute)


def _group_all(conversation: Conversation, k: int | None, seed: int, impute: Imputation) -> Groups:
    points_P2 = positions(conversation, impute=impute).participants_P2
    # Rounded, since equal votes give positions that may differ in the last digit.
    n_base = min(N_BASE, len(np.unique(points_P2.round(12), axis=0)))
    if k is not None and k > n_base:
        raise InputError(f"{k} groups asked for, but participants take only {n_base} different positions")
    base = k_means(points_P2, n_base, seed=seed)
    labels_by_k, silhouettes = _regrouped(base.centres_KD, {*TRIED_K, *([] if k is None else [k])}, seed)
    if k is None:
        k = max(silhouettes, key=lambda one: (silhouettes[one], one), default=1)
    labels_P = labels_by_k[k][base.labels_N]
    return Groups(
        participant_ids=conversation.participant_ids,
        labels_G=by_size(labels_P, conversation.participant_ids),
        names=tuple(str(one) for one in range(len(np.unique(labels_P)))),
        silhouettes=silhouettes,
        method="ccai",
    )


def _regrouped(centres_B2: Floats, wanted: set[int], seed: int) -> tuple[dict[int, Ints], dict[int, float]]:
    """Group of each base cluster for every k that can be formed, and the silhouettes of those that have one."""
    from sklearn.metrics import silhouette_score

    labels_by_k: dict[int, Ints] = {1: np.zeros(len(centres_B2), dtype=np.int64)}
    silhouettes: dict[int, float] = {}
    for k in sorted(wanted):
        if 1 < k <= len(centres_B2):
            labels_by_k[k] = k_means(centres_B2, k, seed=seed).labels_N
        if 1 < k < len(centres_B2) and len(np.unique(labels_by_k[k])) > 1:
            silhouettes[k] = float(silhouette_score(centres_B2, labels_by_k[k]))
    return labels_by_k, silhouettes


def positions(conversation: Conversation, *, impute: Imputation = "pass") -> Positions:
    """The study's projection: unseen counts as pass (or as `impute` says), each participant is centred, two axes.

    The axes are the leading eigenvectors of the smaller of the two matrices of inner products, which scikit-learn's
    full decomposition would give too, up to the sign.
    """
    from scipy.linalg import eigh

    filling_S = np.zeros(len(conversation.statements))
    if impute == "mean":
        cast_S = np.maximum(conversation.seen_PS.sum(axis=0), 1)
        filling_S = np.where(conversation.seen_PS, conversation.votes_PS, 0).sum(axis=0) / cast_S
    votes_PS = np.where(conversation.seen_PS, conversation.votes_PS.astype(np.float64), filling_S)
    centred_PS = votes_PS - votes_PS.mean(axis=1, keepdims=True)
    wide = centred_PS.shape[0] <= centred_PS.shape[1]
    with one_thread():
        inner = centred_PS @ centred_PS.T if wide else centred_PS.T @ centred_PS
        last = len(inner) - 1
        values, vectors = eigh(inner, subset_by_index=[max(last - 1, 0), last])
    values_2, vectors_N2 = np.clip(values[::-1], 0.0, None), vectors[:, ::-1]
    points_P2 = np.zeros((len(votes_PS), 2))
    found = vectors_N2 if wide else centred_PS @ vectors_N2
    length_2 = np.sqrt((found**2).sum(axis=0))
    # An axis without variance has no direction: everybody stands at 0 on it.
    real = values_2 > 1e-9 * max(float(np.trace(inner)), 1e-300)
    points_P2[:, : len(real)] = np.where(real, found / np.where(real, length_2, 1.0), 0.0)
    points_P2 *= np.where(points_P2.sum(axis=0) < 0, -1.0, 1.0)
    variance_2 = np.zeros(2)
    variance_2[: len(real)] = np.where(real, values_2 / max(float(np.trace(inner)), 1e-300), 0.0)
    return Positions(participants_P2=points_P2, variance_2=variance_2)
