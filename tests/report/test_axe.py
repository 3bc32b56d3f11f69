"""What looks at pages in a browser: the windows in which a fault is, and that nobody else was there before."""

from __future__ import annotations

from pathlib import Path

import pytest

from needs import CHROMIUM
from report.axe import wrong_in_any_window
from report.browser import Browser

pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)
PAGE = """<!doctype html><html lang="en"><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root { color-scheme: light dark; }
body { background: #fff; color: #000; }
@media (width < 500px) { .wide { display: none; } }
@media (width >= 500px) { .narrow { display: none; } }
@media (prefers-color-scheme: dark) { body { background: #000; color: #fff; } .faint { color: #222; } }
</style><main><h1>A page</h1>BODY</main></html>"""


@pytest.mark.parametrize(
    ("body", "windows"),
    [
        ("<p>Sound.</p>", []),
        ("<p class=faint>Seen by day.</p>", ["at 1200 dark: color-contrast"]),
        ("<p class='faint narrow'>Seen by day.</p>", ["at 390 dark: color-contrast"]),
        ("<button class=narrow></button>", ["at 390: button-name"]),
        ("<button class=wide></button>", ["at 1200: button-name"]),
    ],
)
def test_a_fault_is_found_in_its_window(chromium: Browser, tmp_path: Path, body: str, windows: list[str]) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE.replace("BODY", body))
    with chromium.anew() as browser:
        browser.open(page)
        assert [": ".join(one.split(": ")[:2]) for one in wrong_in_any_window(browser)] == windows


def test_who_comes_next_finds_nothing_of_before(chromium: Browser) -> None:
    cookie = {"name": "who", "value": "me", "url": "http://127.0.0.1/"}
    for _ in range(2):
        with chromium.anew() as browser:
            assert browser.call("Network.getCookies", urls=[cookie["url"]])["cookies"] == []
            browser.call("Network.setCookie", **cookie)
            assert len(browser.call("Network.getCookies", urls=[cookie["url"]])["cookies"]) == 1
            browser.call("Emulation.setScriptExecutionDisabled", value=True)
    with chromium.anew() as browser:
        browser.open("data:text/html,<title>x</title><script>document.title = 'y'</script>")
        assert browser.run("document.title") == "y" and browser.complaints() == []
