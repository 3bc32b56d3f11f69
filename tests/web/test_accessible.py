"""Every page in a real browser, on two windows, light and dark: axe-core finds nothing, and a keyboard is enough."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from needs import CHROMIUM
from report.axe import violations
from report.browser import Browser
from solon.web.app import PAGES
from solon.web.serve import owner_link
from web.test_browser import heading, joined, press, reach, wait
from web.town_site import Town, served_town

pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)
WINDOWS = [(width, dark) for width in (1200, 390) for dark in (False, True)]
NOWHERE = "/nothing"
OF_ANYBODY = ("/", NOWHERE, "{talk}", "{talk}/join", "{talk}/results", "{talk}/removed")
OF_PARTICIPANTS = tuple(f"{{talk}}/{name}" for name in ("vote", "votes", "write", "leave"))
OF_THE_TEAM = (
    *("/begin", "/team", "/log", "{draft}/import"),
    *(f"{{talk}}/{name}" for name in ("manage", "settings", "moderate", "moderate/1", "statements")),
    *(f"{{talk}}/principles{name}" for name in ("", "/proposals", "/1")),
)
DOWNLOADS = ("/export/{version}", "/decisions.csv", "/principles/files/{file}")
ELSEWHERE = ("/i/{token}", "/questions", "/enter/{token}", "{talk}/report")
"""Looked at in a test of their own (the report in tests/report/test_public_browser.py), or shown by another page."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with served_town(tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def look(browser: Browser, town: Town, paths: tuple[str, ...], *windows: tuple[int, bool]) -> list[str]:
    """What is wrong with these pages, on every window."""
    found = []
    for path in paths:
        at = path.format(talk=town.talk, draft=town.draft)
        browser.events.clear()
        browser.open(town.base + at)
        assert browser.run("document.title"), at
        told = [] if path.startswith(NOWHERE) else browser.complaints()
        told += [f"asks {one}" for one in browser.requests() if not one.startswith(f"{town.base}/")]
        for width, dark in windows or WINDOWS:
            browser.change_window(width, dark=dark)
            sideways = browser.run("document.documentElement.scrollWidth") - width
            told += [f"{sideways} pixels wider than {width}"] * bool(sideways)
            told += [f"at {width}{' dark' if dark else ''}: {one}" for one in violations(browser)]
        found += [f"{at.replace(town.talk, '')}: {one}" for one in told]
    return found


def sign_in(browser: Browser, town: Town) -> None:
    browser.open(owner_link(town.site))
    assert violations(browser) == []
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Sign in'")
    browser.loaded(seen)


def test_pages_of_anybody(browser: Browser, town: Town) -> None:
    assert look(browser, town, OF_ANYBODY) == []


def test_pages_of_participants(browser: Browser, town: Town) -> None:
    joined(browser, town.base, town.talk)
    before = heading(browser)
    press(browser, until="it.textContent.includes('Disagree')")
    wait(browser, f"document.querySelector('h1').textContent.trim() !== {before!r}")
    assert look(browser, town, OF_PARTICIPANTS) == []
    browser.open(f"{town.base}{town.talk}/vote")
    browser.run("document.querySelector('.lastvote button').click()")
    wait(browser, f"document.querySelector('h1').textContent.trim() === {before!r}")
    assert violations(browser) == [], "a vote taken back"


def test_pages_of_the_team(browser: Browser, town: Town) -> None:
    sign_in(browser, town)
    assert look(browser, town, OF_THE_TEAM) == []


def test_pages_that_say_what_is_wrong(browser: Browser, town: Town) -> None:
    """Forms with faults, and what opens on a page."""
    sign_in(browser, town)
    browser.open(f"{town.base}{town.talk}/principles")
    browser.run("document.querySelector('details').open = true")
    browser.run("document.querySelector('#threshold').value = '7'")
    seen = len(browser.events)
    browser.run("document.querySelector('#threshold').form.requestSubmit()")
    browser.loaded(seen)
    assert "Write a consensus from 0 to 1" in browser.run("document.body.innerText")
    assert violations(browser) == []
    browser.open(f"{town.base}{town.talk}/moderate")
    browser.run("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert violations(browser) == []


def test_from_right_to_left(browser: Browser, town: Town) -> None:
    sign_in(browser, town)
    arabic = tuple(f"{path}?language=ar" for path in (*OF_ANYBODY, *OF_PARTICIPANTS, *OF_THE_TEAM))
    try:
        assert look(browser, town, arabic, (390, False)) == []
    finally:
        browser.open(f"{town.base}/?language=en")


def test_every_page_is_among_them() -> None:
    shown = {path.partition("?")[0] for path in (*OF_ANYBODY, *OF_PARTICIPANTS, *OF_THE_TEAM)}
    for page in PAGES:
        path = page.path.replace("/c/{slug}", "{talk}").replace("{number:row}", "1").replace("{member:row}", "1")
        if page.method == "GET" and not path.endswith((*DOWNLOADS, *ELSEWHERE)):
            assert path in shown or path.replace("{talk}", "{draft}") in shown, f"nobody looks at {path}"


def test_votes_to_principles_by_keyboard(browser: Browser, town: Town) -> None:
    """Merge a proposal, word an idea, move it up: without a pointer."""
    sign_in(browser, town)
    browser.events.clear()
    browser.open(f"{town.base}{town.talk}/principles/proposals")
    seen = len(browser.events)
    press(browser, until="it.value === 'yes'")
    browser.loaded(seen)
    assert "Nothing is left to decide here." in browser.run("document.body.innerText")
    browser.open(f"{town.base}{town.talk}/principles?show=chosen")
    last = browser.run("[...document.querySelectorAll('tbody th a')].at(-1).href")
    number = last.rpartition("/")[2]
    browser.open(f"{town.base}{town.talk}/principles/{number}")
    place = browser.run("document.querySelector('.kicker:has(+ h1)').textContent")
    reach(browser, "it.id === 'words'")
    browser.run("document.activeElement.select()")
    browser.call("Input.insertText", text="Said by keyboard.")
    seen = len(browser.events)
    press(browser, until="it.value === 'word'")
    browser.loaded(seen)
    assert "Said by keyboard." in heading(browser)
    seen = len(browser.events)
    press(browser, until="it.value === 'up'")
    browser.loaded(seen)
    assert browser.run("document.querySelector('.kicker:has(+ h1)').textContent") != place
    assert browser.complaints() == []
