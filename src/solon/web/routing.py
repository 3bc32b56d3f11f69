"""From a request to a handler and back: what every page has in common happens here, once.

    body read, with a bound -> limit -> transaction -> form token -> role -> handler -> commit -> page written

What a form changed is committed before its answer is sent; whatever goes wrong rolls all of it back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from solon.web.access import OF_MEMBERS, Access, admit
from solon.web.db.engine import anew_after_others
from solon.web.db.tables import Kind
from solon.web.forms import Form, read_files, read_form
from solon.web.limits import Limit
from solon.web.site import Site
from solon.web.troubles import Trouble, forged, not_found
from solon.web.visit import Answer, Guest, View, Visit


class RowConvertor(Convertor[int]):
    """A number in an address, of no more digits than a row's can have."""

    regex = "[0-9]{1,10}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("row", RowConvertor())
Handler = Callable[[Visit], Answer]


@dataclass(frozen=True, kw_only=True)
class Page:
    """One address and what answers it. Its name is the handler's."""

    path: str
    handler: Handler
    needs: Access
    method: str = "GET"
    writes: bool = False
    """From its start: a form, and a page that logs what it shows."""
    limit: Limit | None = None
    """How often one may do it; of browsers only where `needs` lets nobody in whom the database does not know."""
    files: bool = False
    """The form holds files, which are read from nobody who may not send it."""
    kind: Kind | None = None
    """Of the conversation of the address. None: any, or the address has none."""

    def route(self, site: Site) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                if self.files:
                    await run_in_threadpool(self._let_in, site, request)
                read = read_files if self.files else read_form
                form = await read(request) if self.method == "POST" else Form()
            except Trouble as trouble:
                return await run_in_threadpool(_troubled, site, request, trouble, Form())
            return await run_in_threadpool(self._answer, site, request, form)

        return Route(self.path, endpoint, methods=[self.method], name=self.handler.__name__)

    def _let_in(self, site: Site, request: Request) -> None:
        with site.database.session(writes=False) as db:
            admit(Visit(site, request, db, Form()), self.needs)

    def _answer(self, site: Site, request: Request, form: Form) -> Response:
        try:
            self._count(Guest(site, request))
            visit, answer = anew_after_others(lambda: self._done(site, request, form))
        except Trouble as trouble:
            return _troubled(site, request, trouble, form)
        with site.database.session(writes=False) as visit.db:
            response = visit.written(answer) if isinstance(answer, View) else answer
        visit.browser.leave_cookies(response)
        return response

    def _count(self, guest: Guest) -> None:
        """An address at once. A browser is refused at once and counted when it is admitted (`_done`): whoever sends no
        cookie is another browser each time."""
        if self.limit:
            (guest.require if self.limit.of_browser else guest.count)(self.limit)

    def _done(self, site: Site, request: Request, form: Form) -> tuple[Visit, Answer]:
        """What the handler changed is committed."""
        with site.database.session(writes=self.writes) as db:
            visit = Visit(site, request, db, form)
            if self.method == "POST":
                self._require_own_form(visit)
            admit(visit, self.needs)
            if self.kind and visit.talk.kind != self.kind:
                raise not_found()
            if self.limit and self.limit.of_browser:
                visit.count(self.limit)
            answer = self.handler(visit)
            db.commit()
        return visit, answer

    def _require_own_form(self, visit: Visit) -> None:
        if not visit.browser.is_form_token(visit.form["csrf"], of_member=self.needs in OF_MEMBERS):
            raise forged()


def page(path: str, handler: Handler, needs: Access, *, writes: bool = False, limit: Limit | None = None) -> Page:
    """A page to look at."""
    return Page(path=path, handler=handler, needs=needs, writes=writes, limit=limit)


def action(path: str, handler: Handler, needs: Access, *, writes: bool = True, limit: Limit | None = None) -> Page:
    """A form to send. writes: False where the handler has much to think about first (`Visit.begin_writing`)."""
    return Page(path=path, handler=handler, needs=needs, method="POST", writes=writes, limit=limit)


def upload(path: str, handler: Handler, needs: Access, *, limit: Limit | None = None) -> Page:
    """A form with files, to think about first."""
    return Page(path=path, handler=handler, needs=needs, method="POST", limit=limit, files=True)


def of_kind(kind: Kind, *pages: Page) -> tuple[Page, ...]:
    """Pages that only conversations of this kind have."""
    return tuple(replace(one, kind=kind) for one in pages)


def routes(pages: Sequence[Page], site: Site) -> list[Route]:
    return [one.route(site) for one in pages]


def _troubled(site: Site, request: Request, trouble: Trouble, form: Form) -> Response:
    guest = Guest(site, request)
    response = guest.trouble(trouble, form)
    guest.browser.leave_cookies(response)
    return response
