"""The public report in a headless browser: nothing runs or loads that should not, and it fits any window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from needs import CHROMIUM
from report.axe import LOOKED_AT, violations
from report.browser import Browser
from report.riverside import riverside, with_texts
from solon.collective.opinion.analysis import analyse
from solon.report.public.catalogue import language_of
from solon.report.public.inputs import PublicInput, Words
from solon.report.public.page import write_public_report

pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)
ATTACK = '"><script>document.title = "broken"</script><img src=x onerror="document.title = \'broken\'">'


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Iterator[Browser]:
    with chromium.anew() as browser:
        yield browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the example town, whose first statement is an attack."""
    analysis = analyse(riverside().conversation)
    spoilt = with_texts(analysis.conversation, {analysis.conversation.statements[0].id: ATTACK})
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_public_report(path, PublicInput(analysis=replace(analysis, conversation=spoilt)))
    return path


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_complaint_no_request_no_sideways_scrolling(browser: Browser, report: Path, width: int, dark: bool) -> None:
    browser.events.clear()
    browser.open(report, width=width, dark=dark)
    assert browser.complaints() == []
    assert set(browser.requests()) == {report.resolve().as_uri()}
    assert (width, dark) not in LOOKED_AT or violations(browser) == []
    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.run("document.title").endswith("What people said")
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in ground[4:-1].split(",")) < 384) == dark


@pytest.mark.parametrize("tag", ["ar", "de", "es", "fr", "zh"])
def test_it_fits_in_every_language(browser: Browser, tmp_path: Path, tag: str) -> None:
    """Also from right to left: bars begin where lines do, and the map keeps its sides."""
    path, made = tmp_path / "page.html", riverside()
    write_public_report(
        path, PublicInput(analysis=analyse(made.conversation), sample=made.sample, language=language_of(tag))
    )
    for width in (1200, 390):
        browser.events.clear()
        browser.open(path, width=width)
        assert browser.complaints() == []
        assert browser.run("document.documentElement.scrollWidth") == width
        assert browser.run("getComputedStyle(document.querySelector('svg.map')).direction") == "ltr"
        left = browser.run(
            "(() => { const [th, bar] = ['th', '.votes'].map(name =>"
            " document.querySelector('.tally tbody ' + name).getBoundingClientRect());"
            " return bar.left - th.left; })()"
        )
        assert width == 390 or (left < 0) == (tag == "ar")
    assert browser.run("getComputedStyle(document.querySelector('.saying .votes')).transform") == (
        "matrix(-1, 0, 0, 1, 0, 0)" if tag == "ar" else "none"
    )
    browser.run("const words = document.getElementById('statement-words'); words.value = 'jokes';")
    browser.run("words.dispatchEvent(new Event('input'))")
    count = browser.run("document.getElementById('statement-count').textContent").translate({0x2068: "", 0x2069: ""})
    assert set(re.findall(r"\d+", count)) == {"1", "30"} and "statements" not in count


def test_markup_is_shown_not_run(browser: Browser, report: Path) -> None:
    browser.open(report)
    assert browser.run("document.images.length") == 0 and browser.run("document.scripts.length") == 1
    shown = browser.run("[...document.querySelectorAll('q')].map(one => one.textContent)")
    assert ATTACK in shown


def test_the_table_is_filtered_and_ordered(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.run(
        "const words = document.getElementById('statement-words'); words.value = 'JOKES';"
        "words.dispatchEvent(new Event('input'))"
    )
    assert browser.run("document.getElementById('statement-count').textContent") == "1 of 30 statements"
    browser.run(
        "words.value = ''; words.dispatchEvent(new Event('input'));"
        "const order = document.getElementById('statement-order'); order.value = 'id';"
        "order.dispatchEvent(new Event('change'))"
    )
    ids = browser.run("[...document.querySelectorAll('#statement-table tbody tr')].map(row => Number(row.dataset.id))")
    assert ids == sorted(ids) and len(ids) == 30


def test_the_keyboard_reaches_links_and_regions_and_shows_where_it_is(browser: Browser, report: Path) -> None:
    browser.open(report)
    seen = []
    for _ in range(14):
        browser.key("Tab", 9)
        seen.append(
            browser.run(
                "[document.activeElement.className || document.activeElement.getAttribute('href') ||"
                " document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
    assert seen[0][0] == "skip" and "#map" in [name for name, _ in seen] and "scroll" in [name for name, _ in seen]
    assert all(outline != "none" for _, outline in seen)


def test_odd_writing_stays_in_its_place(browser: Browser, tmp_path: Path) -> None:
    """Words without end are broken, heaped accents cut off, marks that turn text around end with their sentence."""
    analysis = analyse(riverside().conversation)
    odd = [
        "W" * 900,
        "Z" + "\u0301" * 200,
        "\u202eturned around",
        "\u2066never closed",
        "\u05e9\u05dc\u05d5\u05dd",
        " ",
    ]
    spoilt = with_texts(analysis.conversation, dict(enumerate(odd)))
    words = Words(title="W" * 200, organiser="O" * 200, attribution="D" * 200)
    path = tmp_path / "odd.html"
    write_public_report(path, PublicInput(analysis=replace(analysis, conversation=spoilt), words=words))
    for width in (1200, 390):
        browser.open(path, width=width)
        assert browser.run("document.documentElement.scrollWidth") == width
    holders = "[...document.querySelectorAll('q')].map(one => getComputedStyle(one.parentElement).clipPath)"
    assert all(clip.startswith("inset(0px") for clip in browser.run(holders))
    isolated = "[...document.querySelectorAll('q')].map(one => getComputedStyle(one).unicodeBidi)"
    assert set(browser.run(isolated)) == {"isolate"}
