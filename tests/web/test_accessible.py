"""Every page in a real browser, wide or narrow, light or dark: axe-core finds nothing, and a keyboard is enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle

import pytest

from needs import CHROMIUM
from report.axe import violations
from report.browser import Browser
from solon.web.app import PAGES
from solon.web.serve import owner_link
from web.test_browser import heading, joined, press, reach, wait
from web.town_site import RUN, Town, served_town

pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)
WINDOWS = [(width, dark) for width in (1200, 390) for dark in (False, True)]
CHIEF = ("{talk}/vote", "{talk}/results", "{arena}/compare")
"""Looked at on every window, and from right to left; every other page on one of them, all in turn."""
NOWHERE = "/nothing"
OF_ANYBODY = ("/", NOWHERE, "{talk}", "{talk}/join", "{talk}/results", "{talk}/removed")
OF_PARTICIPANTS = (
    *("{talk}", "{people}", "{people}/join"),
    *(f"{{talk}}/{name}" for name in ("vote", "votes", "write", "leave")),
)
OF_JUDGES = tuple(f"{{arena}}{name}" for name in ("/ask", "/leave"))
OF_THE_TEAM = (
    *("/begin", "/begin-arena", "/team", "/log", "{draft}/import"),
    *(
        f"{{talk}}/{name}"
        for name in ("manage", "settings", "moderate", "moderate/1", "statements", "people", "people/1")
    ),
    *(f"{{talk}}/principles{name}" for name in ("", "/proposals", "/1")),
    *(f"{{arena}}/{name}" for name in ("arena", "ratings", "manage", "settings")),
    "{people}/ratings",
    *("/runs", "/runs/{run}", "/runs/{run}/files", "/runs/{run}/read/chains", "/runs/{run}/trace?id=no-harm"),
    *("/compare?first={run}&second={run}", "/chat", "/chat/{run}", "/lab/{run}"),
)
DOWNLOADS = ("/export/{version}", "/decisions.csv", "/principles/files/{file}", "/games/{file}")
ELSEWHERE = ("/i/{token}", "/questions", "/enter/{token}", "{talk}/report", "/runs/{run}/report", "/runs/{run}/live")
"""Looked at in a test of their own (reports in tests/report/), or shown by another page."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with served_town(tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def look(browser: Browser, town: Town, paths: Sequence[str]) -> list[str]:
    """What is wrong: axe looks on one window, at the chief pages on all; whether a page fits is seen on both widths."""
    found = []
    for path, window in zip(paths, cycle(WINDOWS), strict=False):
        at = opened(browser, town, path)
        told = [] if path.startswith(NOWHERE) else browser.complaints()
        told += [f"asks {one}" for one in browser.requests() if not one.startswith(f"{town.base}/")]
        told += [one for width in (1200, 390) for one in too_wide(browser, width)]
        for width, dark in WINDOWS if path in CHIEF else [window]:
            browser.change_window(width, dark=dark)
            told += [f"at {width}{' dark' if dark else ''}: {one}" for one in violations(browser)]
        found += [f"{at}: {one}" for one in told]
    return found


def opened(browser: Browser, town: Town, path: str) -> str:
    """Where that is; `browser` shows it."""
    at = path.format(talk=town.talk, draft=town.draft, arena=town.arena, people=town.people, run=RUN)
    browser.events.clear()
    browser.open(town.base + at)
    assert browser.run("document.title"), at
    return at


def too_wide(browser: Browser, width: int) -> list[str]:
    browser.change_window(width)
    sideways = browser.run("document.documentElement.scrollWidth") - width
    return [f"{sideways} pixels wider than {width}"] * bool(sideways)


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


def test_pages_of_judges(browser: Browser, town: Town) -> None:
    """Before a pair, and when all have been compared."""
    opened(browser, town, "{arena}/join")
    assert violations(browser) == []
    joined(browser, town.base, town.arena)
    assert look(browser, town, ["{arena}/compare"]) == []
    browser.run("document.querySelectorAll('[value=tie]').forEach(one => { one.checked = true })")
    browser.run("document.querySelector('form.comparing').requestSubmit()")
    wait(browser, "!document.querySelector('form.comparing')")
    assert violations(browser) == [] and look(browser, town, OF_JUDGES) == []


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
    """Everything fits the narrow window, and axe looks at the chief pages."""
    sign_in(browser, town)
    browser.open(f"{town.base}/?language=ar")
    wrong = []
    try:
        for path in (*OF_ANYBODY, *OF_PARTICIPANTS, *OF_JUDGES, *OF_THE_TEAM, "{arena}/compare"):
            at = opened(browser, town, path)
            assert browser.run("document.documentElement.dir") == "rtl", at
            told = [*too_wide(browser, 390), *(violations(browser) if path in CHIEF else ())]
            wrong += [f"{at}: {one}" for one in told]
        assert wrong == []
    finally:
        browser.open(f"{town.base}/?language=en")


def test_every_page_is_among_them() -> None:
    every = (*OF_ANYBODY, *OF_PARTICIPANTS, *OF_JUDGES, *OF_THE_TEAM, *CHIEF)
    shown = {path.partition("?")[0].replace("chains", "{shelf}") for path in every}
    for page in PAGES:
        path = page.path.replace("{number:row}", "1").replace("{member:row}", "1")
        places = {path.replace("/c/{slug}", place) for place in ("{talk}", "{draft}", "{arena}")}
        if page.method == "GET" and not path.replace("/c/{slug}", "{talk}").endswith((*DOWNLOADS, *ELSEWHERE)):
            assert places & shown, f"nobody looks at {path}"


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
