"""What axe-core finds on a page: whatever would keep somebody out who sees, hears or points otherwise (WCAG 2.2, and
good practice). It comes with the package `axe-playwright-python`, of which nothing else is used.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from report.browser import Browser

LOOKED_AT = ((1200, False), (390, True))
"""Windows of long pages, as (width, dark): each width and each scheme once, for colours do not depend on widths, and it
looks at every text for seconds of processor time."""
_RUN = """axe.run(document, {resultTypes: ['violations'], preload: false}).then(found => found.violations.flatMap(one =>
  one.nodes.map(node => `${one.id}: ${one.help} | ${node.target.join(' ')} | ${node.html.slice(0, 160)} | ` +
    [...node.any, ...node.all, ...node.none].map(check => check.message).join('; ').slice(0, 300))))"""


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(browser: Browser) -> list[str]:
    """Of every rule, on the page that is open: rule, element, and what to do."""
    if not browser.run("'axe' in window"):
        browser.run(f"{_axe()};0")
    found: list[str] = browser.run(_RUN)
    return found
