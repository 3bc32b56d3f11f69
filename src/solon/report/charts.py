"""Charts as inline SVG: line charts and reliability diagrams with the same figures as a table, and what they are drawn
with.

Colors come from the page's style sheet through classes, so that one drawing serves light and dark; every series also
has a marker of its own shape. All text is escaped by Markup formatting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import floor, isclose, log10

from markupsafe import Markup

WIDE, NARROW = 440, 330
"""Widths of a drawing, in the units of its text: for two beside each other, and for three."""
HEIGHT = 260
LEFT, RIGHT, TOP, BOTTOM = 50, 16, 12, 44
_SHAPES = {"s-harmful": 0, "s-helpful": 1, "s-objection": 2, "s-preachy": 3, "s-rude": 4, "s-evasive": 5}
_SHAPES |= {"s-base": 0, "s-sl": 1, "s-rl": 2, "s-dpo": 2}
_SHAPES |= {f"s-{number}": number - 1 for number in range(1, 8)}
_SHAPES |= {"s-kind-mixed": 1, "s-kind-benign": 2, "s-finished": 3, "s-malformed": 6, "s-refusal_phrases": 6}


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value with its 95% interval, if it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    x_low: float | None = None
    x_high: float | None = None
    """The interval of x, where x is a figure too."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A place on the x axis that something happened at."""

    x: float
    name: str


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line."""

    name: str
    style: str
    """Class in the style sheet that gives its color."""
    points: Sequence[Point]


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from at most `low` to at least `high`, steps of 1, 2, 2.5 or 5 times a power of ten.

    Example: 0 to 0.83 gives 0, 0.2, 0.4, 0.6, 0.8, 1.0.
    """
    if isclose(low, high):
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / count
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if rough <= power * factor * 1.0000001)
    first = floor(low / step + 1e-9)
    values = [first * step]
    while values[-1] < high - 1e-9 * step:
        values.append((first + len(values)) * step)
    return [round(value, 10) + 0.0 for value in values]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Maps data to the drawing. Each axis runs from the first of its numbers to the last."""

    xs: Sequence[float]
    ys: Sequence[float]
    width: int = WIDE

    def x(self, value: float) -> float:
        """To a tenth of a unit."""
        span = self.xs[-1] - self.xs[0] or 1.0
        return round(LEFT + (value - self.xs[0]) / span * (self.width - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """To a tenth of a unit."""
        span = self.ys[-1] - self.ys[0] or 1.0
        return round(HEIGHT - BOTTOM - (value - self.ys[0]) / span * (HEIGHT - TOP - BOTTOM), 1)

    def at(self, x: float, y: float) -> str:
        """A point of a path."""
        return f"{self.x(x)} {self.y(y)}"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines with bands for their intervals: the drawing, and the same as a table."""

    key: str
    """Unique on the page; a plain word."""
    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    percent: bool = False
    """y is a share, and its axis runs from 0 to 100%."""
    from_zero: bool = False
    counts: bool = False
    """y is a number of things, and its axis has whole numbers only."""
    width: int = WIDE
    x_format: str = "g"
    marks: Sequence[Mark] = ()
    """Within the points, each with its name beside a line of its own."""
    names: Mapping[float, str] = field(default_factory=dict)
    """Of places on the x axis, which then has no numbers."""

    @property
    def svg(self) -> Markup:
        whole = '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" aria-describedby="{}-table">{}</svg>'
        return Markup(whole).format(self.width, HEIGHT, self.title, self.key, Markup("").join(self._parts()))

    def _y_ticks(self) -> list[float]:
        values = [v for s in self.series for p in s.points for v in (p.y, p.low, p.high) if v is not None]
        if self.counts:
            tries = (ticks(0, max(values), n) for n in range(6, 0, -1))
            return next(found for found in tries if all(map(float.is_integer, found)))
        return ticks(0.0, 1.0, 4) if self.percent else ticks(min(values + [0.0] * self.from_zero), max(values), 6)

    def _parts(self) -> Iterator[Markup]:
        xs, y_ticks = sorted({*self.names, *(point.x for s in self.series for point in s.points)}), self._y_ticks()
        frame = Frame(xs=xs, ys=y_ticks, width=self.width)
        x_ticks = sorted(self.names) if self.names else _whole_ticks(xs)
        yield axes(frame, x_ticks, y_ticks, self.x_label, self.y_label, self.percent, names=self.names)
        yield from (_mark(frame, mark, height) for height, mark in enumerate(self.marks))
        yield from (_band(frame, s) for s in self.series)
        for s in self.series:
            yield line(frame, [(p.x, p.y) for p in s.points], s.style)
            if len(s.points) <= 12:
                yield from (marker(frame.x(p.x), frame.y(p.y), s.style) for p in s.points)

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Style and name of each series."""
        return [(one.style, one.name) for one in self.series]

    @property
    def columns(self) -> list[str]:
        """Heads of the table."""
        return [self.x_label, *(one.name for one in self.series)]

    def rows(self) -> list[tuple[str, list[str]]]:
        """The table: one row per x, one cell per series."""
        xs = sorted({point.x for series in self.series for point in series.points})
        told = {x: self.names.get(x, f"{x:{self.x_format}}") for x in xs}
        return [(told[x], [self._cell(series, x) for series in self.series]) for x in xs]

    def _cell(self, series: Series, x: float) -> str:
        point = next((point for point in series.points if point.x == x), None)
        if point is None:
            return "\u2013"
        scale, places = (100.0, 1) if self.percent else (1.0, 2)
        text = f"{scale * point.y:.{places}f}{'%' if self.percent else ''}"
        if point.low is not None and point.high is not None:
            text += f" ({scale * point.low:.{places}f} to {scale * point.high:.{places}f})"
        return text


@dataclass(frozen=True, kw_only=True)
class ReliabilityChart(Chart):
    """Accuracy against confidence from 50 to 100%; the diagonal is perfect calibration, a dot's area its labels."""

    x_label: str = "mean confidence"
    y_label: str = "right"
    percent: bool = True
    x_format: str = ".3g"
    axis_labels: tuple[str, str] = ("confidence of the label", "share that is right")

    def _parts(self) -> Iterator[Markup]:
        points = self.series[0].points
        low = min([0.5, *(0.1 * floor(10 * (p.low if p.low is not None else p.y)) for p in points)])
        frame = Frame(xs=ticks(0.5, 1.0, 5), ys=ticks(low, 1.0, 5))
        yield axes(frame, frame.xs, frame.ys, *self.axis_labels, percent=True, x_percent=True)
        yield line(frame, [(0.5, 0.5), (1.0, 1.0)], "reference")
        most = max((p.n or 1) for p in points)
        for p in points:
            yield _whisker(frame, (p.x, p.low), (p.x, p.high), "s-label")
            radius = 2.5 + 6.5 * ((p.n or 1) / most) ** 0.5
            dot = Markup('<circle class="mark s-label" cx="{}" cy="{}" r="{:.1f}"/>')
            yield dot.format(frame.x(p.x), frame.y(p.y), radius)


@dataclass(frozen=True, kw_only=True)
class DotsChart(Chart):
    """Values at places that have names, each with the whiskers of its interval; where several series have one, these
    stand beside each other."""

    def _parts(self) -> Iterator[Markup]:
        places, y_ticks = sorted(self.names), self._y_ticks()
        frame = Frame(xs=[places[0] - 0.5, places[-1] + 0.5], ys=y_ticks, width=self.width)
        yield axes(frame, places, y_ticks, self.x_label, self.y_label, self.percent, names=self.names)
        for s in self.series:
            for p in s.points:
                x = p.x + self._aside(s, p.x)
                yield _whisker(frame, (x, p.low), (x, p.high), s.style)
                yield marker(frame.x(x), frame.y(p.y), s.style)

    def _aside(self, series: Series, x: float) -> float:
        here = [one for one in self.series if any(p.x == x for p in one.points)]
        return 0.5 * ((here.index(series) + 0.5) / len(here) - 0.5)


@dataclass(frozen=True, kw_only=True)
class FrontierChart(Chart):
    """Two figures of each model against each other, both with intervals; a line leads from one to the next."""

    def _parts(self) -> Iterator[Markup]:
        every = [p for s in self.series for p in s.points]
        known = [x for p in every for x in (p.x, p.x_low, p.x_high) if x is not None]
        xs = ticks(min(known), max(known))
        ys = self._y_ticks()
        frame = Frame(xs=xs, ys=ys, width=self.width)
        yield axes(frame, xs, ys, self.x_label, self.y_label, self.percent)
        for s in self.series:
            for p in s.points:
                yield _whisker(frame, (p.x, p.low), (p.x, p.high), s.style)
                yield _whisker(frame, (p.x_low, p.y), (p.x_high, p.y), s.style)
            yield line(frame, [(p.x, p.y) for p in s.points], s.style)
            yield from (marker(frame.x(p.x), frame.y(p.y), s.style) for p in s.points)

    def rows(self) -> list[tuple[str, list[str]]]:
        """The table: a row for each model, with both figures in the cell of its series."""
        told = [(s, number, p) for s in self.series for number, p in enumerate(s.points)]
        return [
            (self.names.get(number, f"{number}"), [_both(p) if own is s else "\u2013" for own in self.series])
            for s, number, p in told
        ]


def _both(point: Point) -> str:
    ends = ((point.x_low, point.x_high), (point.low, point.high))
    return "; ".join(
        f"{value:.0f}" + ("" if low is None or high is None else f" ({low:.0f} to {high:.0f})")
        for value, (low, high) in zip((point.x, point.y), ends, strict=True)
    )


def _whole_ticks(xs: Sequence[float]) -> list[float]:
    """Whole numbers from the first x to the last, few enough to print."""
    step = max(1.0, ticks(0, max(xs[-1] - xs[0], 1), 8)[1])
    return [xs[0] + k * step for k in range(int((xs[-1] - xs[0]) / step) + 1)]


def numbers(values: Sequence[float], share: bool = False) -> list[str]:
    """As an axis names them: all with as many decimals as the one that needs most, shares in percent.

    Example: 0.25, 0.3 gives 0.25, 0.30.
    """
    scaled = [round(100 * value, 10) if share else value for value in values]
    short = [f"{value:g}" for value in scaled]
    places = max((len(one.partition(".")[2]) for one in short if "e" not in one), default=0)
    unit = "%" if share else ""
    return [f"{one if 'e' in one else f'{value:.{places}f}'}{unit}" for one, value in zip(short, scaled, strict=True)]


def axes(
    frame: Frame,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    x_label: str,
    y_label: str,
    percent: bool = False,
    *,
    x_percent: bool = False,
    names: Mapping[float, str] | None = None,
) -> Markup:
    """Grid lines, numbers and names; `percent` shows shares as such. An axis without ticks has no unit. `names`: of
    ticks of the x axis, in the place of their numbers."""
    grid = Markup('<path class="grid" d="M{} {}H{}"/><text class="tick" x="{}" y="{}" text-anchor="end">{}</text>')
    tick = Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>')
    label = Markup('<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>')
    turned = Markup('<text class="axis" transform="translate(12 {}) rotate(-90)" text-anchor="middle">{}</text>')
    right, middle = frame.width - RIGHT, (TOP + HEIGHT - BOTTOM) / 2
    ys = zip(map(frame.y, y_ticks), numbers(y_ticks, percent), strict=True)
    parts = [grid.format(LEFT, y, right, LEFT - 7, round(y + 3.5, 1), words) for y, words in ys]
    told = [(value, (names or {}).get(value, n)) for value, n in zip(x_ticks, numbers(x_ticks, x_percent), strict=True)]
    parts += [tick.format(frame.x(value), HEIGHT - BOTTOM + 17, words) for value, words in told]
    return Markup("").join(
        [*parts, label.format((LEFT + right) / 2, HEIGHT - 8, x_label), turned.format(middle, y_label)]
    )


def line(frame: Frame, points: Iterable[tuple[float, float]], style: str) -> Markup:
    """A line through the points."""
    path = "L".join(frame.at(x, y) for x, y in points)
    return Markup('<path class="line {}" d="M{}"/>').format(style, path)


def dots(frame: Frame, points: Iterable[tuple[float, float]], style: str) -> Markup:
    """One mark per point."""
    marks = "".join(f"M{frame.at(x, y)}h0" for x, y in points)
    return Markup('<path class="dots {}" d="{}"/>').format(style, marks)


def bars(frame: Frame, edges: Sequence[float], heights: Sequence[float], style: str) -> Markup:
    """A histogram: bar n stands between edges n and n + 1, with its height above it."""
    parts = []
    for (low, high), height in zip(pairwise(edges), heights, strict=True):
        left, right, top = frame.x(low) + 0.6, frame.x(high) - 0.6, frame.y(height)
        bar = Markup('<path class="bar {}" d="M{:.1f} {}V{}H{:.1f}V{}Z"/>')
        label = Markup('<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{:g}</text>')
        if height:
            parts.append(bar.format(style, left, frame.y(frame.ys[0]), top, right, frame.y(frame.ys[0])))
            parts.append(label.format((left + right) / 2, top - 3, height))
    return Markup("").join(parts)


def _band(frame: Frame, series: Series) -> Markup:
    bounded = [(p.x, p.low, p.high) for p in series.points if p.low is not None and p.high is not None]
    if len(bounded) < 2:
        return Markup("")
    upper = [frame.at(x, high) for x, _, high in bounded]
    lower = [frame.at(x, low) for x, low, _ in reversed(bounded)]
    return Markup('<path class="band {}" d="M{}Z"/>').format(series.style, "L".join(upper + lower))


def _mark(frame: Frame, mark: Mark, height: int) -> Markup:
    """A line across the drawing. Names stand below each other, and on the side that has room."""
    x, y, late = frame.x(mark.x), TOP + 11 + 14 * height, mark.x > (frame.xs[0] + frame.xs[-1]) / 2
    rule = Markup('<path class="reference" d="M{} {}V{}"/>').format(x, TOP, HEIGHT - BOTTOM)
    name = Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>')
    return rule + name.format(x - 4 if late else x + 4, y, "end" if late else "start", mark.name)


def _whisker(
    frame: Frame, one: tuple[float | None, float | None], other: tuple[float | None, float | None], style: str
) -> Markup:
    """A line between the ends of an interval; nothing where one is not known."""
    (x1, y1), (x2, y2) = one, other
    if x1 is None or x2 is None or y1 is None or y2 is None:
        return Markup("")
    return Markup('<path class="whisker {}" d="M{}L{}"/>').format(style, frame.at(x1, y1), frame.at(x2, y2))


def marker(x: float, y: float, style: str) -> Markup:
    """Shapes tell series apart where colors do not; a measure has the same one in every chart."""
    shapes = (
        f"M{x - 3.5} {y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z",
        f"M{x - 3.2} {y - 3.2}h6.4v6.4h-6.4Z",
        f"M{x} {y - 4.6}l4.6 4.6l-4.6 4.6l-4.6 -4.6Z",
        f"M{x} {y - 4.4}l4.4 7.6h-8.8Z",
        f"M{x - 4} {y - 1.3}h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7Z",
        f"M{x} {y + 4.4}l4.4 -7.6h-8.8Z",
        f"M{x - 4.4} {y - 1.5}h8.8v3h-8.8Z",
    )
    return Markup('<path class="mark {}" d="{}"/>').format(style, shapes[_SHAPES.get(style, 0)])


def legend_marker(style: str) -> Markup:
    """Line and marker of a series, for the legend."""
    key = '<svg class="key" viewBox="0 0 22 12" aria-hidden="true"><path class="line {}" d="M0 6H22"/>{}</svg>'
    return Markup(key).format(style, marker(11, 6, style))
