"""What every page of Solon shares: one file that needs nothing else and trusts no text in it.

Text in a page goes through Jinja's autoescape, and a content security policy allows only the page's own script and
style, by their hashes, and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

import jinja2


def environment(*packages: str) -> jinja2.Environment:
    """Templates of these packages, the first that has one wins; escaped, and strict about names they do not know."""
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package, "templates") for package in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def asset(package: str, name: str) -> str:
    """A script or style sheet that lies among a package's templates."""
    return files(package).joinpath("templates", name).read_text(encoding="utf-8")


def style_sheet(*more: str) -> str:
    """Of pages in the style of a run's report: its palette and charts, the page, and more of the caller's."""
    shared = (asset("solon.report", name) for name in ("charts.css", "report.css"))
    return "".join((*shared, *more))


def policy(script: str, style: str) -> str:
    """The page may run its own script and style and nothing else, and may load nothing."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
