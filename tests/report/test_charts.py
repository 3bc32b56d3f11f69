from __future__ import annotations

import re
from typing import Any

import pytest

from solon.report.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDE,
    Chart,
    Mark,
    Point,
    ReliabilityChart,
    Series,
    numbers,
    ticks,
)
from solon.report.html import PACKAGE, SHARED
from solon.report.standalone import environment


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 0.83, 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-0.2, 2.7, 6, [-0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3]),
        (3, 3, 4, [2.5, 2.75, 3, 3.25, 3.5]),
        (0, 40, 4, [0, 10, 20, 30, 40]),
    ],
)
def test_ticks_are_round_and_enclose(low: float, high: float, count: int, expected: list[float]) -> None:
    assert ticks(low, high, count) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "share", "shown"),
    [
        ([0.25, 0.3, 0.35], False, ["0.25", "0.30", "0.35"]),
        ([0.0, 0.5, 1.0], False, ["0.0", "0.5", "1.0"]),
        ([0, 20, 40], False, ["0", "20", "40"]),
        ([0.0, 0.025, 0.05], True, ["0.0%", "2.5%", "5.0%"]),
        ([0.0, 0.29, 0.3], True, ["0%", "29%", "30%"]),
        ([0.0, 1e-7], False, ["0", "1e-07"]),
    ],
)
def test_numbers_of_an_axis_have_the_same_decimals(values: list[float], share: bool, shown: list[str]) -> None:
    assert numbers(values, share) == shown


def line(*points: Point) -> Series:
    return Series(name="Harmful", style="s-harmful", points=points)


def test_a_line_goes_where_its_values_say() -> None:
    chart = Chart(
        key="k", title="t", x_label="x", y_label="y", series=[line(Point(x=0, y=1.0), Point(x=4, y=0.5))], percent=True
    )
    path = re.search(r'class="line s-harmful" d="M([\d. ]+)L([\d. ]+)"', chart.svg)
    assert path is not None
    bottom, middle = HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2
    assert [float(v) for v in path[1].split()] == [LEFT, TOP]
    assert [float(v) for v in path[2].split()] == pytest.approx([WIDE - RIGHT, middle], abs=0.1)
    assert bottom > middle


def test_the_table_says_the_same_as_the_drawing() -> None:
    first = line(Point(x=0, y=0.8, low=0.7, high=0.9), Point(x=1, y=0.1, low=0.05, high=0.2))
    second = Series(name="Rude", style="s-rude", points=[Point(x=1, y=0.25)])
    chart = Chart(key="k", title="t", x_label="x", y_label="y", series=[first, second], percent=True)
    assert chart.rows() == [("0", ["80.0% (70.0 to 90.0)", "\u2013"]), ("1", ["10.0% (5.0 to 20.0)", "25.0%"])]
    assert chart.svg.count('class="band') == 1


def test_marks_stand_where_they_are_and_name_what_happened() -> None:
    points = [Point(x=0, y=0.0), Point(x=10, y=1.0)]
    marks = [Mark(x=0, name="best"), Mark(x=10, name="<stopped>")]
    chart = Chart(key="k", title="t", x_label="x", y_label="y", series=[line(*points)], marks=marks, percent=True)
    rules = re.findall(r'class="reference" d="M([\d.]+) ([\d.]+)V([\d.]+)"', chart.svg)
    assert [[float(part) for part in rule] for rule in rules] == [
        [LEFT, TOP, HEIGHT - BOTTOM],
        [WIDE - RIGHT, TOP, HEIGHT - BOTTOM],
    ]
    names = re.findall(r'x="([\d.]+)" y="(\d+)" text-anchor="(start|end)">(best|&lt;stopped&gt;)<', chart.svg)
    assert names == [
        (f"{LEFT + 4:.1f}", str(TOP + 11), "start", "best"),
        (f"{WIDE - RIGHT - 4:.1f}", str(TOP + 25), "end", "&lt;stopped&gt;"),
    ]
    plain = Chart(key="k", title="t", x_label="x", y_label="y", series=[line(*points)], percent=True)
    assert "reference" not in plain.svg


def test_titles_are_escaped() -> None:
    chart = Chart(key="k", title='"><script>', x_label="<x>", y_label="y", series=[line(Point(x=0, y=1))])
    assert "<script>" not in chart.svg and "<x>" not in chart.svg


def test_reliability_has_a_dot_per_bin_sized_by_its_labels() -> None:
    points = [Point(x=0.6, y=0.55, low=0.4, high=0.7, n=25), Point(x=0.95, y=1.0, low=0.9, high=1.0, n=100)]
    chart = ReliabilityChart(key="k", title="t", series=[Series(name="right", style="s-label", points=points)])
    radii = [float(r) for r in re.findall(r'<circle[^>]* r="([\d.]+)"', chart.svg)]
    assert len(radii) == 2 and radii[0] < radii[1]
    assert chart.rows()[0] == ("0.6", ["55.0% (40.0 to 70.0)"])


def parts() -> Any:
    """The macros that templates share."""
    return environment(PACKAGE, SHARED).get_template("parts.html.j2").module


@pytest.mark.parametrize(("share", "filled"), [(0.0, 0), (0.001, 1), (0.784, 78), (1.0, 100)])
def test_waffle_fills_as_many_squares_as_the_share(share: float, filled: int) -> None:
    drawing = str(parts().waffle(share))
    assert (drawing.count('class="on"'), drawing.count('class="off"')) == (filled, 100 - filled)


def test_interval_track_keeps_inside_its_ends() -> None:
    drawing = str(parts().interval_track(0.5, -3.0, 9.0))
    assert "M3.0 7H97.0" in drawing and 'cx="50.0"' in drawing
