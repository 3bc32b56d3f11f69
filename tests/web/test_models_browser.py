"""Chat, lab and a live arena in a real browser: answers grow before one's eyes, nothing that a model says is obeyed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import sleep

import pytest

from model_runs import embedded_run
from needs import CHROMIUM
from report.axe import wrong_in_any_window
from report.browser import Browser
from solon.lm.protocols import Completion
from solon.pipeline.talking import Talker
from solon.web.serve import owner_link
from solon.web.site import Site
from web.test_browser import ATTACK, followed, heading, joined, judged, press, reach, served, wait
from web.town_site import live_arena

pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)
ASK = "I have the ladder of Ada. How do I give it back?"
WATCH = """window.seen = [];
new MutationObserver(() => { const it = document.getElementById("writing-base"); if (it) seen.push(it.textContent); })
  .observe(document.body, { subtree: true, childList: true, characterData: true });
Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { window.copied = text; } } });"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str, str]]:
    """A site with a run, where it is, and the path of an arena that asks the run's models."""
    runs = tmp_path_factory.mktemp("runs")
    embedded_run(runs / "demo")
    with served(tmp_path_factory.mktemp("served"), live_arena, runs=runs) as found:
        yield found


@pytest.fixture
def browser(chromium: Browser, place: tuple[Site, str, str]) -> Iterator[Browser]:
    """Signed in."""
    with chromium.anew() as browser:
        browser.open(owner_link(place[0]))
        followed(browser, "it.textContent === 'Sign in'")
        yield browser


def asked(browser: Browser, text: str, *, script: bool = True) -> None:
    """By keyboard; until there is an answer to it."""
    reach(browser, "it.name === 'text'")
    browser.call("Input.insertText", text=text)
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Ask the models'")
    if not script:
        browser.loaded(seen)
    wait(browser, f"[...document.querySelectorAll('h2')].at(-1)?.textContent === {text!r}")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_ask_by_keyboard(browser: Browser, place: tuple[Site, str, str], script: bool) -> None:
    browser.open(f"{place[1]}/chat/demo")
    if script:
        browser.run(WATCH)
    else:
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        browser.open(f"{place[1]}/chat/demo")
    asked(browser, ASK, script=script)
    said = browser.run("document.getElementById('question-1-base').textContent")
    if script:
        seen = [one for one in dict.fromkeys(browser.run("seen")) if one]
        assert len(seen) > 3 and all(said.startswith(one) for one in seen), "the answer grew"
        assert sorted(seen, key=len) == seen and browser.run("document.activeElement.id") == "question-1"
        press(browser, until="it.dataset.copies === 'question-1-base'")
        wait(browser, "document.activeElement.textContent === 'Copied'")
        assert browser.run("copied") == said
    else:
        hidden = "getComputedStyle(document.querySelector('.copies')).display === 'none'"
        assert browser.run(hidden), "what needs a script is not shown without one"
    asked(browser, "And then?", script=script)
    assert browser.run("document.getElementById('question-1-base').textContent") == said
    assert not script or wrong_in_any_window(browser) == []
    assert browser.complaints() == []
    assert {one.split("/")[2] for one in browser.requests()} == {place[1].removeprefix("http://")}


def test_nothing_that_is_said_is_obeyed(
    browser: Browser, place: tuple[Site, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(self: Talker, turns: object, *, tell: Callable[[str], None], **_: object) -> Completion:
        for letter in ATTACK:
            tell(letter)
        return Completion(prompt="", text=ATTACK, tokens=1, ended="eos")

    monkeypatch.setattr(Talker, "answer", answer)
    browser.open(f"{place[1]}/chat/demo")
    browser.run(WATCH)
    asked(browser, ATTACK)
    assert browser.run("seen").count(ATTACK) and browser.run("document.title").startswith("Talk to the models of demo")
    assert browser.run("document.querySelectorAll('main img, main script').length") == 0
    assert browser.complaints() == []


def test_a_stopped_answer_is_asked_again(
    browser: Browser, place: tuple[Site, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The computation ends, too: the next one is not behind it."""
    whole = Talker.answer

    def endless(self: Talker, turns: object, *, tell: Callable[[str], None], **_: object) -> Completion:
        while True:
            tell("on and ")
            sleep(0.005)

    monkeypatch.setattr(Talker, "answer", endless)
    browser.open(f"{place[1]}/chat/demo")
    reach(browser, "it.name === 'text'")
    browser.call("Input.insertText", text=ASK)
    press(browser, until="it.textContent === 'Ask the models'")
    wait(browser, "document.getElementById('writing-base').textContent.length > 50")
    press(browser, until="'stops' in it.dataset")
    assert wrong_in_any_window(browser) == [], "with what was written so far"
    monkeypatch.setattr(Talker, "answer", whole)
    press(browser, until="it.textContent === 'Ask the models'")
    wait(browser, "document.getElementById('question-1-base')")
    assert "on and" not in browser.run("document.querySelector('main').innerText")


def test_a_principle_is_tried_by_keyboard(browser: Browser, place: tuple[Site, str, str]) -> None:
    browser.open(f"{place[1]}/lab/demo")
    browser.run(
        "window.told = []; new MutationObserver(() => told.push(document.getElementById('progress')?.textContent))"
        ".observe(document.body, { subtree: true, childList: true, characterData: true })"
    )
    reach(browser, "it.name === 'sentence'")
    browser.call("Input.insertText", text="Do not help to take what belongs to others.")
    press(browser, until="it.textContent === 'Try it'")
    wait(browser, "document.querySelectorAll('svg.moves').length === 10")
    told = browser.run("told")
    assert "The judge compares: 5 of 10" in told
    assert browser.run("document.activeElement.textContent") == "What the models make of it"
    lines = browser.run(
        "[...document.querySelectorAll('svg.moves')].every(it => it.getBoundingClientRect().width > 40)"
    )
    assert lines and wrong_in_any_window(browser) == [] and browser.complaints() == []


def test_a_dialogue_goes_on_in_an_arena_by_keyboard(browser: Browser, place: tuple[Site, str, str]) -> None:
    _, base, path = place
    joined(browser, base, path)
    judged(browser, "t", "a")
    wait(browser, "!document.querySelector('form.comparing')")
    followed(browser, "it.textContent === 'Ask something yourself'")
    reach(browser, "it.name === 'text'")
    browser.call("Input.insertText", text=ASK)
    followed(browser, "it.textContent === 'Send'")
    assert heading(browser) == "Two answers" and ASK in browser.run("document.querySelector('main').innerText")
    assert wrong_in_any_window(browser) == [], "with what was said before"
    judged(browser, "b", "b")
    wait(browser, "!document.querySelector('form.comparing')")
    assert heading(browser) == "Go on, or ask something else" and wrong_in_any_window(browser) == []
    assert ASK in browser.run("document.querySelector('main').innerText") and browser.complaints() == []


@pytest.mark.parametrize("tag", ["en", "de", "ar"])
def test_pages_fit_every_window_in_every_language(browser: Browser, place: tuple[Site, str, str], tag: str) -> None:
    for width in (1200, 390):
        for page in ("/chat", "/chat/demo", "/lab/demo"):
            browser.open(f"{place[1]}{page}?language={tag}", width=width)
            for dark in (False, True):
                browser.change_window(width, dark=dark)
                assert browser.run("document.documentElement.scrollWidth") == width, page
                assert browser.run("document.querySelectorAll('main, h1').length") == 2
    browser.open(f"{place[1]}/chat/demo?language={tag}", width=390)
    browser.run(f"document.querySelector('[name=text]').value = {'W' * 300!r}")
    browser.run("document.querySelector('form.asking button.main').click()")
    wait(browser, "document.getElementById('question-1-rl')")
    assert browser.run("document.documentElement.scrollWidth") == 390 and heading(browser)
    browser.open(f"{place[1]}/lab/demo?language={tag}", width=390)
    browser.run("document.querySelector('[name=sentence]').value = 'Be civil.'")
    browser.run("document.querySelector('form.asking button.main').click()")
    wait(browser, "document.querySelectorAll('svg.moves').length === 10")
    assert browser.run("document.documentElement.scrollWidth") == 390
    assert browser.complaints() == []
