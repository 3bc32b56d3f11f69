"""An arena in a real browser: by keyboard alone, with and without the script, on any window, in every language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from needs import CHROMIUM
from report.browser import Browser
from solon.web.db.arena_tables import ArenaVote
from solon.web.site import Site
from web.test_arena import ATTACK, arena_in, pasted
from web.test_browser import browser, joined, judged, press, reach, served, wait
from web.visitor import Visitor

__all__ = ["browser"]
pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str, str]]:
    """A site, where it is, and the path of an arena."""
    with served(tmp_path_factory.mktemp("served"), _arena) as found:
        yield found


def _arena(owner: Visitor) -> str:
    return arena_in(owner, pasted(3, attack=f"{ATTACK} {'W' * 200}"))


def votes(site: Site) -> list[tuple[str, str]]:
    with site.database.session(writes=False) as db:
        return [(one.helpfulness, one.harmlessness) for one in db.scalars(select(ArenaVote).order_by(ArenaVote.id))]


def test_keys_choose_and_enter_votes(browser: Browser, place: tuple[Site, str, str]) -> None:
    site, base, path = place
    before = len(votes(site))
    joined(browser, base, path)
    wait(browser, "document.activeElement.tagName === 'H1'")
    shown = browser.run("document.querySelector('[name=token]').value")
    judged(browser, "a", "x")
    wait(browser, f"document.querySelector('[name=token]')?.value !== {shown!r}")
    assert votes(site)[before:] == [("a", "both bad")] and browser.run("document.title.includes('Compare')")
    assert browser.complaints() == []


def test_without_the_script_too(browser: Browser, place: tuple[Site, str, str]) -> None:
    site, base, path = place
    before = len(votes(site))
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    joined(browser, base, path)
    for question in ("helpfulness", "harmlessness"):
        reach(browser, f"it.name === {question!r}")
        browser.key("ArrowDown", 40)
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Vote'")
    browser.loaded(seen)
    assert votes(site)[before:] == [("b", "b")]


@pytest.mark.parametrize("tag", ["en", "de", "ar"])
def test_pages_fit_every_window(browser: Browser, place: tuple[Site, str, str], tag: str) -> None:
    _, base, path = place
    joined(browser, base, path)
    for width in (1200, 390):
        for page in ("", "/compare", "/leave"):
            browser.open(f"{base}{path}{page}?language={tag}", width=width, dark=width == 390)
            assert browser.run("document.documentElement.scrollWidth") == width, page
            assert browser.run("document.documentElement.dir") == ("rtl" if tag == "ar" else "ltr")
    assert browser.complaints() == []
