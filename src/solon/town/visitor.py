"""Somebody with a browser, without the browser: follows links and sends forms as the pages hold them."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookiejar import LWPCookieJar
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

from solon.errors import ProcessError
from solon.text import excerpt
from solon.town.elements import Element, filled, names, read_page

TIMEOUT = 120.0
"""Seconds for one answer, on a machine that does much else."""
FORM_AGAIN = 422
"""Of a page that shows a form again, with what is wrong with it."""
Fields = Mapping[str, str]


class Visitor:
    """One browser with its own cookies, as the site sees it from an address of its own.

    `page` is what it looks at, and `at` where that is, without the site's own address. `kept`: the file in which one
    that was closed before kept its cookies.
    """

    def __init__(self, base: str, address: str, kept: Path | None = None) -> None:
        self.base, self.cookies = base, LWPCookieJar()
        if kept:
            self.cookies.load(str(kept), ignore_discard=True)
        # As what stands before a site says it (`solon serve --url --proxies`): everybody comes from somewhere else.
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(self.cookies))
        self._opener.addheaders = [("X-Forwarded-For", address), ("Accept-Language", "en")]
        self.page, self.at = Element("", {}), ""

    def keep(self, path: Path) -> None:
        """Keeps its cookies in a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.cookies.save(str(path), ignore_discard=True)

    def get(self, path: str) -> Element:
        """Looks at a page."""
        return self._look(path, None)

    def send(self, ending: str, fields: Fields = {}, **more: str) -> Element:  # noqa: B006
        """Sends the form of this page whose action ends so, with what it holds, and these fields changed."""
        typed = {**fields, **more}
        form = self._form(ending, typed)
        return self._look(str(form.attributes["action"]), {**filled(form), **typed})

    def insist(self, ending: str, fields: Fields) -> Element:
        """Sends a form, and once more where the site asks whether that is meant."""
        form = self._form(ending, fields)
        self._look(str(form.attributes["action"]), {**filled(form), **fields}, asked_again=True)
        again = [one for one in self._forms(ending) if "anyway" in filled(one)]
        return self.sends(again[0], fields) if again else self.page

    def sends(self, form: Element, fields: Fields) -> Element:
        """Sends one of this page's forms."""
        return self._look(str(form.attributes["action"]), {**filled(form), **fields})

    def download(self, path: str) -> bytes:
        """What lies at an address."""
        return self._ask(path, None)[1]

    def has_form(self, ending: str) -> bool:
        """Whether the page has a form with such an action."""
        return bool(self._forms(ending))

    @property
    def heading(self) -> str:
        return self.page.all("h1")[0].text

    def _forms(self, ending: str) -> list[Element]:
        return [one for one in self.page.all("form") if str(one.attributes["action"]).endswith(ending)]

    def _form(self, ending: str, fields: Fields) -> Element:
        """The one that has these fields, if there are several."""
        found = self._forms(ending)
        if not found:
            raise ProcessError(f"the site's page {self.at} has no form to {ending}: {excerpt(self.page.text, 200)}")
        return next((one for one in found if names(one) >= fields.keys()), found[0])

    def _look(self, path: str, fields: Fields | None, *, asked_again: bool = False) -> Element:
        at, body, refused = self._ask(path, fields)
        self.at, self.page = at.removeprefix(self.base), read_page(body.decode("utf-8"))
        if refused and not asked_again:
            raise ProcessError(f"the site did not take what was sent to {path}: {excerpt(self.page.text, 300)}")
        return self.page

    def _ask(self, path: str, fields: Fields | None) -> tuple[str, bytes, bool]:
        """Where the answer is, what it says, and whether it is the form again."""
        data = None if fields is None else urlencode(fields).encode()
        try:
            with self._opener.open(self.base + path, data=data, timeout=TIMEOUT) as answer:
                return answer.url, answer.read(), False
        except HTTPError as error:
            body = error.read()
            if error.code == FORM_AGAIN:
                return error.url or path, body, True
            said = read_page(body.decode("utf-8", errors="replace")).text
            raise ProcessError(f"the site answered {path} with {error.code}: {excerpt(said, 300)}") from error
        except URLError as error:
            raise ProcessError(f"the site cannot be reached at {self.base}: {error.reason}") from error
