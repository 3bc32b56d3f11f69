"""`report.html`: one file that needs nothing else, shows what a run achieved and lets its reader walk back through it.

Everything a model or a user wrote is untrusted. Text in the page goes through Jinja's autoescape; text in the embedded
data is escaped for a script element and put on the page by `textContent` alone; and a content security policy allows
only this page's own script and style, by their hashes, and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup
from pydantic import JsonValue

from solon.artifacts import write_atomic
from solon.report import wording
from solon.report.charts import interval_track, legend_marker, waffle
from solon.report.data import ReportData, load_report_data
from solon.report.explorer import Limits, explorer_data
from solon.report.sections import Sections, sections_of


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("solon.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        interval_track=interval_track,
        legend_marker=legend_marker,
        waffle=waffle,
        wording=wording,
    )
    environment.filters.update(
        percent=wording.percent,
        interval=wording.interval,
        of_hundred=wording.of_hundred,
        duration=wording.duration,
        signed=wording.signed,
    )
    return environment


def script_json(value: Mapping[str, JsonValue]) -> Markup:
    """JSON that is safe inside a script element: no `<`, `>`, `&` or line separator stands in it literally.

    Example: {"a": "</script>"} becomes {"a":"\\u003c/script\\u003e"}.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def render_report(data: ReportData, *, limits: Limits | None = None) -> str:
    """The whole page."""
    script, style = _asset("report.js"), _asset("report.css")
    sections: Sections = sections_of(data)
    page = _environment().get_template("report.html.j2")
    return page.render(
        summary=data.summary,
        config=data.config,
        constitution=data.constitution,
        sections=sections,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(script, style),
        data=script_json(explorer_data(data, limits or Limits())),
    )


def write_report(run: Path) -> Path:
    """Reads the run folder and writes its `report.html`.

    Raises:
        RunError: if there is no summary, or a file of the run cannot be read.
    """
    path = run / "report.html"
    write_atomic(path, render_report(load_report_data(run)).encode("utf-8", errors="replace"))
    return path


@cache
def _asset(name: str) -> str:
    return files("solon.report").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(script: str, style: str) -> str:
    """The page may run its own script and style and nothing else, and may load nothing."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
