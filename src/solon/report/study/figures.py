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

from solon.collective.conversation import Floats
from solon.collective.tables import Cell, write_csv, write_file
from solon.report.study import svg
from solon.report.study.measures import PAPER_CUT, Labelled, Reproduction

BINS = tuple(round(0.05 * step, 2) for step in range(21))
SWEEP = tuple(np.linspace(0.6, 1.0, 20).round(6).tolist())
"""The notebook's thresholds: 20 from 0.6 to 1."""
_STYLES = ("a round", "b square")


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


def opinion_map(found: Reproduction, people: Labelled, how: str) -> Figure:
    """Figure 2: everybody on the two axes, marked by group. `how` goes into the title, as in `labels as published`."""
    points_P2 = found.places_P2.round(6)
    frame = svg.Frame(x=_range(points_P2[:, 0]), y=_range(points_P2[:, 1]))
    sizes = np.bincount(people.labels_P, minlength=2).tolist()
    parts = svg.axes(
        frame,
        x_name=f"first axis ({found.variance_2[0]:.1%} of the variance)",
        y_name=f"second axis ({found.variance_2[1]:.1%})",
        x_ticks=(),
        y_ticks=(),
    )
    for group, style in enumerate(_STYLES):
        parts.append(svg.dots(frame, map(tuple, points_P2[people.labels_P == group].tolist()), style))
    parts += svg.key([(style, "dots", f"group {g}: {sizes[g]} people") for g, style in enumerate(_STYLES)])
    description = (
        f"{len(points_P2)} people as points on two axes. Near points voted alike. Round marks: group 0, {sizes[0]} "
        f"people. Square marks: group 1, {sizes[1]} people. The table beside this file has every point."
    )
    rows = zip(points_P2[:, 0].tolist(), points_P2[:, 1].tolist(), people.labels_P.tolist(), strict=True)
    return Figure(
        drawing=svg.chart(f"Where people stand: {how}", description, parts),
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
    frame = svg.Frame(x=(0.0, 1.0), y=(0.0, float(top)))
    parts = svg.axes(
        frame,
        x_name="group-aware consensus (product of the two groups)",
        y_name="statements",
        x_ticks=[0, 0.2, 0.4, 0.6, 0.8, 1.0],
        y_ticks=range(0, top + 1, 10),
    )
    parts += svg.upright(frame, PAPER_CUT, f"the paper's cut, {PAPER_CUT}: {above} above")
    parts += svg.bars(frame, BINS, counts, "a")
    description = (
        f"A histogram of {len(product)} statements. Mean {product.mean():.3f}, median {np.median(product):.3f}, "
        f"smallest {product.min():.3f}, largest {product.max():.3f}. {above} lie above {PAPER_CUT}."
    )
    return Figure(
        drawing=svg.chart(f"How widely statements are agreed on: {how}", description, parts),
        header=("from", "to", "statements"),
        rows=tuple((low, high, count) for (low, high), count in zip(pairwise(BINS), counts, strict=True)),
    )


def threshold_sweep(variants: Sequence[tuple[str, Labelled]]) -> Figure:
    """Statements with both groups above each threshold, strictly, for one or two labellings (name, people)."""
    counts = [[int(people.both_above(at).sum()) for at in SWEEP] for _, people in variants]
    top = 50 * (max(map(max, counts)) // 50 + 1)
    frame = svg.Frame(x=(SWEEP[0], SWEEP[-1]), y=(0.0, float(top)))
    parts = svg.axes(
        frame,
        x_name="agreement asked of both groups",
        y_name="statements",
        x_ticks=[0.6, 0.7, 0.8, 0.9, 1.0],
        y_ticks=range(0, top + 1, 50),
    )
    for style, column in zip(("a", "b"), counts, strict=False):
        parts.append(svg.line(frame, zip(SWEEP, column, strict=True), style))
    names = [name for name, _ in variants]
    parts += svg.key([(style, "line", name) for style, name in zip(("a", "b"), names, strict=False)])
    said = "; ".join(
        f"{name}: {column[0]} at {SWEEP[0]:g}, {column[-1]} at {SWEEP[-1]:g}"
        for name, column in zip(names, counts, strict=True)
    )
    return Figure(
        drawing=svg.chart(
            "Statements that both groups agree on", f"The number falls as more agreement is asked. {said}.", parts
        ),
        header=("above", *names),
        rows=tuple(zip(SWEEP, *counts, strict=True)),
    )


def _range(values: Floats) -> tuple[float, float]:
    """A little wider than the values."""
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin
