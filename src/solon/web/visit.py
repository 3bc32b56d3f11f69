"""What a request becomes before a handler sees it: who asks, in which language, and what they may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from solon.report.public.language import Language
from solon.web.browsers import Browser, cookie_name
from solon.web.db import people
from solon.web.db.conversations import by_slug, role_of
from solon.web.db.members import signed_in
from solon.web.db.tables import Conversation, Member, Participant, Results, Role, Stage, State
from solon.web.forms import Form
from solon.web.language import COOKIE, asked_for, chosen, languages, spoken
from solon.web.lazy import lazy
from solon.web.limits import Limit, network
from solon.web.pages import assets, templates
from solon.web.runs import Run
from solon.web.site import Site
from solon.web.troubles import Trouble, not_found


@dataclass(frozen=True, kw_only=True)
class View:
    """A page that is written when what its visit changed is committed: nobody waits for the database meanwhile."""

    template: str
    status: int
    context: dict[str, Any]


PARTS = "application/x-ndjson"
"""An object a line, each a part of what will be the page; see `web/parts.py`."""
Answer = Response | View
"""What a handler gives."""


class Guest:
    """Whoever sends a request, before anything is known of them."""

    def __init__(self, site: Site, request: Request) -> None:
        self.site, self.request = site, request
        self.browser = Browser.of(request, site.signer)
        cookie = request.cookies.get(cookie_name(COOKIE, secure=self.browser.secure), "")
        self.say: Language = spoken(chosen(request, cookie))
        if tag := asked_for(request):
            self.browser.cookies[COOKIE] = tag

    @property
    def member(self) -> Member | None:
        return None

    def count(self, limit: Limit) -> None:
        """Once more, of this address or browser. Raises `Trouble` where that is too often."""
        self.site.limiter.count(limit, self._counted_as(limit))

    def require(self, limit: Limit) -> None:
        """Raises `Trouble` where once more would be too often, and counts nothing."""
        self.site.limiter.require(limit, self._counted_as(limit))

    def _counted_as(self, limit: Limit) -> str:
        address = self.request.client.host if self.request.client else ""
        return self.browser.hash if limit.of_browser else network(address)

    def path(self, to: str, /, **values: object) -> str:
        """The address of a page within the site. Links and redirects lead nowhere else."""
        app = self.request.app  # which looks through all its routes for a name
        return str((app.state.named.get(to) or app).url_path_for(to, **values))

    def written(self, view: View) -> Response:
        """The page itself."""
        page = templates().get_template(view.template)
        files = {name: self.path("asset", file=one.name) for name, one in assets().items()}
        shared = {"visit": self, "say": self.say, "many": self.say.many, "path": self.path, "files": files}
        return HTMLResponse(page.render(shared | {"languages": languages()} | view.context), status_code=view.status)

    def trouble(self, trouble: Trouble, form: Form) -> Response:
        """A page that says what is wrong, and gives back what was typed."""
        text = self.say(trouble.text, **trouble.values) if trouble.text else ""
        title = self.say(trouble.title, **trouble.values)
        slug = self.request.path_params.get("slug")
        back = self.path("landing", slug=slug) if slug and trouble.status != 404 else None
        again = trouble.again and self.request.method == "GET" and self.request.url
        told = {"title": title, "text": text, "written": form.written, "back": back, "again": again}
        return self.written(View(template="trouble.html.j2", status=trouble.status, context=told))


class Visit(Guest):
    """A request with its form and one transaction of the database."""

    def __init__(self, site: Site, request: Request, db: Session, form: Form) -> None:
        super().__init__(site, request)
        self.db, self.form = db, form

    def render(self, template: str, /, *, status: int = 200, **context: Any) -> View:
        """A page of this template."""
        return View(template=template, status=status, context=context)

    @property
    def wants_parts(self) -> bool:
        """Does the page's script ask, which shows what comes as it comes?"""
        return PARTS in self.request.headers.get("accept", "")

    def begin_writing(self) -> None:
        """Of a request that has only read so far: another transaction, in which all that is known is read anew."""
        self.let_go()
        self.site.database.lets_write(self.db)

    def let_go(self) -> None:
        """Of the database, for a while, by a request that has only read so far: what is known is read anew later."""
        self.db.rollback()
        for known in ("member", "talk", "participant"):
            self.__dict__.pop(known, None)

    @lazy
    def member(self) -> Member | None:
        """Who is signed in."""
        return signed_in(self.db, self.browser.member_hash) if self.browser.sign_in else None

    @lazy
    def talk(self) -> Conversation:
        """The conversation of the address. Raises `Trouble` if there is none, or the visitor may not know of it."""
        found = by_slug(self.db, self.part("slug"))
        if found is None or (found.state == State.DRAFT and self._role(found) is None):
            raise not_found()
        return found

    @lazy
    def run(self) -> Run:
        """The run of the address. Raises `Trouble` if there is none."""
        return self.site.runs.named(self.part("run"))

    @property
    def role(self) -> Role | None:
        """Of the member in the conversation of the address."""
        return self._role(self.talk)

    def _role(self, talk: Conversation) -> Role | None:
        return role_of(self.db, self.member, talk) if self.member else None

    @lazy
    def participant(self) -> Participant | None:
        """Who this browser is in the conversation of the address. Nobody can be asked for by number."""
        return people.participant_of(self.db, self.talk, self.browser.hash)

    @property
    def me(self) -> Participant:
        """As `participant`, on pages that only participants reach."""
        assert self.participant is not None, "the page is for participants"
        return self.participant

    @property
    def may_see_results(self) -> bool:
        """Of the conversation of the address."""
        return self.may_see_results_of(self.talk, self.participant)

    def may_see_results_of(self, talk: Conversation, here: Participant | None) -> bool:
        """Those who run a conversation always, everybody when it is closed. here: who this browser is in it."""
        if self._role(talk) or talk.state == State.CLOSED or talk.results == Results.EVERYBODY:
            return True
        return talk.results == Results.PARTICIPANTS and here is not None and here.state == Stage.IN

    @property
    def staff(self) -> Member:
        """As `member`, on pages that only members reach."""
        assert self.member is not None, "the page is for members"
        return self.member

    def part(self, name: str) -> str:
        """A part of the path. Raises `Trouble` for one that no database can hold."""
        value = str(self.request.path_params[name])
        if "\0" in value:
            raise not_found()
        return value

    def number(self, name: str) -> int:
        """A part of the path that is a number. Raises `Trouble` for one that no row can have."""
        value = int(self.request.path_params[name])
        if value >= 2**31:
            raise not_found()
        return value

    def go(self, name: str, /, **values: object) -> Response:
        """To another page of this site, after a form."""
        return RedirectResponse(self.path(name, **values), status_code=303)
