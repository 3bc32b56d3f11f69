"""The studio in a real browser: texts of models stay texts, by keyboard, on any window, as it goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from needs import CHROMIUM
from report.axe import wrong_in_any_window
from report.browser import Browser
from report.sample import sample_data
from report.test_data import write_run
from report.test_html import attacked
from solon.artifacts.live import progress_kept
from solon.artifacts.run_folder import RunFolder
from solon.config.run import RunConfig
from solon.progress import Meter
from solon.web.app import create_app
from solon.web.serve import listening_socket, owner_link
from solon.web.settings import Settings
from stages import begun
from web.test_browser import followed, heading, reach, wait
from web.test_studio import Trained

pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)
ATTACK = '<script>document.title = "broken"</script><img src=x onerror="document.title = \'broken\'">'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """The folder of runs, where the site is, and a link that signs in."""
    runs = tmp_path_factory.mktemp("runs")
    write_run(runs / "one", attacked(sample_data(9), ATTACK))
    write_run(runs / "two", sample_data(3))
    settings = Settings(folder=tmp_path_factory.mktemp("site"), port=0, runs=runs)
    with listening_socket(settings) as listening:
        settings = settings.model_copy(update={"port": listening.getsockname()[1]})
        app = create_app(settings)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        running.start()
        yield runs, settings.base, owner_link(app.state.site)
        server.should_exit = True
        running.join()


@pytest.fixture(scope="module")
def browser(place: tuple[Path, str, str], chromium: Browser) -> Iterator[Browser]:
    """Signed in."""
    with chromium.anew() as browser:
        browser.open(place[2])
        followed(browser, "it.textContent === 'Sign in'")
        yield browser


def test_from_the_list_to_where_an_answer_comes_from_by_keyboard(
    browser: Browser, place: tuple[Path, str, str]
) -> None:
    browser.open(place[1])
    followed(browser, "it.textContent === 'Runs'")
    followed(browser, "it.textContent === 'one'")
    followed(browser, "it.textContent === 'Answers'")
    reach(browser, "it.name === 'q'")
    browser.call("Input.insertText", text="onerror")
    followed(browser, "it.textContent === 'Show'")
    assert browser.run("document.querySelectorAll('.card').length") == 25
    followed(browser, "it.rel === 'next'")
    assert "page 2 of" in browser.run("document.querySelector('[role=status]').textContent")
    followed(browser, "it.matches('.card .meta a')")
    assert heading(browser) == "Where it comes from, and what came of it"
    assert browser.run("document.querySelector('.link.exact') !== null")
    assert browser.complaints() == []
    assert {one.split("/")[2] for one in browser.requests()} == {place[1].removeprefix("http://")}


def test_pages_run_nothing_and_fit_every_window(browser: Browser, place: tuple[Path, str, str], tmp_path: Path) -> None:
    _, base, _ = place
    pages = ("", "/one", "/one/files", *(f"/one/read/{shelf}" for shelf in ("chains", "comparisons")))
    for width in (1200, 390):
        for page in (*(f"/runs{one}" for one in pages), "/compare?first=one&second=two", "/runs/one/trace?id=no-harm"):
            browser.open(f"{base}{page}", width=width)
            for dark in (False, True):
                browser.change_window(width, dark=dark)
                assert browser.run("document.title") != "broken", page
                assert browser.run("document.documentElement.scrollWidth") == width, (page, width)
                ground = browser.run("getComputedStyle(document.body).backgroundColor")
                assert (sum(int(part) for part in ground[4:-1].split(",")) < 384) == dark
                assert browser.run("document.querySelectorAll('main, h1').length") == 2
    assert browser.complaints() == []
    assert {one.split("/")[2] for one in browser.requests() if one.startswith("http")} == {base.removeprefix("http://")}


def test_a_run_is_shown_as_it_goes_on(browser: Browser, place: tuple[Path, str, str]) -> None:
    """Without loading the page anew; what was opened stays open, and where one is one stays."""
    runs, base, _ = place
    with RunFolder.create(runs / "going", RunConfig()) as run:
        stage = begun(run, "models/rl")
        meter = Meter(name="models/rl", total_rows=40, clock=lambda: 0.0)
        stage.step_log.add(1, Trained(step=1, loss=0.0, reward_mean=0.1, kl=0.2))
        with progress_kept(run.path, whole=False, clock=iter(range(0, 999, 9)).__next__) as hear:
            hear(meter)
            browser.open(f"{base}/runs/going")
            assert "0 of 40" in browser.run("document.body.innerText")
            reach(browser, "it.tagName === 'SUMMARY'")
            browser.key("Enter", 13, "\r")
            browser.run("window.here = true")
            meter.rows = 7
            hear(meter)
            stage.step_log.add(2, Trained(step=2, loss=0.0, reward_mean=0.3, kl=0.4))
            wait(browser, "document.body.innerText.includes('7 of 40')")
            assert browser.run("document.querySelectorAll('#models-rl-reward-table tbody tr').length") == 2
            assert browser.run("window.here && document.querySelector('details').open")
            assert browser.run("document.activeElement.tagName") == "SUMMARY"
            browser.run("var asks = fetch; fetch = async () => new Response('', { status: 503 })")  # axe takes its time
            assert wrong_in_any_window(browser) == []
            browser.run("fetch = asks")
    wait(browser, "document.querySelector('.state').textContent === 'stopped'")
    assert browser.complaints() == []


def test_without_a_script_a_page_shows_what_was_when_it_was_loaded(
    browser: Browser, place: tuple[Path, str, str]
) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(f"{place[1]}/runs/one/read/chains?kind=mixed")
        assert browser.run("document.querySelectorAll('.card').length") == 9
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
