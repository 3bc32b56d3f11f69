"""Somebody with a browser, without the browser: follows links and sends forms as the pages hold them."""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.applications import Starlette
from starlette.testclient import TestClient

from solon.town.elements import Element, filled, names, read_page
from solon.web.app import create_app
from solon.web.db.engine import Database
from solon.web.serve import owner_link
from solon.web.settings import Settings
from solon.web.site import Site

BASE = "http://127.0.0.1:8000"
Fields = Mapping[str, str]


class Visitor:
    """One browser with its own cookies. `page` is what it looks at, `status` how that was answered."""

    def __init__(self, app: Starlette, base: str = BASE, language: str = "en") -> None:
        self.client = TestClient(app, base_url=base, headers={"accept-language": language}, follow_redirects=False)
        self.client.portal = _loop()
        self.app = app
        self.base = base

    def get(self, path: str) -> Element:
        return self._look(self.client.get(path))

    def post(self, path: str, fields: Fields | list[tuple[str, str]] = {}) -> Element:  # noqa: B006
        """Send these fields and no others."""
        pairs = dict(fields) if isinstance(fields, Mapping) else {}
        if not isinstance(fields, Mapping):
            for name, value in fields:
                pairs.setdefault(name, []).append(value)  # type: ignore[attr-defined, arg-type]
        return self._look(self.client.post(path, data=pairs))

    def send(self, ending: str, fields: Fields = {}, **more: str) -> Element:  # noqa: B006
        """Send the form of this page whose action ends so, with what it holds, and these fields changed."""
        typed = {**fields, **more}
        form = self.form(ending, typed)
        return self.post(str(form.attributes["action"]), {**filled(form), **typed})

    def form(self, ending: str, fields: Fields = {}) -> Element:  # noqa: B006
        """The one that has these fields, if there are several."""
        found = [one for one in self.page.all("form") if str(one.attributes["action"]).endswith(ending)]
        assert found, f"no form to {ending} on {self.at}: {self.page.text[:500]}"
        return next((one for one in found if names(one) >= fields.keys()), found[0])

    @property
    def csrf(self) -> str:
        return next(
            str(one.attributes["value"]) for one in self.page.all("input") if one.attributes.get("name") == "csrf"
        )

    @property
    def heading(self) -> str:
        return self.page.all("h1")[0].text

    def _look(self, response) -> Element:  # type: ignore[no-untyped-def]
        """Redirects are followed, and lead to this site alone."""
        while response.status_code == 303:
            to = response.headers["location"]
            assert to.startswith("/") and not to.startswith("//"), f"leads away: {to}"
            response = self.client.get(to)
        self.response, self.status, self.at = response, response.status_code, str(response.url)
        self.page = read_page(response.text) if "html" in response.headers.get("content-type", "") else Element("", {})
        return self.page


@cache
def _loop() -> BlockingPortal:
    """One loop of events for all sites of this process: without it each request begins and ends its own."""
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(start_blocking_portal())


def site_in(folder: Path, **settings: object) -> Starlette:
    """A site; a new one begins with a copy of an empty database, since to migrate one takes longer than most tests."""
    given = Settings(folder=folder, **settings)  # type: ignore[arg-type]
    file = folder / "site.sqlite"
    if not (given.database or file.exists()):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(0o600)
        file.write_bytes(_empty())
    return create_app(given)


@cache
def _empty() -> bytes:
    """A database at its newest version, as a site makes it."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "site.sqlite"
        Database(f"sqlite:///{file}").close()
        return file.read_bytes()


def the_site(app: Starlette) -> Site:
    site: Site = app.state.site
    return site


def owner_of(app: Starlette) -> Visitor:
    """A visitor who is signed in as the owner."""
    visitor = Visitor(app)
    visitor.get(owner_link(the_site(app)).removeprefix(BASE))
    visitor.send("", {})
    assert visitor.status == 200
    return visitor


def member_of(app: Starlette, owner: Visitor, name: str, *, second_owner: bool = False) -> Visitor:
    """A member who has opened their link."""
    owner.get("/team")
    owner.send("/team", name=name, **({"owner": "yes"} if second_owner else {}))
    link = next(one.text for one in owner.page.all("code"))
    visitor = Visitor(app)
    visitor.get(link.removeprefix(BASE))
    visitor.send("")
    return visitor


def conversation_in(
    owner: Visitor, seeds: Sequence[str] = ("Be honest.", "Be kind.", "Be brief."), **settings: str
) -> str:
    """An open conversation with these first statements; its address. Settings that are not named stay as they are."""
    owner.get("/begin")
    owner.send("/begin", topic="How should it answer?")
    at = owner.at.removeprefix(BASE).removesuffix("/manage")
    if settings:
        owner.get(f"{at}/settings")
        owner.send("/settings", {**filled(owner.form("/settings")), **settings})
        assert owner.status == 200, owner.page.text
    if seeds:
        owner.send("/seeds", seeds="\n".join(seeds))
    owner.send("/state", state="open")
    assert owner.status == 200
    return at


def participant_in(app: Starlette, at: str) -> Visitor:
    """Somebody who consented and stands before the first statement, or before the questions."""
    visitor = Visitor(app)
    visitor.get(f"{at}/join")
    visitor.send("/join", consent="yes")
    assert visitor.status == 200, visitor.page.text
    return visitor


def token(app: Starlette, visitor: Visitor) -> str:
    """The form token of this visitor's session, for forms that no page offers them."""
    session = str(visitor.client.cookies["solon-session"]).partition(".")[0]
    sign_in = visitor.client.cookies.get("solon-member")
    return the_site(app).signer.form_token(f"{session}.{sign_in}" if sign_in else session)
