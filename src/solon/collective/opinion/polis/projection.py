"""Where people and statements stand on the two axes along which opinions differ most.

Principal components of the votes, missing ones replaced by the statement's mean; then each person is placed by the
votes they cast alone, stretched by how many those are ("sparsity-aware"). Shapes: P participants, S statements.

A component may point either way. Our rule: its entry of largest magnitude is positive; entries within one part in 10⁹
of the largest count as equal, and of those the statement with the smallest id decides. Stored mathematics keeps its
own signs.

Rejected statements and those about the conversation itself count as a pass by everybody, as in Polis; they stay columns
and so count among the statements seen. A statement without any vote is no column. A second axis that explains nothing
(all rows on one line) is zero, and so is everybody's place on it. Components are exact, the same in every run.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import AGREE, Bools, Conversation, Floats
from solon.collective.opinion.counts import count_votes
from solon.collective.opinion.results import Imputation, Projection
from solon.seeds import generator

DENSE_SIDE = 600
"""Largest Gram matrix that is decomposed as a whole; of larger ones Lanczos iterations find two components alone, to
rounding (tests: 1e-9). Measured at 700: 30 times as fast, which over ten projections pays for importing SciPy."""
SAME = 1e-9
"""Entries of a component that differ by less than this share are equal for the rule of signs."""
NOTHING = 1e-12
"""Share of the variance below which an axis explains nothing but rounding."""


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """The matrix that axes are computed from."""

    votes_PS: NDArray[np.int8]
    """0 where nobody voted and throughout columns that are moderated out."""
    seen_PS: Bools
    """True where a vote was cast, and throughout columns that are moderated out."""
    column_S: Bools
    """True: the statement is a column of the matrix, that is, it has a vote at all."""


def moderated_out(conversation: Conversation) -> Bools:
    """[S]: True for statements that were rejected or are about the conversation itself."""
    return np.array([one.moderated < 0 or one.is_meta for one in conversation.statements], dtype=bool)


def ratings(conversation: Conversation, *, column_S: Bools | None = None) -> Ratings:
    """The votes as Polis computes on them. `column_S`: as stored mathematics has it; else it follows from who voted."""
    out = moderated_out(conversation)
    column: Bools = np.asarray(conversation.seen_PS.any(axis=0)) if column_S is None else column_S
    votes, seen = conversation.votes_PS * conversation.seen_PS, conversation.seen_PS.copy()
    votes[:, out | ~column], seen[:, out], seen[:, ~column] = 0, True, False
    return Ratings(votes_PS=votes, seen_PS=seen, column_S=column)


def column_means(rated: Ratings) -> Floats:
    """[S]: mean of the votes cast on each statement; 0 where there are none.

    >>> votes, seen = np.array([[1, 0], [-1, 0], [1, 0]], dtype=np.int8), np.array([[1, 1], [1, 0], [1, 0]], dtype=bool)
    >>> column_means(Ratings(votes_PS=votes, seen_PS=seen, column_S=np.array([True, True]))).round(3).tolist()
    [0.333, 0.0]
    """
    counts = count_votes(rated.votes_PS, rated.seen_PS, np.zeros(len(rated.votes_PS), dtype=np.int64), 1)
    return np.asarray((counts.agrees - counts.disagrees)[0] / np.maximum(1, counts.seen[0]), dtype=np.float64)


def axes(rated: Ratings, *, impute: Imputation = "mean") -> tuple[Floats, Floats, Floats]:
    """Components [2, S], the center they are taken around [S], and the share of variance each explains [2].

    `impute`: `pass` is what Polis did before October 2017.
    Of fewer than two people who voted, or two statements, all are zero.
    """
    voted = rated.seen_PS[:, rated.column_S].any(axis=1)
    center = column_means(rated)
    if impute == "pass":
        center = rated.votes_PS[voted].sum(axis=0, dtype=np.int64) / max(1, int(voted.sum()))
    if voted.sum() < 2 or rated.column_S.sum() < 2:
        return np.zeros((2, len(center))), center, np.zeros(2)
    kept = rated.votes_PS[voted][:, rated.column_S] - center[rated.column_S]
    if impute == "mean":  # what is missing stands at the mean, which the center takes away again
        kept *= rated.seen_PS[voted][:, rated.column_S]
    found, variance = leading_components(kept)
    components = np.zeros((2, len(center)))
    components[:, rated.column_S] = fixed_signs(found)
    return components, center, variance


def one_thread() -> AbstractContextManager[object]:
    """On one thread a sum has one order, however many cores there are; small clusterings are faster so, too."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn brings it

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


def leading_components(centered_RC: Floats) -> tuple[Floats, Floats]:
    """The first two right singular vectors [2, C] of a centered matrix and their shares of its variance [2].

    `[[1, 1], [-1, -1]]` has one axis, (0.707, 0.707), which explains everything; the second is zero.
    """
    rows, columns = centered_RC.shape
    gram = centered_RC.T @ centered_RC if columns <= rows else centered_RC @ centered_RC.T
    total = float(np.trace(gram))
    if total <= 0:
        return np.zeros((2, columns)), np.zeros(2)
    values, vectors = _top_two(gram)
    vectors = vectors.T if columns <= rows else vectors.T @ centered_RC
    for axis in range(2):
        length = float(np.linalg.norm(vectors[axis]))
        real = axis < len(values) and values[axis] > NOTHING * total and length > 0
        vectors[axis] = vectors[axis] / length if real else 0.0
    return vectors, np.where(values > NOTHING * total, values, 0.0) / total


def _top_two(gram_MM: Floats) -> tuple[Floats, Floats]:
    """The two largest eigenvalues [2], largest first, and their vectors [M, 2]."""
    values, vectors = None, None
    if len(gram_MM) > DENSE_SIDE:
        from scipy.sparse.linalg import ArpackNoConvergence, eigsh

        with suppress(ArpackNoConvergence):  # nearly equal eigenvalues
            start = generator(0, "polis", "lanczos", len(gram_MM)).normal(size=len(gram_MM))
            values, vectors = eigsh(gram_MM, k=2, which="LA", v0=start, tol=0)
    if values is None or vectors is None:
        values, vectors = np.linalg.eigh(gram_MM)
    order = np.argsort(-values, kind="stable")[:2]
    return values[order], vectors[:, order]


def fixed_signs(components_2S: Floats) -> Floats:
    """The components with the sign that the rule of this module gives them.

    >>> fixed_signs(np.array([[0.6, -0.8], [-0.6, 0.6]])).tolist()
    [[-0.6, 0.8], [0.6, -0.6]]
    """
    magnitude = np.abs(components_2S)
    decides = np.argmax(magnitude >= (1 - SAME) * magnitude.max(axis=1, initial=0.0, keepdims=True), axis=1)
    flip = components_2S[np.arange(2), decides] < 0
    # `+ 0.0` turns the -0.0 that a flip leaves into 0.0.
    return np.where(flip[:, None], -components_2S, components_2S) + 0.0


def participant_places(rated: Ratings, center_S: Floats, components_2S: Floats) -> Floats:
    """[P, 2]: sum over the statements seen of (vote - center) · component, times √(statements / statements seen).

    One agree on one of four statements, center 0.5, component entry 0.2: 0.5 · 0.2 · √(4/1) = 0.2.
    """
    places_P2, columns = np.zeros((len(rated.votes_PS), 2)), int(rated.column_S.sum())
    cells_C = np.flatnonzero(rated.seen_PS)  # person by person
    row_C, column_C = np.divmod(cells_C, max(1, len(center_S)))
    seen_P = np.bincount(row_C, minlength=len(places_P2))
    apart_C, begins_P = rated.votes_PS.ravel()[cells_C] - center_S[column_C], np.cumsum(seen_P) - seen_P
    along_2C = apart_C * components_2S[:, column_C]
    for count in np.unique(seen_P[seen_P > 0]).tolist():  # sums of one length: equal votes give equal bits everywhere
        rows_R = np.flatnonzero(seen_P == count)
        stretch = np.sqrt(columns / count)  # so that few votes do not pull people to the middle
        at_RN = begins_P[rows_R, None] + np.arange(count)
        for axis in range(2):
            places_P2[rows_R, axis] = along_2C[axis, at_RN].sum(axis=1) * stretch
    return places_P2


def statement_places(rated: Ratings, center_S: Floats, components_2S: Floats) -> Floats:
    """[S, 2]: where someone would stand who agrees with that alone and saw no other: √S · (1 - center) · component."""
    lengths = np.sqrt(rated.column_S.sum()) * (AGREE - center_S)
    return np.asarray((lengths * components_2S).T + 0.0, dtype=np.float64)


def project(rated: Ratings, components_2S: Floats, center_S: Floats, variance_2: Floats) -> Projection:
    """Everybody and everything placed on axes as `axes` gives them."""
    return Projection(
        components_2S=components_2S,
        center_S=center_S,
        participants_P2=participant_places(rated, center_S, components_2S),
        statements_S2=statement_places(rated, center_S, components_2S),
        variance_2=variance_2,
    )


def explained(rated: Ratings, center_S: Floats, components_2S: Floats) -> Floats:
    """[2]: share of the variance along given axes, such as stored ones."""
    centered = (rated.votes_PS - center_S) * rated.seen_PS
    total = float(np.square(centered).sum())
    along = np.square(centered @ components_2S.T).sum(axis=0)
    return np.asarray(along / total if total > 0 else np.zeros(2), dtype=np.float64)
