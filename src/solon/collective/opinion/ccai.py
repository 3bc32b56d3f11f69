"""Opinion groups as in Collective Constitutional AI (Huang et al. 2024), with people and labels kept together.

How it differs from Polis: a statement not seen counts as a pass; every participant's votes are centered, instead of
every statement's; both axes have unit length, so the second counts as much as the first; nobody's position is scaled
by how much they voted.

The published groups were made with `KMeans(k, random_state=0)` of scikit-learn 1.2.2: ten starts by greedy k-means++,
the best kept. Release 1.3 changed how the first center is drawn, so the same call gives other groups today. Here the
draws are made as they were then, from NumPy's `RandomState`, whose streams are frozen; the iterations are
scikit-learn's. On the study's data all 1,002 published groups follow, 619 and 383 people.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solon.collective.conversation import Bools, Conversation, Floats, Ints
from solon.collective.opinion.polis.clusters import Clustering, Start
from solon.collective.opinion.polis.projection import leading_components, one_thread
from solon.collective.opinion.results import Imputation
from solon.collective.opinion.trials import Placement
from solon.errors import InputError

MORE_VOTES_THAN = 25
"""Participants need more votes than this, on whatever statement (the study's code; its text says at least 25)."""
N_BASE = 100
"""Small clusters that people fall into first; the groups are made of them (the study's code)."""
TRIED_K = (2, 3, 4, 5)
"""Numbers of groups tried (the study's code)."""
STARTS = 10
"""scikit-learn's default until release 1.3."""


def ccai_place(conversation: Conversation, impute: Imputation | None = None) -> Placement:
    """People with more than 25 votes, by their votes on accepted statements; on all that were not rejected, where none
    was ever accepted. `impute`: what a vote not cast counts as, a pass (the study) or the statement's mean vote. Raises
    `InputError` if fewer than two people have enough votes, or no statement is left.
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
    placed = place_all(conversation.select(participants=people, statements=statements), impute)
    return replace(placed, rows_G=np.flatnonzero(people))


def place_all(conversation: Conversation, impute: Imputation | None = None) -> Placement:
    """All participants, by all statements."""
    points_P2, _ = positions(conversation, impute=impute or "pass")
    # Rounded, since equal votes give positions that may differ in the last digit.
    n_base = min(N_BASE, len(np.unique(points_P2.round(12), axis=0)))

    def start(seed: int) -> Start:
        one = Clustering(
            make_base=lambda: k_means(points_P2, n_base, seed=seed),
            make_groups=lambda centers_B2, _, k: k_means(centers_B2, k, seed=seed)[0],
            tried=lambda count: [k for k in TRIED_K if k < count],
        )
        return Start(clusterings=(one,))

    return Placement(rows_G=np.arange(len(points_P2)), start=start, method="ccai")


def accepted(conversation: Conversation) -> Bools:
    """Statements that moderators accepted [S]; all that they did not reject if they never accepted one."""
    moderated_S = np.array([one.moderated for one in conversation.statements], dtype=np.int64)
    return np.asarray(moderated_S > 0 if (moderated_S > 0).any() else moderated_S >= 0)


def k_means(points_ND: Floats, k: int, *, seed: int = 0) -> tuple[Ints, Floats]:
    """Labels [N] and centers [k, D] of the best of `STARTS` runs of Lloyd's algorithm.

    `k` must not exceed the number of distinct points.
    """
    from sklearn.cluster import KMeans

    draws = np.random.RandomState(seed % 2**32)  # which takes no larger one
    mean_D = points_ND.mean(axis=0)
    centered_ND = points_ND - mean_D
    with_centers = (starting_centers(centered_ND, k, draws) for _ in range(STARTS))
    with one_thread():
        runs = [KMeans(k, init=centers, n_init=1).fit(centered_ND) for centers in with_centers]
    best = min(runs, key=lambda run: run.inertia_)
    return np.asarray(best.labels_, dtype=np.int64), np.asarray(best.cluster_centers_ + mean_D, dtype=np.float64)


def starting_centers(points_ND: Floats, k: int, draws: np.random.RandomState) -> Floats:
    """Greedy k-means++ (Arthur and Vassilvitskii 2007), [k, D].

    The first center is any point. For each further one, 2 + ⌊ln k⌋ points are drawn with probability proportional to
    the squared distance to the nearest center so far, and the one that leaves the least total distance is taken.
    """
    trials = 2 + int(np.log(k))
    chosen = [int(draws.randint(len(points_ND)))]
    nearest_N = ((points_ND - points_ND[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(1, k):
        targets_T = draws.random_sample(trials) * nearest_N.sum()
        drawn_T = np.minimum(np.searchsorted(np.cumsum(nearest_N), targets_T), len(points_ND) - 1)
        distance_TN = ((points_ND[drawn_T][:, None] - points_ND[None]) ** 2).sum(axis=2)
        left_TN = np.minimum(nearest_N, distance_TN)
        best = int(left_TN.sum(axis=1).argmin())
        chosen.append(int(drawn_T[best]))
        nearest_N = left_TN[best]
    return points_ND[chosen]


def positions(conversation: Conversation, *, impute: Imputation = "pass") -> tuple[Floats, Floats]:
    """Where people stand [P, 2], each axis of unit length and positive mean, and the share of variance it explains [2].

    Unseen counts as pass (or as `impute` says), and each participant is centered. scikit-learn's full decomposition
    would give the same, up to the sign. Everybody stands at 0 on an axis without variance.
    """
    filling_S = np.zeros(len(conversation.statements))
    if impute == "mean":
        cast_S = np.maximum(conversation.seen_PS.sum(axis=0), 1)
        filling_S = np.where(conversation.seen_PS, conversation.votes_PS, 0).sum(axis=0) / cast_S
    votes_PS = np.where(conversation.seen_PS, conversation.votes_PS.astype(np.float64), filling_S)
    with one_thread():
        found_2P, variance_2 = leading_components((votes_PS - votes_PS.mean(axis=1, keepdims=True)).T)
    return found_2P.T * np.where(found_2P.sum(axis=1) < 0, -1.0, 1.0), variance_2
