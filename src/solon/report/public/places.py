"""Where people stand on the map of opinion, told without a picture: regions, directions, and how far a group reaches.

Shapes: G people in groups, S statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, degrees, sqrt

import numpy as np

from solon.collective.conversation import Bools, Conversation, Floats, Ints
from solon.collective.opinion.consensus import in_every_group
from solon.collective.opinion.results import Analysis
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.people.suppression import suppress, suppress_row
from solon.report.public.language import mark
from solon.report.public.tally import StatementVotes

EDGE = 0.01
"""Share of people at each end of a direction who are drawn at the edge of the map, so that a few far ones do not
squeeze all others into its middle (assumption)."""
INSIDE = 2 / 3
"""Share of a group's members inside its outline (assumption: about as many as people mean by "most")."""
PULLING = 2
"""Statements named for each end of a direction."""
PLACES = {
    2: (mark("upper left"), mark("upper right"), mark("lower left"), mark("lower right")),
    3: (
        *(mark("upper left"), mark("upper middle"), mark("upper right")),
        *(mark("middle left"), mark("centre"), mark("middle right")),
        *(mark("lower left"), mark("lower middle"), mark("lower right")),
    ),
}
"""The parts from the upper left on, by how many the map is divided into each way."""
ENDS = (
    (mark("People further to the left agree more with"), mark("People further to the right agree more with")),
    (mark("People further down agree more with"), mark("People further up agree more with")),
)
"""Of both directions."""
MANY_WITHHELD = 1 / 3
"""Share of parts with too few people to show above which the map is divided into fewer (assumption)."""


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The part of the plane that the map shows."""

    low_2: Floats
    high_2: Floats

    @property
    def size_2(self) -> Floats:
        return np.asarray(self.high_2 - self.low_2)


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of the map. Shares are of everyone on the map, and of each group; None: withheld."""

    name: str
    """In English, to be said."""
    everyone: float | None
    groups: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Direction:
    """What people towards one end of the map agree with more than people towards the other."""

    lead: str
    """In English, to be said."""
    statements: tuple[StatementVotes, ...]


@dataclass(frozen=True, kw_only=True)
class Outline:
    """An ellipse that holds `INSIDE` of a group's members."""

    centre_2: Floats
    radii_2: Floats
    """Long and short."""
    degrees: float
    """Of the long one, from the first axis towards the second."""


def people_on_map(analysis: Analysis) -> tuple[Floats, Ints]:
    """Positions [G, 2] and groups [G] of the people in groups, in order of id."""
    rows = np.searchsorted(analysis.conversation.participant_ids, analysis.groups.participant_ids)
    return analysis.projection.participants_P2[rows], analysis.groups.labels_G


def extent_of(points_G2: Floats) -> Extent:
    """What the map shows: all but the outermost `EDGE` at each end, and a margin. Never empty."""
    if not len(points_G2):
        return Extent(low_2=np.full(2, -1.0), high_2=np.full(2, 1.0))
    low, high = np.quantile(points_G2, (EDGE, 1 - EDGE), axis=0)
    span = np.maximum(high - low, max(float((high - low).max()) * 0.05, 1e-9))
    middle = (low + high) / 2
    return Extent(low_2=middle - 0.54 * span, high_2=middle + 0.54 * span)


def regions(points_G2: Floats, labels_G: Ints, k: int, extent: Extent) -> tuple[int, tuple[Region, ...]]:
    """How many parts the map is divided into each way, and shares in each part that holds anybody, from the upper left.

    Ninths; quarters where too many ninths hold so few people that nothing may be said of them.
    """
    ninths = _regions(points_G2, labels_G, k, extent, 3)
    if sum(one.everyone is None for one in ninths) <= MANY_WITHHELD * len(ninths):
        return 3, ninths
    return 2, _regions(points_G2, labels_G, k, extent, 2)


def _regions(points_G2: Floats, labels_G: Ints, k: int, extent: Extent, parts: int) -> tuple[Region, ...]:
    cell_G2 = np.clip(((points_G2 - extent.low_2) / extent.size_2 * parts).astype(np.int64), 0, parts - 1)
    place_G = (parts - 1 - cell_G2[:, 1]) * parts + cell_G2[:, 0]
    own_KR = [np.bincount(place_G[labels_G == label], minlength=parts * parts) for label in range(k)]
    counts_RK = np.array(own_KR).reshape(k, parts * parts).T
    cells_RK, rows_R = _hidden(counts_RK)
    found = []
    for place in range(parts * parts):
        total = int(counts_RK[place].sum())
        if not total:
            continue
        own = tuple(
            None if cells_RK[place, label] else float(counts_RK[place, label] / counts_RK[:, label].sum())
            for label in range(k)
        )
        found.append(
            Region(
                name=PLACES[parts][place],
                everyone=None if rows_R[place] else total / len(points_G2),
                groups=own,
            )
        )
    return tuple(found)


def _hidden(counts_RK: Ints) -> tuple[Bools, Bools]:
    """Which shares of regions are not shown: of groups [R, K], and of everyone [R].

    The number of people and the sizes of groups stand elsewhere on the page. A group whose size is withheld has no
    shares either: together with shares of everyone, they would give its size away.
    """
    regions, k = counts_RK.shape
    withheld_K = np.array(suppress_row(tuple(counts_RK.sum(axis=0).tolist()), threshold=SUPPRESS_BELOW), dtype=bool)
    places = np.arange(regions * k).reshape(regions, k)
    known = [places.ravel(), *(places[:, label] for label in range(k) if not withheld_K[label])]
    others = [*places.reshape(-1, 1), *places, *(places[:, label] for label in range(k) if withheld_K[label])]
    sums = np.zeros((len(known) + len(others), regions * k), dtype=bool)
    for number, parts in enumerate([*known, *others]):
        sums[number, parts] = True
    hidden = suppress(counts_RK.ravel(), sums, threshold=SUPPRESS_BELOW, fixed=len(known))[len(known) :]
    cells_RK = hidden[: regions * k].reshape(regions, k) | withheld_K
    return cells_RK, hidden[regions * k : regions * k + regions]


def directions(analysis: Analysis, statements: Sequence[StatementVotes]) -> tuple[Direction, ...]:
    """Statements whose votes follow the map most closely: by the correlation of position and vote among who voted."""
    points_G2, _ = people_on_map(analysis)
    rows = np.isin(analysis.conversation.participant_ids, analysis.groups.participant_ids)
    every = in_every_group(analysis.conversation, analysis.groups)
    chosen = [one for one in statements if every.ranked_S[one.column] and not every.pooled]
    pulls = [_pulls(analysis.conversation, rows, one.column, points_G2) for one in chosen]
    found = []
    for axis, (back, forth) in enumerate(ENDS):
        pull = [both[axis] for both in pulls]
        order = sorted(range(len(chosen)), key=lambda i: (pull[i], chosen[i].id))
        ends = (
            (back, [i for i in order[:PULLING] if pull[i] < 0]),
            (forth, [i for i in order[::-1][:PULLING] if pull[i] > 0]),
        )
        found += [Direction(lead=lead, statements=tuple(chosen[i] for i in end)) for lead, end in ends if end]
    return tuple(found)


def _pulls(talk: Conversation, rows_P: Bools, column: int, points_G2: Floats) -> tuple[float, float]:
    """How votes on a statement go with either axis, -1 to 1; 0 where all votes, or all places, are the same."""
    seen_G = talk.seen_PS[rows_P, column]
    apart_N = talk.votes_PS[rows_P, column][seen_G].astype(np.float64)
    apart_N -= apart_N.mean()
    east, north = (points_G2[seen_G, axis] for axis in (0, 1))
    return _together(apart_N, east - east.mean()), _together(apart_N, north - north.mean())


def _together(votes_N: Floats, places_N: Floats) -> float:
    """The correlation of two deviations from their means."""
    spread = sqrt(float(votes_N @ votes_N) * float(places_N @ places_N))
    return float(votes_N @ places_N) / spread if spread > 1e-12 * len(votes_N) else 0.0


def outline(points_N2: Floats) -> Outline | None:
    """The ellipse of a group's spread, scaled to hold `INSIDE` of its N members; None if too few."""
    if len(points_N2) < 2 * SUPPRESS_BELOW:
        return None
    centre = points_N2.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(points_N2.T) + 1e-12 * np.eye(2))
    apart = (points_N2 - centre) @ vectors / np.sqrt(values)
    scale = float(np.quantile(np.sqrt((apart**2).sum(axis=1)), INSIDE))
    along = vectors[:, 1]
    return Outline(
        centre_2=centre,
        radii_2=np.array([scale * sqrt(values[1]), scale * sqrt(values[0])]),
        degrees=degrees(atan2(along[1], along[0])),
    )
