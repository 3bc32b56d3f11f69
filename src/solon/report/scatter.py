"""A scatter of shares against shares, each with its interval on both axes: the drawing, and the same as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from solon.evals.statistics import Rate
from solon.report.charts import HEIGHT, NARROW, Frame, axes, line, marker, ticks


@dataclass(frozen=True, kw_only=True)
class Place:
    """Something with two shares."""

    name: str
    style: str
    """Class in the style sheet that gives its color."""
    x: Rate
    y: Rate


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """Places with their intervals as crosses, and a trail of places in their order, as a line with small dots."""

    key: str
    """Unique on the page; a plain word."""
    title: str
    x_label: str
    y_label: str
    places: Sequence[Place]
    trail: Sequence[Place] = ()
    trail_name: str = ""
    width: int = NARROW

    @property
    def svg(self) -> Markup:
        whole = '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" aria-describedby="{}-table">{}</svg>'
        return Markup(whole).format(self.width, HEIGHT, self.title, self.key, Markup("").join(self._parts()))

    def _parts(self) -> Iterator[Markup]:
        xs, ys = (
            _axis([one.x for one in self.places], self.trail_x),
            _axis([one.y for one in self.places], self.trail_y),
        )
        frame = Frame(xs=xs, ys=ys, width=self.width)
        yield axes(frame, xs, ys, self.x_label, self.y_label, percent=True, x_percent=True)
        if self.trail:
            way = list(zip(self.trail_x, self.trail_y, strict=True))
            yield line(frame, way, "s-trail")
            yield from (_dot(frame, x, y, 1.5 + 2.0 * k / len(way)) for k, (x, y) in enumerate(way, start=1))
        for one in self.places:
            yield _cross(frame, one)
            yield marker(frame.x(one.x.rate), frame.y(one.y.rate), one.style)

    @property
    def trail_x(self) -> list[float]:
        return [one.x.rate for one in self.trail]

    @property
    def trail_y(self) -> list[float]:
        return [one.y.rate for one in self.trail]

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Style and name of each place, and of the trail."""
        return [
            *((one.style, one.name) for one in self.places),
            *([("s-trail", self.trail_name)] if self.trail else []),
        ]

    @property
    def columns(self) -> list[str]:
        """Heads of the table."""
        return ["of", self.x_label, self.y_label]

    def rows(self) -> list[tuple[str, list[str]]]:
        """The table: one row per place."""
        return [(one.name, [_cell(one.x), _cell(one.y)]) for one in (*self.places, *self.trail)]


def _axis(rates: Sequence[Rate], others: Sequence[float]) -> list[float]:
    """Round numbers around all intervals, within 0 and 1."""
    ends = [*(end for one in rates for end in (one.low, one.high)), *others]
    found = [value for value in ticks(min(ends), max(ends), 5) if -1e-9 <= value <= 1 + 1e-9]
    return found if len(found) > 1 else ticks(0.0, 1.0, 5)


def _cross(frame: Frame, one: Place) -> Markup:
    x, y = frame.x(one.x.rate), frame.y(one.y.rate)
    whiskers = Markup('<path class="whisker {}" d="M{} {}H{}M{} {}V{}"/>')
    return whiskers.format(
        one.style, frame.x(one.x.low), y, frame.x(one.x.high), x, frame.y(one.y.low), frame.y(one.y.high)
    )


def _dot(frame: Frame, x: float, y: float, radius: float) -> Markup:
    """Later ones are larger."""
    return Markup('<circle class="mark s-trail" cx="{}" cy="{}" r="{:.1f}"/>').format(frame.x(x), frame.y(y), radius)


def _cell(rate: Rate) -> str:
    return f"{100 * rate.rate:.1f}% ({100 * rate.low:.1f} to {100 * rate.high:.1f})"
