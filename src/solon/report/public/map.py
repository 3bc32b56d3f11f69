"""The map of opinion: a drawing in which nobody can be found.

People are moved to the middle of a cell, and a cell shows one of four sizes, never a number. It takes a group's mark
only for what is true of many: of at least `SUPPRESS_BELOW` people in and around it, most belong to that group. Groups
are told apart by outlines, stripes and shapes; colour only helps. Whoever does not see it is told one image and the
table beside it, not its marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin, sqrt

import numpy as np
from markupsafe import Markup

from solon.collective.conversation import Floats, Ints
from solon.collective.opinion.results import Analysis
from solon.collective.people.population import SUPPRESS_BELOW
from solon.report.public.language import ENGLISH, Language
from solon.report.public.places import (
    Direction,
    Extent,
    Outline,
    Region,
    directions,
    extent_of,
    outline,
    people_on_map,
    regions,
)
from solon.report.public.tally import StatementVotes

WIDTH, LOWEST, HIGHEST = 640.0, 340.0, 560.0
"""Of the drawing, in its own units."""
FEWEST, MOST = 14, 34
"""Cells from left to right."""
PER_ROOT = 1.3
"""Cells from left to right per square root of the people (assumption: cells then hold a few people where many are)."""
KEY = 52.0
"""Height of the strip under the map that says what the sizes of marks mean."""
SIZES = ((1, "1–4", 0.34), (5, "5–9", 0.56), (10, "10–19", 0.76), (20, "20+", 0.94))
"""People from, in words, and the size of the mark as a share of the cell."""
KEY_AT = (0.02, 0.36, 0.58, 0.8)
"""Where each stands, as shares of the width: the first says what is counted."""
AROUND = 2
"""Cells to each side that count as around a cell."""
MOSTLY = 2 / 3
"""Share of the people in and around a cell above which it takes their group's mark (assumption)."""
NAME = np.array([66.0, 17.0])
"""Half of the width and of the height that a group's name takes (assumption: in every language)."""
BASELINE = 7.0
"""From the middle of a name down to the line it stands on."""
ASIDE = (0.0, 0.3, -0.3, 0.6, -0.6, 1.0, -1.0)
"""How far beside the middle of its outline a name may stand, as a share of half the outline's width."""
SHAPES = (
    "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0 -2 0Z",
    "M-.86 -.86h1.72v1.72h-1.72Z",
    "M0 -1.15L1.1 .8H-1.1Z",
    "M0 -1.2L1.2 0L0 1.2L-1.2 0Z",
    "M-1.1 -.38h.72v-.72h.76v.72h.72v.76h-.72v.72h-.76v-.72h-.72Z",
)
"""By group, within a circle of radius 1; after the last they begin again, and the letters tell them apart."""


@dataclass(frozen=True, kw_only=True)
class OpinionMap:
    """What the template shows."""

    svg: Markup
    divided: int
    """Into how many parts each way."""
    regions: tuple[Region, ...]
    directions: tuple[Direction, ...]
    people: int
    variance: float
    """Share of all differences in voting that the two axes hold."""


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """Maps the plane to the drawing: the same scale both ways, the second axis upwards."""

    extent: Extent
    scale: float
    height: float

    def at(self, point_2: Floats) -> tuple[float, float]:
        middle = (self.extent.low_2 + self.extent.high_2) / 2
        x, y = (np.asarray(point_2) - middle) * self.scale
        return WIDTH / 2 + float(x), self.height / 2 - float(y)


@dataclass(frozen=True, kw_only=True)
class _Honeycomb:
    """The occupied cells: C of them."""

    side: float
    """From the middle of a cell to its neighbour's in the same row."""
    centres_C2: Floats
    drawn_C2: Floats
    """Where their marks stand, so that none is cut by the edge."""
    which_G: Ints
    """The cell of each person."""


def opinion_map(analysis: Analysis, statements: Sequence[StatementVotes], say: Language = ENGLISH) -> OpinionMap | None:
    """None where there is nothing to show: fewer people in groups than `2 * SUPPRESS_BELOW`."""
    points_G2, labels_G = people_on_map(analysis)
    if len(points_G2) < 2 * SUPPRESS_BELOW:
        return None
    extent = extent_of(points_G2)
    k = analysis.groups.k
    frame = _frame(extent)
    divided, told = regions(points_G2, labels_G, k, extent)
    outlines = [outline(points_G2[labels_G == label]) for label in range(k)]
    comb = _honeycomb(frame, points_G2)
    parts = [
        _lines(frame, divided),
        *(_outline(frame, found, label) for label, found in enumerate(outlines) if found),
        *_marks(comb, labels_G, k, say),
        *_names(frame, outlines, comb.drawn_C2, points_G2.mean(axis=0), say),
        _size_key(frame, _side(len(points_G2)), say),
    ]
    head = Markup(
        '<svg class="map" viewBox="0 0 {:g} {:.0f}" role="img" aria-labelledby="map-name" aria-describedby="map-table">'
        '<title id="map-name">{}</title>'
    )
    name = say(
        "Map of opinion: %(people)s. The table below it says the same, as far as it may.",
        people=say.people(len(points_G2)),
    )
    drawn = Markup('<g aria-hidden="true">') + _definitions(k) + Markup("").join(parts) + Markup("</g>")
    return OpinionMap(
        svg=head.format(WIDTH, frame.height + KEY, name) + drawn + Markup("</svg>"),
        divided=divided,
        regions=told,
        directions=directions(analysis, statements),
        people=len(points_G2),
        variance=float(analysis.projection.variance_2.sum()),
    )


def badge(label: int) -> Markup:
    """The mark of a group with its letter, for text."""
    return Markup(
        '<svg class="badge g{}" viewBox="-1.3 -1.3 2.6 2.6" aria-hidden="true" focusable="false"><path d="{}"/></svg>'
    ).format(label % len(SHAPES), SHAPES[label % len(SHAPES)])


def _size_key(frame: _Frame, side: float, say: Language) -> Markup:
    """What the sizes of marks mean, under the map and to its scale."""
    middle = frame.height + KEY / 2
    parts = [
        Markup('<path class="under" d="M0 {0:.0f}H{1:g}V{2:.0f}H0Z"/>').format(frame.height, WIDTH, frame.height + KEY)
    ]
    drawn = Markup('<path class="dot key" d="{}" transform="translate({:.1f} {:.1f}) scale({:.2f})"/>')
    text = Markup('<text class="size" x="{:.1f}" y="{:.1f}">{}</text>')
    for place, (_, words, share) in enumerate(SIZES):
        x = KEY_AT[place] * WIDTH + side / 2
        parts += [
            drawn.format(SHAPES[0], x, middle, share * side / 2),
            text.format(x + share * side / 2 + 7, middle, words if place else say.apart(_people(words, say))),
        ]
    return Markup("").join(parts)


def _frame(extent: Extent) -> _Frame:
    width, tall = (float(value) for value in extent.size_2)
    height = min(max(WIDTH * tall / width, LOWEST), HIGHEST)
    return _Frame(extent=extent, scale=min(WIDTH / width, height / tall), height=height)


def _definitions(k: int) -> Markup:
    """The marks, and for each group stripes that lean its own way."""
    shapes = [Markup('<path id="m{}" d="{}"/>').format(i, SHAPES[i]) for i in range(min(k, len(SHAPES)))]
    lines = [
        Markup(
            '<pattern id="p{0}" class="g{0}" width="9" height="9" patternUnits="userSpaceOnUse"'
            ' patternTransform="rotate({1})"><line x1="0" y1="0" x2="0" y2="9"/></pattern>'
        ).format(i, 36 * i + 20)
        for i in range(min(k, len(SHAPES)))
    ]
    return Markup("<defs>") + Markup("").join([*shapes, *lines]) + Markup("</defs>")


def _lines(frame: _Frame, divided: int) -> Markup:
    """The lines between the regions of the table."""
    paths = []
    for part in range(1, divided):
        x, y = frame.at(frame.extent.low_2 + part / divided * frame.extent.size_2)
        paths.append(f"M{x:.1f} 0V{frame.height:.0f}M0 {y:.1f}H{WIDTH:g}")
    return Markup('<path class="thirds" d="{}"/>').format("".join(paths))


def _outline(frame: _Frame, found: Outline, label: int) -> Markup:
    x, y = frame.at(found.centre_2)
    long, short = found.radii_2 * frame.scale
    drawn = Markup(
        '<ellipse class="outline g{0}" cx="{1:.1f}" cy="{2:.1f}" rx="{3:.1f}" ry="{4:.1f}" fill="url(#p{0})"'
        ' transform="rotate({5:.1f} {1:.1f} {2:.1f})"/>'
    )
    return drawn.format(label % len(SHAPES), x, y, long, short, -found.degrees)


def _honeycomb(frame: _Frame, points_G2: Floats) -> _Honeycomb:
    side = _side(len(points_G2))
    inside_G2 = np.clip(points_G2, frame.extent.low_2, frame.extent.high_2)
    cells_G2 = _hexagons(np.array([frame.at(point) for point in inside_G2]), side)
    places_C2, which_G = np.unique(cells_G2, axis=0, return_inverse=True)
    centres_C2 = _centres(places_C2, side)
    drawn_C2 = np.clip(centres_C2, side / 2, np.array([WIDTH, frame.height]) - side / 2)
    return _Honeycomb(side=side, centres_C2=centres_C2, drawn_C2=drawn_C2, which_G=which_G.reshape(-1))


def _marks(comb: _Honeycomb, labels_G: Ints, k: int, say: Language) -> list[Markup]:
    """One for each occupied cell."""
    small_K = np.bincount(labels_G, minlength=k) < SUPPRESS_BELOW
    own_CK = np.zeros((len(comb.centres_C2), k), dtype=np.int64)
    np.add.at(own_CK, (comb.which_G, labels_G), 1)
    marks = []
    for centre_2, drawn_2, own_K in zip(comb.centres_C2, comb.drawn_C2, own_CK, strict=True):
        reach = 1.01 * comb.side
        for _ in range(AROUND):
            near_K = own_CK[np.hypot(*(comb.centres_C2 - centre_2).T) <= reach].sum(axis=0)
            if near_K.sum() >= SUPPRESS_BELOW:
                break
            reach += comb.side
        # A group of few people marks no cell: that it is the most there would say nearly how many it has.
        clear = bool(near_K.sum() >= SUPPRESS_BELOW and not small_K[near_K.argmax()])
        marks.append(_mark(drawn_2, comb.side / 2, int(own_K.sum()), near_K, say, clear=clear))
    return marks


def _side(people: int) -> float:
    """Of a cell: from its middle to its neighbour's in the same row."""
    return WIDTH / min(max(round(PER_ROOT * sqrt(people)), FEWEST), MOST)


def _centres(places_C2: Ints, side: float) -> Floats:
    """Where the cells' middles lie in the drawing."""
    row_C, column_C = places_C2.T
    return np.stack([(column_C + 0.5 * (row_C % 2)) * side, row_C * side * sqrt(3) / 2], axis=1)


def _hexagons(at_G2: Floats, side: float) -> Ints:
    """Row and column of the nearest centre of a honeycomb whose rows are shifted by half a cell in turn: [G, 2]."""
    high = side * sqrt(3) / 2
    first = np.floor(at_G2[:, 1] / high)
    best, distance = np.zeros((len(at_G2), 2), dtype=np.int64), np.full(len(at_G2), np.inf)
    for row in (first, first + 1):
        shift = 0.5 * (row % 2)
        column = np.round(at_G2[:, 0] / side - shift)
        away = np.hypot((column + shift) * side - at_G2[:, 0], row * high - at_G2[:, 1])
        nearer = away < distance
        best[nearer] = np.stack([row, column], axis=1)[nearer].astype(np.int64)
        distance = np.where(nearer, away, distance)
    return best


def _mark(centre_2: Floats, radius: float, people: int, near_K: Ints, say: Language, *, clear: bool) -> Markup:
    """`near_K`: people in and around the cell, by group. `clear`: may it take the mark of the one that is the most?"""
    _, words, share = next(size for size in reversed(SIZES) if people >= size[0])
    most = int(near_K.argmax())
    clear = clear and near_K[most] > MOSTLY * near_K.sum()
    style, shape = (f"g{most % len(SHAPES)}", most % len(SHAPES)) if clear else ("unclear", 0)
    says = _people(words, say)
    if clear:
        around = say("around here mostly %(group)s", group=say.group(most))
        says = say("; ").join((says, around))
    drawn = Markup(
        '<use class="dot {}" href="#m{}" transform="translate({:.1f} {:.1f}) scale({:.2f})"><title>{}</title></use>'
    )
    x, y = (float(value) for value in centre_2)
    return drawn.format(style, shape, x, y, share * radius, says)


def _people(range_: str, say: Language) -> str:
    """Example: "5–9 people"."""
    return say("%(range)s people", range=range_)


def _names(
    frame: _Frame, outlines: Sequence[Outline | None], marks_C2: Floats, middle_2: Floats, say: Language
) -> list[Markup]:
    """The groups' names beside their outlines, each where it covers the fewest marks and no other name."""
    text = Markup('<text class="name g{}" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
    named, taken_N2 = [], marks_C2
    for label, found in enumerate(outlines):
        if found:
            places = _beside(
                frame, found, below=frame.at(found.centre_2)[1] > frame.at(middle_2)[1] + 0.1 * frame.height
            )
            at_2 = min(places, key=lambda place: int((np.abs(taken_N2 - place) < NAME).all(axis=1).sum()))
            named.append(text.format(label % len(SHAPES), at_2[0], at_2[1] + BASELINE, say.apart(say.group(label))))
            taken_N2 = np.concatenate([taken_N2, np.repeat(at_2[None], len(marks_C2), axis=0)])
    return named


def _beside(frame: _Frame, found: Outline, *, below: bool) -> list[Floats]:
    """Places for a name above and below an outline, best first: away from everyone's middle, little to the side."""
    turn, (long, short) = radians(found.degrees), found.radii_2 * frame.scale
    wide, tall = (
        float(np.hypot(long * one, short * other)) for one, other in ((cos(turn), sin(turn)), (sin(turn), cos(turn)))
    )
    x, y = frame.at(found.centre_2)
    heights = (y + tall + NAME[1], y - tall - NAME[1])
    places = [(x + aside * wide, high) for high in heights[:: 1 if below else -1] for aside in ASIDE]
    return [np.clip(place, NAME, np.array([WIDTH, frame.height]) - NAME) for place in places]
