"""Every page in a real browser, wide and narrow, light and dark: axe-core finds nothing, and what is drawn is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from needs import CHROMIUM
from report.axe import too_wide, violations, wrong_in_any_window
from report.browser import Browser
from solon.web.app import PAGES
from solon.web.serve import owner_link
from web.test_browser import chosen, followed, heading, joined, judged, press, reach, wait
from web.test_voting import POPULATION
from web.town_site import RUN, Town, served_town
from web.visitor import conversation_in

pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)
CHIEF = ("{talk}/vote", "{talk}/results", "{arena}/compare")
"""Looked at by axe from right to left, too."""
NOWHERE = "/nothing"
"""There is no such page, of which a browser itself complains."""
OF_ANYBODY = ("/", NOWHERE, "{talk}", "{talk}/join", "{talk}/results", "{talk}/became", "{talk}/removed")
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
"""Looked at in a test of their own: here, reports in tests/report/, and what a run that goes on puts into its page in
test_studio_browser.py."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with served_town(tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Iterator[Browser]:
    with chromium.anew() as browser:
        yield browser


def look(browser: Browser, town: Town, paths: Sequence[str]) -> list[str]:
    """What is wrong with pages, each loaded once."""
    found = []
    for path in paths:
        at = opened(browser, town, path)
        told = [*wrong_in_any_window(browser), *complaints(browser)]
        told += [f"asks {one}" for one in browser.requests() if not one.startswith(f"{town.base}/")]
        found += [f"{at}: {one}" for one in told]
    return found


def complaints(browser: Browser) -> list[str]:
    """All but that a page that is nowhere was answered with 404."""
    return [one for one in browser.complaints() if not (f"{NOWHERE}'" in one and "status of 404" in one)]


def opened(browser: Browser, town: Town, path: str) -> str:
    """Where that is; `browser` shows it."""
    at = path.format(talk=town.talk, draft=town.draft, arena=town.arena, people=town.people, run=RUN)
    browser.events.clear()
    browser.open(town.base + at)
    assert browser.run("document.title"), at
    return at


def sign_in(browser: Browser, town: Town) -> None:
    browser.open(owner_link(town.site))
    assert violations(browser) == []
    followed(browser, "it.textContent === 'Sign in'")


def test_pages_of_anybody(browser: Browser, town: Town) -> None:
    assert look(browser, town, OF_ANYBODY) == []


def test_pages_of_participants(browser: Browser, town: Town) -> None:
    joined(browser, town.base, town.talk)
    before = heading(browser)
    press(browser, until="it.textContent.includes('Disagree')")
    wait(browser, f"document.querySelector('h1').textContent.trim() !== {before!r}")
    assert look(browser, town, OF_PARTICIPANTS) == []
    browser.open(f"{town.base}{town.talk}/vote")
    press(browser, until="it.textContent === 'Take back'")
    wait(browser, f"document.querySelector('h1').textContent.trim() === {before!r}")
    assert wrong_in_any_window(browser) == [], "a vote taken back"


def test_pages_of_newcomers(browser: Browser, town: Town) -> None:
    """An invitation, questions about oneself, one answer that turns away, and all of it forgotten."""
    at = conversation_in(town.owner, population=POPULATION, invited="yes")
    town.owner.get(f"{at}/manage")
    town.owner.send("/invitations", count="1")
    invitation = town.owner.page.all("textarea")[0].text.strip().removeprefix(town.base)
    assert invitation.startswith("/i/") and look(browser, town, [invitation]) == []
    reach(browser, "it.id === 'consent'")
    browser.key(" ", 32, " ")
    followed(browser, "it.textContent === 'Begin'")
    assert heading(browser) == "About you" and wrong_in_any_window(browser) == []
    chosen(browser, "q0", "no")
    chosen(browser, "q1", "old")
    followed(browser, "it.textContent === 'Go on'")
    assert heading(browser) == "Thank you for your time" and wrong_in_any_window(browser) == []
    followed(browser, "it.textContent.startsWith('Have it forgotten')")
    chosen(browser, "how", "delete")
    followed(browser, "it.tagName === 'BUTTON' && it.textContent === 'Leave'")
    assert heading(browser) == "Everything that you gave is deleted." and wrong_in_any_window(browser) == []
    assert browser.complaints() == []


def test_pages_of_judges(browser: Browser, town: Town) -> None:
    """Before a pair, and when all have been compared."""
    assert look(browser, town, ["{arena}/join"]) == []
    joined(browser, town.base, town.arena)
    assert look(browser, town, ["{arena}/compare"]) == []
    judged(browser, "t", "t")
    wait(browser, "!document.querySelector('form.comparing')")
    assert wrong_in_any_window(browser) == [] and look(browser, town, OF_JUDGES) == []


def test_pages_of_the_team(browser: Browser, town: Town) -> None:
    sign_in(browser, town)
    assert look(browser, town, OF_THE_TEAM) == []
    opened(browser, town, "{talk}/manage")
    followed(browser, "it.textContent === 'Make links'")
    assert heading(browser) == "Invitations" and wrong_in_any_window(browser) == []


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
    assert wrong_in_any_window(browser) == []
    for path in ("moderate", "became"):
        browser.open(f"{town.base}{town.talk}/{path}")
        browser.run("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert wrong_in_any_window(browser) == [], path


def test_the_map_is_told_to_whoever_does_not_see_it(browser: Browser, town: Town) -> None:
    """As the browser tells it to a screen reader: one image, no marks, whose name leads to a table; its cells."""
    opened(browser, town, "{talk}/results")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    (drawn,) = (one for one in nodes if name_of(one).startswith("Map of opinion: "))
    assert drawn["role"]["value"] in ("image", "img") and "table below it says the same" in name_of(drawn)
    assert str(drawn["description"]["value"]).startswith("The map as a table")
    assert browser.run("document.querySelectorAll('#map svg use').length") > 20 and inside(nodes, drawn) == []
    (around,) = (one for one in nodes if one["role"]["value"] == "region" and name_of(one) == "The map as a table")
    assert {"name": "focusable", "value": {"type": "booleanOrUndefined", "value": True}} in around["properties"]
    (table,) = (one for one in inside(nodes, around) if one["role"]["value"] == "table")
    assert name_of(table).startswith("The map as a table")
    rows = [inside(nodes, one) for one in inside(nodes, table) if one["role"]["value"] == "row"]
    head, *parts = ([one for one in row if one["role"]["value"].endswith(("header", "cell"))] for row in rows)
    assert [name_of(one) for one in head[:3]] == ["Part of the map", "Everyone", "Group A"]
    assert len(parts) == browser.run("document.querySelectorAll('#map tbody tr').length") > 1
    for cells in parts:
        assert [one["role"]["value"] for one in cells] == ["rowheader", *["cell"] * (len(head) - 1)]
        assert all(name_of(one) for one in cells), "each says something"


def name_of(node: dict[str, Any]) -> str:
    return str(node.get("name", {}).get("value", ""))


def inside(nodes: Sequence[dict[str, Any]], outer: dict[str, Any]) -> list[dict[str, Any]]:
    """Whatever a screen reader is told of a node, in the order of the page."""
    own = [one for name in outer.get("childIds", ()) for one in nodes if one["nodeId"] == name]
    return [each for one in own for each in (*([] if one["ignored"] else [one]), *inside(nodes, one))]


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
