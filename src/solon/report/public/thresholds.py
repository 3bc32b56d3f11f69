"""How many principles there would be at other thresholds, as a curve and as the same in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from solon.report.charts import Chart, Point, Series
from solon.report.public.language import Language

if TYPE_CHECKING:
    from solon.collective.principles.selection import ThresholdCount


@dataclass(frozen=True, kw_only=True)
class ThresholdPart:
    """What the template shows."""

    intro: str
    chart: Chart
    rows: tuple[tuple[str, str], ...]


def threshold_part(curve: Sequence[ThresholdCount], in_force: float | None, say: Language) -> ThresholdPart:
    """The curve with its table; the axis is in percent. `in_force`: what the principles passed."""
    principles = dict(sorted((one.threshold, one.ideas) for one in curve))
    intro = say("The less agreement is asked for, the more principles there are.")
    if in_force is not None:
        intro = say.prose(intro, say("Here at least %(least)s was asked for.", least=say.whole(in_force)))
    points = [Point(x=round(100 * share), y=count) for share, count in principles.items()]
    return ThresholdPart(
        intro=intro,
        chart=Chart(
            key="thresholds",
            title=say("Principles by the agreement asked for"),
            x_label=say.apart(say("agreement asked for, percent")),
            y_label=say.apart(say("principles")),
            series=[Series(name=say("principles"), style="s-label", points=points)],
            counts=True,
        ),
        rows=tuple((say.whole(share), say.number(count)) for share, count in principles.items()),
    )
