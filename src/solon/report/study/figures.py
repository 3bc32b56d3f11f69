"""The study's figures, each as an SVG file and as the numbers in it.

figure2      where people stand, by group
figure3      how many statements have which group-aware consensus, with the paper's cut
thresholds   how many statements both groups agree on, by how much agreement is asked for
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from markupsafe import Markup

from solon.collective.conversation import Floats
from solon.collective.tables import Cell, write_csv, write_file
from solon.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDE, Frame, axes, bars, dots, line
from solon.report.study.measures import PAPER_CUT, Labelled, Reproduction

BINS = tuple(round(0.05 * step, 2) for step in range(21))
SWEEP = tuple(np.linspace(0.6, 1.0, 20).round(6).tolist())
"""The notebook's thresholds: 20 from 0.6 to 1."""
_GROUPS = ("a round", "b square")
_LABELLINGS = ("a", "b")
_HEAD = 42
"""Units above the drawing, for the title and what its shapes mean."""
_STYLE = """
  text { font: 10px system-ui, sans-serif; fill: #1b1f24 } .head { font-weight: 600; font-size: 11.5px }
  .tick { fill: #57606a } .bg { fill: #ffffff } .grid { stroke: #d8dee4; fill: none }
  .a { --c: #1f5fae } .b { --c: #b3500f } .bar { fill: var(--c) }
  .dots { stroke: var(--c); stroke-width: 3.2; opacity: .75; fill: none }
  .round { stroke-linecap: round } .square { stroke-linecap: square; stroke-width: 2.6 }
  .line { stroke: var(--c); stroke-width: 1.8; fill: none } .b.line { stroke-dasharray: 5 3 }
  .cut.line { stroke: #1b1f24; stroke-dasharray: 4 3; stroke-width: 1.2 }
  .bar ~ .tick { paint-order: stroke; stroke: #ffffff; stroke-width: 2.5px }
  @media (prefers-color-scheme: dark) {
    text { fill: #e8ebef } .tick { fill: #a9b2bc } .bg { fill: #14171c } .grid { stroke: #2c333c }
    .a { --c: #79b0f2 } .b { --c: #f0a05f } .cut.line { stroke: #e8ebef } .bar ~ .tick { stroke: #14171c }
  }
"""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawing and its table."""

    drawing: bytes
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def write(self, folder: Path, name: str) -> None:
        """`<name>.svg` and `<name>.csv`."""
        write_file(folder / f"{name}.svg", self.drawing)
        write_csv(folder / f"{name}.csv", self.header, self.rows)


def drawing(title: str, description: str, parts: Sequence[Markup], key: Sequence[tuple[Markup, str]] = ()) -> bytes:
    """A whole file, readable on light and dark. `key`: shapes, around (11, 0), and what they mean."""
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="title desc">\n<title id="title">{title}</title>\n<desc id="desc">{description}</desc>\n'
        '<style>{style}</style>\n<rect class="bg" width="{width}" height="{height}"/>\n'
        '<text class="head" x="{left}" y="18">{title}</text>\n'
    ).format(
        width=WIDE,
        height=_HEAD + HEIGHT,
        title=title,
        description=description,
        style=Markup(_STYLE),
        left=LEFT,
    )
    x: float = LEFT
    for shape, words in key:
        head += Markup('<g transform="translate({} 36)">{}<text x="28" y="4">{}</text></g>\n').format(x, shape, words)
        x += 5.5 * len(words) + 46
    body = Markup('<g transform="translate(0 {})">{}</g>\n</svg>\n').format(_HEAD, Markup("\n").join(parts))
    return (head + body).encode()


def opinion_map(found: Reproduction, people: Labelled, how: str) -> Figure:
    """Figure 2: everybody on the two axes, marked by group. `how` goes into the title, as in `labels as published`."""
    points_P2 = found.places_P2.round(6)
    frame = Frame(xs=_range(points_P2[:, 0]), ys=_range(points_P2[:, 1]))
    sizes = np.bincount(people.labels_P, minlength=2).tolist()
    first, second = (f"{share:.1%}" for share in found.variance_2)
    parts = [
        Markup('<path class="grid" d="M{0} {1}V{2}H{3}V{1}Z"/>').format(LEFT, TOP, HEIGHT - BOTTOM, WIDE - RIGHT),
        axes(frame, (), (), f"first axis ({first} of the variance)", f"second axis ({second})"),
        *(dots(frame, points_P2[people.labels_P == g].tolist(), style) for g, style in enumerate(_GROUPS)),
    ]
    key = [
        (Markup('<path class="dots {}" d="M11 0h0"/>').format(style), f"group {g}: {sizes[g]} people")
        for g, style in enumerate(_GROUPS)
    ]
    description = (
        f"{len(points_P2)} people as points on two axes. Near points voted alike. Round marks: group 0, {sizes[0]} "
        f"people. Square marks: group 1, {sizes[1]} people. The table beside this file has every point."
    )
    rows = zip(points_P2[:, 0].tolist(), points_P2[:, 1].tolist(), people.labels_P.tolist(), strict=True)
    return Figure(
        drawing=drawing(f"Where people stand: {how}", description, parts, key),
        header=("first_axis", "second_axis", "group"),
        # By place, not by person: a figure's table needs no ids.
        rows=tuple(sorted(rows)),
    )


def consensus_histogram(people: Labelled, how: str) -> Figure:
    """Figure 3: the distribution of the unsmoothed product over both groups."""
    product = people.product_S[~np.isnan(people.product_S)]
    counts = np.histogram(product, bins=BINS)[0].tolist()
    above = int(people.above_cut_S.sum())
    top = 10 * (max(counts) // 10 + 1)
    frame = Frame(xs=(0.0, 1.0), ys=range(0, top + 1, 10))
    words = f"the paper's cut, {PAPER_CUT}: {above} above"
    parts = [
        axes(
            frame,
            [0, 0.2, 0.4, 0.6, 0.8, 1.0],
            frame.ys,
            "group-aware consensus (product of the two groups)",
            "statements",
        ),
        line(frame, [(PAPER_CUT, 0), (PAPER_CUT, top)], "cut"),
        bars(frame, BINS, counts, "a"),
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(frame.x(PAPER_CUT) - 4, TOP + 9, words),
    ]
    description = (
        f"A histogram of {len(product)} statements. Mean {product.mean():.3f}, median {np.median(product):.3f}, "
        f"smallest {product.min():.3f}, largest {product.max():.3f}. {above} lie above {PAPER_CUT}."
    )
    return Figure(
        drawing=drawing(f"How widely statements are agreed on: {how}", description, parts),
        header=("from", "to", "statements"),
        rows=tuple((low, high, count) for (low, high), count in zip(pairwise(BINS), counts, strict=True)),
    )


def threshold_sweep(variants: Sequence[tuple[str, Labelled]]) -> Figure:
    """Statements with both groups above each threshold, strictly, for one or two labellings (name, people)."""
    counts = [[int(people.both_above(at).sum()) for at in SWEEP] for _, people in variants]
    top = 50 * (max(map(max, counts)) // 50 + 1)
    frame = Frame(xs=SWEEP, ys=range(0, top + 1, 50))
    parts = [axes(frame, [0.6, 0.7, 0.8, 0.9, 1.0], frame.ys, "agreement asked of both groups", "statements")]
    for style, column in zip(_LABELLINGS, counts, strict=False):
        parts.append(line(frame, zip(SWEEP, column, strict=True), style))
    names = [name for name, _ in variants]
    mark = Markup('<path class="line {}" d="M0 0h22"/>')
    key = [(mark.format(style), name) for style, name in zip(_LABELLINGS, names, strict=False)]
    ends = "; ".join(
        f"{name}: {column[0]} at {SWEEP[0]:g}, {column[-1]} at {SWEEP[-1]:g}"
        for name, column in zip(names, counts, strict=True)
    )
    return Figure(
        drawing=drawing(
            "Statements that both groups agree on", f"The number falls as more agreement is asked. {ends}.", parts, key
        ),
        header=("above", *names),
        rows=tuple(zip(SWEEP, *counts, strict=True)),
    )


def _range(values: Floats) -> tuple[float, float]:
    """A little wider than the values."""
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin
