"""Walks through the site by keyboard alone: each thing that one does with a pointer elsewhere."""

from __future__ import annotations

import re
from time import monotonic

import pytest

from needs import CHROMIUM
from report.browser import Browser
from web.test_accessible import browser, opened, sign_in, town
from web.test_browser import chosen, followed, heading, joined, press, reach, wait
from web.town_site import RIVERSIDE, RUN, Town

__all__ = ["browser", "town"]
pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)


def test_to_the_map_and_its_table(browser: Browser, town: Town) -> None:
    """On a telephone's window, past the head of the page."""
    browser.open(town.base + town.talk, width=390)
    followed(browser, "it.textContent === 'Results'")
    press(browser, until="it.className === 'skip'")
    browser.key("Tab", 9)
    assert browser.run("document.activeElement.closest('main') !== null"), "the head of the page is passed"
    for name in ("The map as a table", "The groups"):
        reach(browser, f"it.getAttribute('aria-label') === {name!r}")
        assert browser.run("document.activeElement.querySelectorAll('table caption').length") == 1
        at = "(at => at.bottom > 0 && at.top < innerHeight)(document.activeElement.getBoundingClientRect())"
        wait(browser, at)  # the page moves to where one is
    browser.open(f"{town.base}{town.talk}/results")
    followed(browser, "it.textContent === 'The whole report'")
    assert browser.run("document.querySelector('svg.map') !== null")


def test_who_leaves_can_take_part_anew(browser: Browser, town: Town) -> None:
    joined(browser, town.base, town.talk)
    followed(browser, "it.textContent === 'Leave'")
    chosen(browser, "how", "stop")
    followed(browser, "it.tagName === 'BUTTON' && it.textContent === 'Leave'")
    assert heading(browser) == "Your votes stand, and nothing leads from them to you."
    browser.open(f"{town.base}{town.talk}")
    reach(browser, "it.textContent === 'Take part'")


def test_two_runs_are_compared(browser: Browser, town: Town) -> None:
    sign_in(browser, town)
    followed(browser, "it.textContent === 'Runs'")
    followed(browser, "it.textContent === 'Compare two runs'")
    for name in ("first", "second"):
        reach(browser, f"it.name === {name!r}")
        browser.key("ArrowDown", 40)
        assert browser.run("document.activeElement.value") == RUN
    followed(browser, "it.tagName === 'BUTTON' && it.textContent === 'Compare'")
    assert browser.run("document.querySelectorAll('.compared table tbody tr').length") > 3


def test_an_export_is_brought_in(browser: Browser, town: Town) -> None:
    """From the first page to the conversation that has it, files and all."""
    sign_in(browser, town)
    opened(browser, town, "/begin")
    reach(browser, "it.id === 'topic'")
    browser.call("Input.insertText", text="Brought by keyboard")
    followed(browser, "it.value === 'export'")
    browser.call("Page.setInterceptFileChooserDialog", enabled=True)
    press(browser, until="it.id === 'files'")
    files = [str(one) for one in sorted(RIVERSIDE.iterdir())]
    browser.call("DOM.setFileInputFiles", files=files, backendNodeId=asked_for_files(browser))
    followed(browser, "it.textContent === 'Read it'")
    assert heading(browser) == "What was read"
    followed(browser, "it.textContent === 'Take it over'")
    assert re.search(r"\d\d statements", browser.run("document.querySelector('main').innerText"))
    assert browser.complaints() == []


def asked_for_files(browser: Browser) -> int:
    """The field for which the browser wants files."""
    deadline = monotonic() + 10
    while not (told := [one for one in browser.events if one.get("method") == "Page.fileChooserOpened"]):
        assert monotonic() < deadline, "no chooser of files was opened"
        browser.run("0")  # what happens is heard meanwhile
    return int(told[-1]["params"]["backendNodeId"])


def test_settings_are_changed(browser: Browser, town: Town) -> None:
    sign_in(browser, town)
    opened(browser, town, "{arena}/manage")
    followed(browser, "it.textContent === 'Settings'")
    reach(browser, "it.id === 'organiser'")
    browser.run("document.activeElement.select()")
    browser.call("Input.insertText", text="The county")
    chosen(browser, "results", "team")
    followed(browser, "it.textContent === 'Save'")
    opened(browser, town, "{arena}/settings")
    kept = browser.run(
        "[document.getElementById('organiser').value, document.querySelector('[name=results]:checked').value]"
    )
    assert kept == ["The county", "team"]


def test_votes_to_principles_by_keyboard(browser: Browser, town: Town) -> None:
    """Merge a proposal, word an idea, move it up: without a pointer."""
    sign_in(browser, town)
    browser.events.clear()
    browser.open(f"{town.base}{town.talk}/principles/proposals")
    followed(browser, "it.value === 'yes'")
    assert "Nothing is left to decide here." in browser.run("document.body.innerText")
    browser.open(f"{town.base}{town.talk}/principles?show=chosen")
    last = browser.run("[...document.querySelectorAll('tbody th a')].at(-1).href")
    number = last.rpartition("/")[2]
    browser.open(f"{town.base}{town.talk}/principles/{number}")
    place = browser.run("document.querySelector('.kicker:has(+ h1)').textContent")
    reach(browser, "it.id === 'words'")
    browser.run("document.activeElement.select()")
    browser.call("Input.insertText", text="Said by keyboard.")
    followed(browser, "it.value === 'word'")
    assert "Said by keyboard." in heading(browser)
    followed(browser, "it.value === 'up'")
    assert browser.run("document.querySelector('.kicker:has(+ h1)').textContent") != place
    assert browser.complaints() == []
