"""The page of a town in a real browser, as the test beside this one reads it: it fits, and axe-core finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from needs import CHROMIUM
from report.axe import wrong_in_any_window
from report.browser import Browser
from solon.town.page import Town, render
from town import test_comparing

pytestmark = pytest.mark.skipif(CHROMIUM.place is None, reason=CHROMIUM.reason)


def test_it_keeps_nobody_out(tmp_path: Path, chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "index.html"

    def kept(town: Town) -> str:
        page.write_text(render(town), encoding="utf-8")
        return page.read_text(encoding="utf-8")

    monkeypatch.setattr(test_comparing, "render", kept)
    test_comparing.test_the_page_tells_all_of_it_and_trusts_nobody()
    with chromium.anew() as browser:
        browser.open(page)
        assert wrong_in_any_window(browser) == [] and browser.complaints() == []
        assert set(browser.requests()) == {page.as_uri()}
