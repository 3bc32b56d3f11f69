"""How many principles there would be at other thresholds, as a curve and as the same in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from solon.report.charts import Chart, Point, Series, line_chart
from solon.report.public.language import Language


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Numbers of principles by the agreement asked for."""

    principles: Mapping[float, int]
    """By threshold, a share."""
    chosen: float | None = None
    """The threshold in force; None: the principles were chosen by number."""


@dataclass(frozen=True, kw_only=True)
class ThresholdPart:
    """What the template shows."""

    intro: str
    chart: Chart
    rows: tuple[tuple[str, str], ...]


def threshold_part(given: Thresholds, say: Language) -> ThresholdPart:
    """The curve with its table; the axis is in percent."""
    principles = dict(sorted(given.principles.items()))
    intro = say("The less agreement is asked for, the more principles there are.")
    if given.chosen is not None:
        intro = say.prose(intro, say("Here at least %(least)s was asked for.", least=say.whole(given.chosen)))
    points = [Point(x=round(100 * share), y=count) for share, count in principles.items()]
    return ThresholdPart(
        intro=intro,
        chart=line_chart(
            key="thresholds",
            title=say("Principles by the agreement asked for"),
            x_label=say.apart(say("agreement asked for, percent")),
            y_label=say.apart(say("principles")),
            series=[Series(name=say("principles"), style="s-label", points=points)],
            counts=True,
        ),
        rows=tuple((say.whole(share), say.number(count)) for share, count in principles.items()),
    )
