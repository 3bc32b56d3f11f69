"""The report of a run in a headless browser: nothing runs or loads that should not, filters work by keyboard, and the
page fits any window."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from needs import CHROMIUM
from report.axe import LOOKED_AT, violations
from report.browser import Browser
from report.sample import sample_data
from report.test_html import attacked
from solon.evals.contest import Played, elo_evaluations
from solon.evals.elo import Winner
from solon.evals.kept import Evaluation, Metric, name_of
from solon.report.data import ReportData
from solon.report.html import render_report

pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)
PAYLOADS = (
    "<script>document.title = 'broken'</script>",
    "<img src=x onerror=\"document.title = 'broken'\">",
    "<svg onload=\"document.title = 'broken'\"></svg>",
    "<a href=\"javascript:document.title = 'broken'\" autofocus onfocus=\"document.title = 'broken'\">x</a>",
    '"><iframe src="https://example.invalid/"></iframe><link rel=stylesheet href=//example.invalid/x.css>',
    "</style></script></textarea><base href=//example.invalid/>",
    "<meta http-equiv=refresh content='0;url=//example.invalid'>",
)
ATTACK = " ".join(PAYLOADS)


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Iterator[Browser]:
    with chromium.anew() as browser:
        yield browser


@pytest.fixture(scope="module")
def data() -> ReportData:
    """With everything that a run can have."""
    made = sample_data(8)
    ends: tuple[tuple[str, str, Winner], ...] = (
        *(("rl", "sl", "a"), ("sl", "base", "tie")),
        *(("base", "rl", "b"), ("sl", "rl", "a")),
    )
    played = [Played(prompt=str(n // 3), a=a, b=b, winner=winner) for n, (a, b, winner) in enumerate(ends)]
    kept = {name_of(one): one for one in elo_evaluations("elo", 1.0, played, seed=0)}
    accuracy = Metric(name="accuracy", value=0.5, low=0.2, high=0.8, n=9)
    kept["hhh-rl"] = Evaluation(name="hhh", model="rl", metrics=(accuracy,))
    return dataclasses.replace(made, evaluations=kept, red_team=[row.prompt_id for row in made.revisions])


@pytest.fixture(scope="module")
def report(data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_report(data), encoding="utf-8")
    return path


def press(browser: Browser, key: str, code: int, text: str = "") -> None:
    for kind in ("keyDown", "keyUp"):
        extra = {"text": text} if text and kind == "keyDown" else {}
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **extra)


def type_words(browser: Browser, words: str) -> None:
    browser.call("Input.insertText", text=words)
    browser.run("new Promise(done => setTimeout(done, 250))")  # it searches when typing pauses


def visible(browser: Browser) -> list[str]:
    """Texts of the cards that are shown."""
    return browser.run(
        "[...document.querySelectorAll('.card')].filter(one => one.offsetParent).map(one => one.textContent)"
    )


def found(browser: Browser) -> int:
    return int(browser.run("document.getElementById('count').textContent").split()[0])


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_complaint_no_request_no_sideways_scrolling(browser: Browser, report: Path, width: int, dark: bool) -> None:
    browser.events.clear()
    browser.open(report, width=width, dark=dark)
    assert browser.complaints() == []
    assert set(browser.requests()) == {report.resolve().as_uri()}
    assert (width, dark) not in LOOKED_AT or violations(browser) == []
    assert browser.run("document.documentElement.scrollWidth") == width
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in ground[4:-1].split(",")) < 384) == dark
    for section in ("frontier", "evaluations", "process", "judge", "principles", "explore", "paper", "record"):
        assert browser.run(f"document.getElementById('{section}').getBoundingClientRect().height") > 100, section


def test_a_payload_wherever_a_text_can_stand_is_shown_and_not_run(
    browser: Browser, data: ReportData, tmp_path: Path
) -> None:
    path = tmp_path / "attacked.html"
    path.write_text(render_report(attacked(data, ATTACK)), encoding="utf-8")
    browser.events.clear()
    browser.open(path)
    for _ in range(60):
        press(browser, "Tab", 9)
    assert browser.complaints() == []
    assert set(browser.requests()) == {path.resolve().as_uri()}
    assert browser.run("document.title").endswith("Solon run report")
    assert browser.run("location.href") == path.resolve().as_uri()
    counts = (
        "['img', 'iframe', 'link', 'base', 'script', 'style'].map(tag => document.getElementsByTagName(tag).length)"
    )
    assert browser.run(counts) == [0, 0, 0, 0, 1, 1]
    assert browser.run("document.querySelectorAll('[onload], [onerror], [onfocus], a:not([href^=\"#\"])').length") == 0
    shown = browser.run("[...document.querySelectorAll('.said')].map(one => one.textContent)")
    assert sum(PAYLOADS[0] in text for text in shown) > 20
    browser.run("location.hash = '#prompt=%'")
    browser.run("location.hash = '#prompt=' + encodeURIComponent('\"><script>document.title = 1</script>')")
    browser.run("new Promise(done => setTimeout(done, 50))")
    assert browser.complaints() == [] and found(browser) == 0


def test_filters_work_by_keyboard(browser: Browser, report: Path, data: ReportData) -> None:
    browser.open(report)
    assert found(browser) == len(data.revisions) and len(visible(browser)) == 10
    browser.run("document.getElementById('query').focus()")
    type_words(browser, "train-benign-3")
    assert found(browser) == 1 and "train-benign-3" in visible(browser)[0]
    press(browser, "Tab", 9)
    assert browser.run("document.activeElement.dataset.facet") == "kind"
    press(browser, "ArrowDown", 40)
    assert browser.run("document.activeElement.selectedOptions[0].textContent") == "harmful"
    assert found(browser) == 0
    while browser.run("document.activeElement.type") != "reset":
        press(browser, "Tab", 9)
        assert browser.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
    press(browser, "Enter", 13, "\r")
    browser.run("new Promise(done => setTimeout(done, 50))")
    assert found(browser) == len(data.revisions)
    press(browser, "Tab", 9)
    assert browser.run("document.activeElement.getAttribute('role')") == "tab"
    press(browser, "ArrowRight", 39)
    assert browser.run("document.activeElement.textContent").startswith("Before and after")
    assert browser.run("[...document.querySelectorAll('.reading')].filter(one => !one.hidden).map(one => one.id)") == [
        "read-answers"
    ]
    press(browser, "End", 35)
    assert browser.run("document.activeElement.textContent").startswith("Reinforcement")


def choose(browser: Browser, facet: str, words: str) -> None:
    browser.run(
        f"(() => {{ const one = document.querySelector('[data-facet={facet}]');"
        f" one.value = [...one.options].find(each => each.textContent === {words!r}).value;"
        " one.dispatchEvent(new Event('change')); })()"
    )


def test_filters_hold_of_one_and_the_same_piece(browser: Browser, report: Path, data: ReportData) -> None:
    browser.open(report)
    choose(browser, "round", "2")
    choose(browser, "principle", "Be kind")
    chains = [row.id for row in data.revisions if row.rounds[1].principle_id == "kind"]
    assert 0 < found(browser) == len(chains) < len(data.revisions)
    choose(browser, "kind", "mixed")
    assert found(browser) == sum("mixed" in name for name in chains)


def test_verdicts_fates_and_orders(browser: Browser, report: Path, data: ReportData) -> None:
    browser.open(report)
    choose(browser, "verdict", "unscored")
    browser.run(
        "[...document.querySelectorAll('[role=tab]')].find(one => one.textContent.startsWith('Judged')).click()"
    )
    unscored = [row for row in data.comparisons if row.p_a_preferred is None]
    assert found(browser) == len(unscored) and "Unscored: no option named" in visible(browser)[0]
    choose(browser, "kept", "kept")
    assert found(browser) == 0
    browser.run("document.getElementById('filters').reset()")
    browser.run("new Promise(done => setTimeout(done, 50))")
    browser.run(
        "(() => { const one = document.getElementById('order'); one.selectedIndex = 2;"
        " one.dispatchEvent(new Event('change')); })()"
    )
    surest = min(
        (row for row in data.comparisons if row.p_a_preferred is not None), key=lambda row: abs(row.p_a_preferred - 0.5)
    )  # type: ignore[operator]
    first, second = visible(browser)[0], visible(browser)[len(unscored)]
    assert "Unscored" in first and surest.prompt_id in second


def test_a_prompt_is_followed_through_the_run(browser: Browser, report: Path, data: ReportData) -> None:
    browser.open(report)
    name = data.revisions[3].prompt_id
    browser.run(f"location.hash = '#prompt={name}'")
    browser.run("new Promise(done => setTimeout(done, 50))")
    assert found(browser) == 1 and name in visible(browser)[0]
    counts = browser.run("[...document.querySelectorAll('[role=tab] small')].map(one => Number(one.textContent))")
    assert counts[0] == 1 and counts[2] == 1 and counts[1] == 0
    browser.run("document.getElementById('changes').click()")
    gone = browser.run("[...document.querySelectorAll('del')].filter(one => one.offsetParent).length")
    assert gone == 0


def test_without_javascript_all_examples_are_a_plain_list(browser: Browser, report: Path, data: ReportData) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.events.clear()
        browser.open(report)
        assert browser.complaints() == []
        seen = browser.call("DOM.getDocument", depth=1)["root"]["nodeId"]
        cards = browser.call("DOM.querySelectorAll", nodeId=seen, selector=".card")["nodeIds"]
        # `Runtime.evaluate` still works where the page's own scripts do not run.
        assert browser.run("document.getElementById('filters').offsetParent") is None
        assert browser.run("[...document.querySelectorAll('.card')].every(one => one.checkVisibility())")
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert len(cards) == len(data.revisions) + 24 + len(data.comparisons) + len(data.rollouts)


def test_it_prints_with_everything_but_the_examples(browser: Browser, report: Path) -> None:
    browser.open(report)
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        height = "document.querySelector({!r}).getBoundingClientRect().height"
        assert browser.run(height.format(".masthead")) == 0 and browser.run(height.format(".reading")) == 0
        assert browser.run(height.format(".onpaper")) > 0 and browser.run(height.format("#frontier .chart")) > 50
        browser.run("window.dispatchEvent(new Event('beforeprint'))")
        closed = browser.run("[...document.querySelectorAll('details')].filter(one => !one.open).length")
        assert closed == 0
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")
