"""`index.html` and `index.md`, with a picture and the data of each figure beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup
from pydantic import ValidationError

from solon.artifacts.atomic import canonical_json, write_atomic
from solon.errors import RunError, Where
from solon.figures import picture, words
from solon.figures.figure import Figure
from solon.figures.words import name
from solon.records import first_error
from solon.report import charts
from solon.report.standalone import environment, policy, style_sheet

INDEX = "index.html"
RULE = (
    "Each finding is a figure that should be above 0, below 0 or near it. It agrees if its whole 95% interval is "
    "there, does not agree if the whole interval is elsewhere, and else is not decided. Intervals are the wider of "
    "that over prompts and that over seeds."
)
_PACKAGES = ("solon.figures", "solon.report")


def write_figures(figures: Sequence[Figure], folder: Path, order: Sequence[str]) -> None:
    """Writes these figures, and the page of all that are in the folder, by the `order` of their keys.

    Raises `RunError` if a figure that was there before cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for figure in figures:
        write_atomic(folder / f"figure-{figure.key}.json", canonical_json(figure, indent=2))
        write_atomic(folder / f"figure-{figure.key}.svg", picture.picture(figure).encode())
    every = [read_figure(path) for key in order if (path := folder / f"figure-{key}.json").is_file()]
    write_atomic(folder / "index.md", _markdown(every).encode())
    write_atomic(folder / INDEX, _html(every).encode("utf-8", errors="replace"))


def read_figure(path: Path) -> Figure:
    """One that was written before. Raises `RunError` of one that this version cannot read."""
    try:
        return Figure.model_validate_json(path.read_bytes())
    except ValidationError as error:
        what = f"not a figure that this version can read: {first_error(error)}"
        raise RunError(what, where=Where(path), hint="delete it, or make it again") from error


def headline(figures: Sequence[Figure]) -> str:
    """How many agree."""
    counts = Counter(figure.outcome for figure in figures)
    told = ", ".join(f"{count} {what}" for what, count in counts.most_common())
    return f"Of {len(figures)} figures, {told}."


def _html(figures: Sequence[Figure]) -> str:
    made, style = environment(*_PACKAGES), style_sheet()
    made.globals.update(charts=charts, words=words, picture=picture, name=name)
    page = made.get_template("figures.html.j2")
    return page.render(
        figures=figures, headline=headline(figures), rule=RULE, style=Markup(style), policy=policy("", style)
    )


def _markdown(figures: Sequence[Figure]) -> str:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("solon.figures", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # Markdown, and every word in it is ours
    )
    made.globals.update(words=words, picture=picture, name=name, anchor=anchor)
    page = made.get_template("figures.md.j2")
    return page.render(figures=figures, headline=headline(figures), rule=RULE)


def anchor(figure: Figure) -> str:
    """Of its heading, as GitHub makes them."""
    kept = "".join(one for one in name(figure).lower() if one.isalnum() or one in " -")
    return kept.replace(" ", "-")
