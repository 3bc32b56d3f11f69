"""The site in a real browser: by keyboard, without a complaint, asking nobody else, on any window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
import uvicorn
from sqlalchemy import select

from needs import CHROMIUM
from report.browser import Browser
from solon.web.app import create_app
from solon.web.db.statements import add_statement
from solon.web.db.tables import Conversation, Decision, Standing, Statement
from solon.web.serve import listening_socket, owner_link
from solon.web.settings import Settings
from solon.web.site import Site
from web.visitor import Visitor, conversation_in, owner_of

pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)
ATTACK = '"><script>document.title = "broken"</script><img src=x onerror="document.title = \'broken\'">'
SEEDS = ("An assistant should say when it is not sure.", "W" * 200, ATTACK)


@contextmanager
def served(
    folder: Path, begin: Callable[[Visitor], str] | None = None, **more: object
) -> Iterator[tuple[Site, str, str]]:
    """A site on a port with an open conversation, or what its owner begins: the site, where it is, and the path."""
    settings = Settings(folder=folder, port=0, **more)  # type: ignore[arg-type]
    listening = listening_socket(settings)
    settings = settings.model_copy(update={"port": listening.getsockname()[1]})
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    running.start()
    try:
        owner = owner_of(app)
        path = begin(owner) if begin else conversation_in(owner, SEEDS, votes_before_writing="3")
        yield app.state.site, settings.base, path
    finally:
        server.should_exit = True
        running.join()
        listening.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str, str]]:
    with served(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    with chromium.anew() as browser:
        yield browser


def press(browser: Browser, *, until: str) -> None:
    """Tab on to the first thing for which this is true of `it`, and press Enter; a page comes, or a part of one."""
    reach(browser, until)
    browser.key("Enter", 13, "\r")


def reach(browser: Browser, until: str) -> None:
    """Tab on to the first thing for which this is true of `it`."""
    for _ in range(40):
        browser.key("Tab", 9)
        if browser.run(f"(it => Boolean({until}))(document.activeElement)"):
            outline = browser.run("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", "one sees where one is"
            return
    raise AssertionError(f"the keyboard does not reach {until}: {browser.run('document.body.innerText')[:300]}")


def followed(browser: Browser, until: str) -> None:
    """By keyboard to a link or a button, and to the page it leads to."""
    seen = len(browser.events)
    press(browser, until=until)
    browser.loaded(seen)


def chosen(browser: Browser, name: str, value: str) -> None:
    """One of several, by keyboard."""
    reach(browser, f"it.name === {name!r}")
    browser.key(" ", 32, " ")
    for _ in range(browser.run(f"document.getElementsByName({name!r}).length")):
        if browser.run("document.activeElement.value") == value:
            return
        browser.key("ArrowDown", 40)
    raise AssertionError(f"{name} has no {value}")


def judged(browser: Browser, helpfulness: str, harmlessness: str) -> None:
    """A pair of an arena, by the keys of both verdicts."""
    wait(browser, "document.activeElement.tagName === 'H1'")
    browser.key(helpfulness, ord(helpfulness.upper()), helpfulness)
    wait(browser, "document.activeElement.name === 'harmlessness'")
    browser.key(harmlessness, ord(harmlessness.upper()), harmlessness)
    wait(browser, "document.activeElement.textContent === 'Vote'")
    browser.key("Enter", 13, "\r")


def wait(browser: Browser, until: str) -> None:
    """Until this is true of the page. Asked from here, since a page without scripts has no timers either."""
    deadline = monotonic() + 60
    while not browser.run(f"Boolean({until})"):
        assert monotonic() < deadline, f"never {until}: {browser.run('document.body.innerText')[:300]}"
        sleep(0.02)


def joined(browser: Browser, base: str, path: str) -> None:
    """By keyboard from the landing page to the first statement."""
    browser.open(base + path)
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Take part'")
    browser.loaded(seen)
    reach(browser, "it.id === 'consent'")
    browser.key(" ", 32, " ")
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Begin'")
    browser.loaded(seen)


def heading(browser: Browser) -> str:
    return str(browser.run("document.querySelector('h1').textContent.trim()"))


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_vote_undo_and_write_by_keyboard(browser: Browser, place: tuple[Site, str, str], script: bool) -> None:
    site, base, path = place
    browser.call("Emulation.setScriptExecutionDisabled", value=not script)
    joined(browser, base, path)
    seen_all = []
    for vote in ("Agree", "Disagree", "Pass"):
        wait(browser, "document.activeElement.id === 'statement'")  # where a screen reader begins
        before, seen = heading(browser), len(browser.events)
        seen_all.append(before)
        press(browser, until=f"it.textContent.includes({vote!r})")
        if script:
            wait(browser, f"document.querySelector('h1').textContent.trim() !== {before!r}")
        else:
            browser.loaded(seen)
    assert sorted(seen_all) == sorted(SEEDS), "statements are shown and never run"
    assert heading(browser) == "You have voted on everything there is so far."
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Take back'")
    wait(
        browser, "document.querySelector('h1').id === 'statement' && document.querySelector('[name=vote]')"
    ) if script else (browser.loaded(seen))
    assert heading(browser) == seen_all[-1]
    seen = len(browser.events)
    press(browser, until="it.textContent.includes('Disagree')")
    wait(browser, "!document.querySelector('[name=vote]')") if script else browser.loaded(seen)

    seen = len(browser.events)
    press(browser, until="it.textContent === 'Write a statement'")
    browser.loaded(seen)
    reach(browser, "it.tagName === 'TEXTAREA'")
    mine = f"Written {'with' if script else 'without'} a script."
    browser.call("Input.insertText", text=mine)
    if script:
        assert browser.run("document.querySelector('.counter').textContent") == f"{400 - len(mine)} characters left"
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Send'")
    browser.loaded(seen)
    assert mine in browser.run("document.body.innerText")

    assert browser.complaints() == []
    assert {one.split("/")[2] for one in browser.requests()} == {base.removeprefix("http://")}, "nobody else is asked"
    with site.database.session(writes=False) as db:
        assert mine in [one.text for one in db.scalars(select(Statement))]
        newest = db.scalars(select(Standing).order_by(Standing.vote_id.desc()).limit(4))
        assert [one.vote for one in newest] == [1, -1, -1, 1], "agree, disagree, pass taken back for disagree, and mine"


def test_moderation_by_keyboard(browser: Browser, place: tuple[Site, str, str]) -> None:
    """Rejected with a criterion and a reason, then the next one accepted, without a pointer."""
    site, base, path = place
    with site.database.session(writes=True) as db:
        talk = db.scalars(select(Conversation)).one()
        for text in ("Buy shoes here.", "Say please."):
            add_statement(db, talk, text, author=None)
        db.commit()
    browser.open(owner_link(site))
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Sign in'")
    browser.loaded(seen)
    browser.open(f"{base}{path}/moderate")
    wait(browser, "document.activeElement.id === 'statement'")
    first = heading(browser)
    press(browser, until="it.textContent === 'Reject it'")
    reach(browser, "it.name === 'criterion'")
    for _ in range(3):
        browser.key("ArrowDown", 40)
    reach(browser, "it.name === 'against'")
    browser.call("Input.insertText", text="It insults the reader.")
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Reject'")
    browser.loaded(seen)
    second = heading(browser)
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Accept'")
    browser.loaded(seen)
    with site.database.session(writes=False) as db:
        told = db.scalars(select(Decision).order_by(Decision.id.desc()).limit(2)).all()
        assert [(one.action, one.criterion, one.reason) for one in told] == [
            ("accept", "", "It meets the criteria."),
            ("reject", "It insults or threatens somebody.", "It insults the reader."),
        ]
    assert first != second and browser.complaints() == []


def moderating(browser: Browser, site: Site, base: str, path: str, texts: Sequence[str]) -> list[int]:
    """As the owner, before the first of these statements; their numbers."""
    with site.database.session(writes=True) as db:
        talk = db.scalars(select(Conversation)).one()
        numbers = [add_statement(db, talk, text, moderated=0, author=None).number for text in texts]
        db.commit()
    browser.open(owner_link(site))
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Sign in'")
    browser.loaded(seen)
    browser.open(f"{base}{path}/moderate?after={numbers[0] - 1}")
    wait(browser, "document.activeElement.id === 'statement'")
    return numbers


def type_key(browser: Browser, letter: str, *, to: str) -> None:
    """A single key, which leads to another page on which this is true."""
    seen = len(browser.events)
    browser.key(letter, ord(letter.upper()), letter)
    browser.loaded(seen)
    wait(browser, to)


def test_moderation_by_single_keys(browser: Browser, place: tuple[Site, str, str]) -> None:
    """Skip, accept, reject for a criterion, as a duplicate, better words; then switched off."""
    site, base, path = place
    texts = ("Skip this one.", "Ask before acting.", "Sell more boots.", "Ask before acting!!", "Dogs vote.", "Wait.")
    numbers = moderating(browser, site, base, path, texts)
    at = "document.activeElement.id === 'statement' && document.querySelector('h1').textContent.includes({!r})".format
    type_key(browser, "n", to=at(texts[1]))
    type_key(browser, "a", to=at(texts[2]))
    browser.key("5", 53, "5")
    wait(browser, "document.activeElement.name === 'against'")
    assert browser.run("document.querySelector('[name=criterion]:checked').value") == "It advertises something."
    assert browser.run("document.activeElement.value") == "", "the key is not typed"
    browser.call("Input.insertText", text="an advertisement")
    seen = len(browser.events)
    browser.key("Enter", 13, "\r")
    browser.loaded(seen)
    wait(browser, at(texts[3]))
    type_key(browser, "d", to=at(texts[4]))
    browser.key("w", 87, "w")
    wait(browser, "document.activeElement.name === 'text'")
    browser.key("a", 65, "a")
    assert browser.run("document.querySelector('h1').textContent").strip() == texts[4], (
        "within a field a key is a letter"
    )
    browser.run("document.activeElement.select()")
    browser.call("Input.insertText", text="Dogs may not vote.")
    reach(browser, "it.name === 'why'")
    browser.call("Input.insertText", text="Clearer.")
    seen = len(browser.events)
    browser.key("Enter", 13, "\r")
    browser.loaded(seen)
    wait(browser, at(texts[5]))
    with site.database.session(writes=False) as db:
        query = select(Statement.number, Decision.action, Decision.reason).join_from(Statement, Decision)
        told = db.execute(query.order_by(Decision.id)).all()
        mine = [tuple(one) for one in told if one[0] in numbers]
        assert mine == [
            (numbers[1], "accept", "It meets the criteria."),
            (numbers[2], "reject", "an advertisement"),
            (numbers[3], "reject", f"It says the same as statement {numbers[1]}."),
            (numbers[4], "rewrite", "Clearer."),
        ]
    browser.run("document.querySelector('[data-switch=keys]').click()")
    browser.open(f"{base}{path}/moderate/{numbers[5]}")
    wait(browser, "document.activeElement.id === 'statement'")
    assert not browser.run("document.querySelector('[data-switch=keys]').checked"), "for every page from then on"
    browser.key("a", 65, "a")
    browser.key("w", 87, "w")
    assert browser.run("document.activeElement.id") == "statement"
    assert browser.complaints() == []


def test_other_sites_have_no_member_look_or_do_anything(browser: Browser, place: tuple[Site, str, str]) -> None:
    """To a browser, localhost is another site. A participant stays who they are, whatever leads here."""
    site, base, path = place
    joined(browser, base, path)
    browser.open(owner_link(site))
    seen = len(browser.events)
    press(browser, until="it.textContent === 'Sign in'")
    browser.loaded(seen)
    browser.open(base.replace("127.0.0.1", "localhost"))
    for where, title in (("manage", "You are not signed in"), ("vote", "Vote")):
        seen = len(browser.events)
        browser.run(f"location.href = '{base}{path}/{where}'")
        browser.loaded(seen)
        wait(browser, f"document.title.startsWith({title!r})")
        if where == "manage":
            seen = len(browser.events)
            press(browser, until="it.textContent === 'Open this page again'")
            browser.loaded(seen)
            assert heading(browser) == "Manage"
            browser.open(base.replace("127.0.0.1", "localhost"))


def test_a_vote_that_does_not_get_through_is_said_to_be_lost_and_sent_again(
    browser: Browser, place: tuple[Site, str, str]
) -> None:
    _, base, path = place
    joined(browser, base, path)
    before = heading(browser)
    browser.call(
        "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1
    )
    browser.run("document.querySelector('button.agree').click()")
    wait(browser, "document.querySelector('[role=alert]')")
    assert "cannot be reached" in browser.run("document.querySelector('[role=alert]').textContent")
    assert heading(browser) == before
    browser.call(
        "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
    )
    browser.run("document.querySelector('button.agree').click()")
    wait(browser, f"document.querySelector('h1').textContent.trim() !== {before!r}")


def test_an_error_page_of_somebody_between_leaves_the_statement_where_it_is(
    browser: Browser, place: tuple[Site, str, str]
) -> None:
    _, base, path = place
    joined(browser, base, path)
    before = heading(browser)
    browser.run("window.fetch = async () => new Response('<h1>502 Bad Gateway</h1>', { status: 502 })")
    browser.run("document.querySelector('button.agree').click()")
    wait(browser, "document.querySelector('[role=alert]') || !document.querySelector('h1#statement')")
    assert heading(browser) == before and "cannot be reached" in browser.run("document.body.innerText")


@pytest.mark.parametrize("tag", ["en", "de", "ar"])
def test_pages_fit_every_window_in_every_language(browser: Browser, place: tuple[Site, str, str], tag: str) -> None:
    _, base, path = place
    joined(browser, base, path)
    for width in (1200, 390):
        for page in ("", "/vote", "/votes", "/write", "/leave", "/results", "/removed"):
            browser.open(f"{base}{path}{page}?language={tag}", width=width)
            for dark in (False, True):
                browser.change_window(width, dark=dark)
                assert browser.run("document.documentElement.scrollWidth") == width, page
                assert browser.run("document.documentElement.dir") == ("rtl" if tag == "ar" else "ltr")
                ground = browser.run("getComputedStyle(document.body).backgroundColor")
                assert (sum(int(part) for part in ground[4:-1].split(",")) < 384) == dark
                assert browser.run("document.querySelectorAll('main, h1').length") == 2
                unnamed = (
                    "[...document.querySelectorAll('input:not([type=hidden]), textarea, select, button')].filter(it =>"
                    " !(it.labels?.length || it.textContent.trim() || it.getAttribute('aria-label'))).length"
                )
                assert browser.run(unnamed) == 0, "every field and button has a name"
    assert browser.complaints() == []
