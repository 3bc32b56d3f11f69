"""A figure as one SVG file that needs nothing else, in light and dark, with its text alternative."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from solon.figures.figure import Figure, Line, Panel
from solon.figures.words import OUTCOMES, name, verdict
from solon.report.charts import (
    HEIGHT,
    WIDE,
    Chart,
    DotsChart,
    FrontierChart,
    Mark,
    Point,
    ReliabilityChart,
    Series,
    legend_marker,
)
from solon.report.standalone import asset

_KINDS: dict[str, type[Chart]] = {
    "lines": Chart,
    "dots": DotsChart,
    "frontier": FrontierChart,
    "reliability": ReliabilityChart,
}
GAP, TITLE, LEGEND = 28, 24, 18
"""Between panels, and the heights of a title and of a line of the legend."""
_STYLE = """text { font: 11.5px ui-sans-serif, system-ui, sans-serif; fill: var(--soft); }
.title { font-weight: 600; fill: var(--ink); }
"""


def charts(figure: Figure) -> list[Chart]:
    """A chart for each panel."""
    return [_chart(figure, panel) for panel in figure.panels]


def _chart(figure: Figure, panel: Panel) -> Chart:
    return _KINDS[panel.kind](
        key=f"figure-{figure.key}-{panel.key}",
        title=panel.title,
        x_label=panel.x_label,
        y_label=panel.y_label,
        series=[_series(number, line) for number, line in enumerate(panel.lines, start=1)],
        percent=panel.percent,
        names={x: name for name, x in panel.names.items()},
        marks=[Mark(x=mark.x, name=mark.name) for mark in panel.marks],
    )


def _series(number: int, line: Line) -> Series:
    points = [Point(**dict(point)) for point in line.points]
    return Series(name=line.name, style=f"s-{(number - 1) % 7 + 1}", points=points)


def picture(figure: Figure) -> str:
    """The file. Its title and description say what it shows and what came out."""
    drawn = charts(figure)
    most = max((len(chart.series) for chart in drawn), default=0)
    height = TITLE + (LEGEND * most if most > 1 else 0) + HEIGHT
    width = max(1, len(drawn)) * WIDE + max(0, len(drawn) - 1) * GAP
    whole = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
        'aria-labelledby="title desc"><title id="title">{title}</title><desc id="desc">{desc}</desc>'
        '<style>{style}</style><rect width="{w}" height="{h}" fill="var(--paper)"/>{parts}</svg>\n'
    )
    parts = Markup("").join(
        part for place, chart in enumerate(drawn) for part in _placed(chart, place * (WIDE + GAP), height - HEIGHT)
    )
    if not drawn:
        parts = Markup('<text class="title" x="8" y="16">{}</text>').format(OUTCOMES["not measured"])
    style = Markup(asset("solon.report", "charts.css") + _STYLE)
    return whole.format(w=width, h=height, title=name(figure), desc=described(figure), style=style, parts=parts)


def described(figure: Figure) -> str:
    """What it shows, for who does not see it."""
    return f"{figure.ours} {verdict(figure)}"


def _placed(chart: Chart, x: int, top: int) -> Iterator[Markup]:
    """One chart with its title and legend, at a place."""
    yield Markup('<text class="title" x="{}" y="16">{}</text>').format(x + 8, chart.title)
    if len(chart.series) > 1:
        for row, series in enumerate(chart.series):
            y = TITLE + LEGEND * row
            key = Markup(
                str(legend_marker(series.style)).replace(
                    "<svg ", f'<svg x="{x + 8}" y="{y}" width="22" height="12" ', 1
                )
            )
            yield key + Markup('<text x="{}" y="{}">{}</text>').format(x + 36, y + 10, series.name)
    size = f'<svg x="{x}" y="{top}" width="{chart.width}" height="{HEIGHT}" '
    yield Markup(str(chart.svg).replace("<svg ", size, 1).replace(f' aria-describedby="{chart.key}-table"', ""))
