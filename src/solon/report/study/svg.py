"""Small charts as SVG: a title and a description for screen readers, shapes beside colours, readable on light and dark.

Every chart is 720 by 480 units. Data coordinates are mapped by `Frame`; all text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 720, 480
LEFT, RIGHT, TOP, BOTTOM = 66, 20, 64, 60
_STYLE = """
  .bg { fill: #ffffff } .ink { fill: #1b1f24 } .soft { fill: #57606a } text { font: 14px system-ui, sans-serif }
  .head { font-weight: 600; font-size: 17px } .rule { stroke: #57606a; stroke-width: 1; fill: none }
  .grid { stroke: #d8dee4; stroke-width: 1 } .cut { stroke: #1b1f24; stroke-width: 1.5; stroke-dasharray: 5 4 }
  .a { --c: #1f5fae } .b { --c: #b3500f } .dots { stroke: var(--c); stroke-width: 5; opacity: .75; fill: none }
  .round { stroke-linecap: round } .square { stroke-linecap: square; stroke-width: 4 } .bar { fill: var(--c) }
  .count { paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
  .line { stroke: var(--c); stroke-width: 2.5; fill: none } .b.line { stroke-dasharray: 8 4 } .mark { fill: var(--c) }
  @media (prefers-color-scheme: dark) {
    .bg { fill: #14171c } .ink { fill: #e8ebef } .soft { fill: #a9b2bc } .rule { stroke: #a9b2bc }
    .grid { stroke: #2c333c } .cut { stroke: #e8ebef } .a { --c: #79b0f2 } .b { --c: #f0a05f }
    .count { stroke: #14171c }
  }
"""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The ranges of the two axes."""

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[str, str]:
        """Where a point stands, to a tenth of a unit."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return (
            f"{LEFT + across * (WIDTH - LEFT - RIGHT):.1f}",
            f"{HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM):.1f}",
        )


def chart(title: str, description: str, parts: Iterable[str]) -> bytes:
    """The whole file."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            'aria-labelledby="title desc">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(description)}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="bg" width="{WIDTH}" height="{HEIGHT}"/>',
            f'<text class="ink head" x="{LEFT}" y="26">{escape(title)}</text>',
            *parts,
            "</svg>\n",
        ]
    ).encode()


def axes(frame: Frame, *, x_name: str, y_name: str, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> list[str]:
    """Grid lines, numbers and names. No ticks: the axis has no unit."""
    parts = []
    for tick in x_ticks:
        x, y = frame.at(tick, frame.y[0])
        parts.append(f'<text class="soft" x="{x}" y="{float(y) + 20:.1f}" text-anchor="middle">{tick:g}</text>')
    for tick in y_ticks:
        x, y = frame.at(frame.x[0], tick)
        parts.append(f'<path class="grid" d="M{x} {y}H{WIDTH - RIGHT}"/>')
        parts.append(
            f'<text class="soft" x="{float(x) - 8:.1f}" y="{float(y) + 5:.1f}" text-anchor="end">{tick:g}</text>'
        )
    parts.append(f'<path class="rule" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="ink" x="{middle:g}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x_name)}</text>')
    turned = f'transform="translate(20 {(TOP + HEIGHT - BOTTOM) / 2:g}) rotate(-90)" text-anchor="middle"'
    parts.append(f'<text class="ink" {turned}>{escape(y_name)}</text>')
    return parts


def key(entries: Sequence[tuple[str, str, str]]) -> list[str]:
    """What the shapes mean, in a row under the title: (class, shape, words); shapes are `dots`, `line` and `bar`."""
    parts = []
    x = LEFT
    for style, shape, words in entries:
        if shape == "dots":
            parts.append(f'<path class="dots {style}" d="M{x + 6} 44h0"/>')
        elif shape == "line":
            parts.append(f'<path class="line {style}" d="M{x} 44h22"/>')
        else:
            parts.append(f'<rect class="bar {style}" x="{x}" y="38" width="12" height="12"/>')
        start = x + (28 if shape == "line" else 18)
        parts.append(f'<text class="ink" x="{start}" y="49">{escape(words)}</text>')
        x = start + 8 * len(words) + 20
    return parts


def dots(frame: Frame, points: Iterable[tuple[float, float]], style: str) -> str:
    """One mark per point; `style` names colour and shape, as in `a round`."""
    marks = "".join("M{} {}h0".format(*frame.at(x, y)) for x, y in points)
    return f'<path class="dots {style}" d="{marks}"/>'


def line(frame: Frame, points: Iterable[tuple[float, float]], style: str) -> str:
    """A line through the points."""
    return f'<path class="line {style}" d="M{"L".join(" ".join(frame.at(x, y)) for x, y in points)}"/>'


def bars(frame: Frame, edges: Sequence[float], heights: Sequence[float], style: str) -> list[str]:
    """A histogram: bar n stands between edges n and n + 1, with its height written above."""
    parts = []
    for (low, high), height in zip(pairwise(edges), heights, strict=True):
        (left, top), (right, bottom) = frame.at(low, height), frame.at(high, frame.y[0])
        if height:
            size = f'width="{float(right) - float(left) - 2:.1f}" height="{float(bottom) - float(top):.1f}"'
            parts.append(f'<rect class="bar {style}" x="{float(left) + 1:.1f}" y="{top}" {size}/>')
            middle = (float(left) + float(right)) / 2
            label = f'x="{middle:.1f}" y="{float(top) - 5:.1f}" text-anchor="middle"'
            parts.append(f'<text class="soft count" {label}>{height:g}</text>')
    return parts


def upright(frame: Frame, x: float, words: str) -> list[str]:
    """A dashed line across the chart at `x`, with words beside its top."""
    place, top = frame.at(x, frame.y[1])
    beside = f'x="{float(place) - 6:.1f}" y="{float(top) + 14:.1f}" text-anchor="end"'
    return [
        f'<path class="cut" d="M{place} {top}V{HEIGHT - BOTTOM}"/>',
        f'<text class="ink" {beside}>{escape(words)}</text>',
    ]
