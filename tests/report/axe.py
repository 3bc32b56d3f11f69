"""What axe-core finds on a page: whatever would keep somebody out who sees, hears or points otherwise (WCAG 2.2, and
good practice). It comes with the package `axe-playwright-python`, of which nothing else is used.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from report.browser import Browser

WINDOWS = tuple((width, dark) for width in (1200, 390) for dark in (False, True))
"""As (width, dark)."""
LOOKED_AT = ((1200, False), (390, True))
"""Windows of long pages, as (width, dark): each width and each scheme once, for colours do not depend on widths, and it
looks at every text for seconds of processor time."""
_COLOURS = ("color-contrast", "link-in-text-block")
"""Rules about nothing but colours, which take most of the time."""
_RUN = """axe.run(document, {resultTypes: ['violations'], preload: false, ...RULES}).then(found =>
  found.violations.flatMap(one =>
    one.nodes.map(node => `${one.id}: ${one.help} | ${node.target.join(' ')} | ${node.html.slice(0, 160)} | ` +
      [...node.any, ...node.all, ...node.none].map(check => check.message).join('; ').slice(0, 300))))"""
_LOOKS = """[...document.querySelectorAll('body, body *')].map(one => {
  const {color, backgroundColor, backgroundImage, opacity, textDecorationLine, fontSize, fontWeight} =
    getComputedStyle(one);
  const large = parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24);
  return [color, backgroundColor, backgroundImage, opacity, textDecorationLine, large, one.checkVisibility()].join();
}).join('\\n')"""
"""What `_COLOURS` go by."""
_PLACES = """document.documentElement.outerHTML + [...document.querySelectorAll('*')].map(one => {
  const {x, y, width, height} = one.getBoundingClientRect(), {display, position, overflow} = getComputedStyle(one);
  return [x, y, width, height, one.scrollWidth, one.scrollHeight, display, position, overflow, one.checkVisibility()];
}).join('\\n')"""
"""What all others go by."""


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(browser: Browser, *, colours: bool = True, others: bool = True) -> list[str]:
    """Of every rule, those about colours, or all but those, on the page that is open: rule, element, and what to do."""
    if not (colours or others):
        return []
    if not browser.run("'axe' in window"):
        browser.run(f"{_axe()};0")
    rules: dict[str, object] = {}
    if not colours:
        rules = {"rules": {name: {"enabled": False} for name in _COLOURS}}
    elif not others:
        rules = {"runOnly": {"type": "rule", "values": _COLOURS}}
    found: list[str] = browser.run(_RUN.replace("RULES", json.dumps(rules)))
    return found


def wrong_in_any_window(browser: Browser) -> list[str]:
    """What axe finds on the page that is open in each window, and where the page is wider; it is not loaded anew.

    Colours are looked at again wherever one differs from all windows before, so most often once in each scheme; all
    else wherever something stands elsewhere, so most often once in each width.
    """
    found, looks, places = [], set[str](), set[str]()
    for width, dark in WINDOWS:
        told = too_wide(browser, width, dark=dark)
        look, place = browser.run(_LOOKS), browser.run(_PLACES)
        told += violations(browser, colours=look not in looks, others=place not in places)
        looks.add(look)
        places.add(place)
        found += [f"at {width}{' dark' if dark else ''}: {one}" for one in told]
    return found


def too_wide(browser: Browser, width: int, *, dark: bool = False) -> list[str]:
    """How much wider the open page is than a window, which it then has."""
    browser.change_window(width, dark=dark)
    sideways = browser.run("document.documentElement.scrollWidth") - width
    return [f"{sideways} pixels wider than {width}"] * bool(sideways)
