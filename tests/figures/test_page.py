"""Pictures and pages hold what a figure says, for eyes and without them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from solon.errors import RunError
from solon.evals.statistics import Interval
from solon.figures.figure import Claim, Figure, Line, Panel, Point, outcome
from solon.figures.page import anchor, read_figure, write_figures
from solon.figures.picture import picture
from solon.figures.words import sentence

SVG = "{http://www.w3.org/2000/svg}"


def panel(kind: str, **other: object) -> Panel:
    points = tuple(Point(x=x, y=y, low=y - 0.1, high=y + 0.1, n=5) for x, y in ((0.0, 0.4), (1.0, 0.6)))
    lines = (Line(name="With <a> critique", points=points), Line(name="Direct", points=points))
    said = {"key": kind, "title": "T & U", "x_label": "x", "y_label": "y", "lines": lines, "kind": kind}
    return Panel.model_validate(said | other)


def figure(key: str = "5") -> Figure:
    claims = (Claim.of("one thing", Interval(value=0.2, low=0.1, high=0.3), "below", "points", n=7),)
    return Figure(
        key=key,
        title="Something & more",
        paper="It rises.",
        here="A world.",
        ours=sentence(claims),
        outcome=outcome(claims),
        claims=claims,
        panels=(
            panel("lines", percent=True),
            panel("dots", names={"1 M": 0.0, "3 M": 1.0}),
            panel("frontier", names={"base": 0.0, "later": 1.0}),
        ),
        notes=("A note.",),
        seeds=(0, 1),
        dose="figures",
        models=("embedded",),
        commands=("solon stage rl figures",),
    )


def test_a_picture_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(picture(figure()))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and title.text == "Figure 5. Something & more"
    assert description is not None and description.text is not None
    assert "One thing: +20.0 points (+10.0 to +30.0)." in description.text
    assert "Not reproduced: one thing (should be below 0)." in description.text
    assert root.get("aria-labelledby") == "title desc"
    style = root.find(f"{SVG}style")
    assert style is not None and style.text is not None and "prefers-color-scheme: dark" in style.text
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert {"With <a> critique", "Direct", "1 M", "3 M"} <= set(texts)
    assert "href" not in picture(figure())


def test_the_page_has_every_figure_of_the_folder(tmp_path: Path) -> None:
    write_figures([figure("5")], tmp_path, ["5", "9"])
    write_figures([figure("9")], tmp_path, ["5", "9"])
    html, markdown = (tmp_path / "index.html").read_text(), (tmp_path / "index.md").read_text()
    for key in ("5", "9"):
        assert f'id="figure-{key}"' in html and f"![Figure {key}. Something & more](figure-{key}.svg)" in markdown
        assert read_figure(tmp_path / f"figure-{key}.json") == figure(key)
    assert "| one thing | below 0 | +20.0 points (+10.0 to +30.0) | 7 | does not agree |" in markdown
    assert "With &lt;a&gt; critique" in html and "<a> critique" not in html
    assert f"(#{anchor(figure('5'))})" in markdown
    assert anchor(figure("5")) == "figure-5-something--more"


def test_a_figure_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "figure-5.json").write_text("{}")
    with pytest.raises(RunError, match="not a figure that this version can read"):
        write_figures([], tmp_path, ["5"])
