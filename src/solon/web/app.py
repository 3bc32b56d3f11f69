"""The application: its routes, what stands around them, and what is said when something fails."""

from __future__ import annotations

import logging

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from solon.report.public.language import mark
from solon.web import arena, chat, collect, lab, members, principles, studio
from solon.web.forms import Form
from solon.web.headers import SecurityHeaders
from solon.web.pages import assets
from solon.web.routing import routes
from solon.web.settings import Settings
from solon.web.site import Site
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Guest

KEPT = "public, max-age=31536000, immutable"
PAGES = (*members.PAGES, *collect.PAGES, *principles.PAGES, *arena.PAGES, *studio.PAGES, *chat.PAGES, *lab.PAGES)
"""Every page of the site."""
log = logging.getLogger("solon.web")


def create_app(settings: Settings) -> Starlette:
    """The site, its database opened and migrated. Raises InputError for settings that cannot be used."""
    site = Site(settings)
    _ = site.signer, site.database
    app = Starlette(
        routes=[Route("/assets/{file}", asset, name="asset"), Route("/health", health), *routes(PAGES, site)],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=settings.hosts, www_redirect=False),
        ],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    app.state.site, app.state.named = site, {one.name: one for one in app.routes if isinstance(one, Route)}
    return app


async def asset(request: Request) -> Response:
    """A file that every page shares."""
    found = {one.name: one for one in assets().values()}.get(request.path_params["file"])
    if found is None:
        raise HTTPException(404)
    return Response(found.data, media_type=found.kind, headers={"Cache-Control": KEPT})


async def health(request: Request) -> Response:
    """For what watches the site: does it live, and its database? Says nothing else."""
    site: Site = request.app.state.site
    lives = await run_in_threadpool(site.database.answers)
    return PlainTextResponse("ok\n" if lives else "no database\n", status_code=200 if lives else 503)


async def _refused(request: Request, error: Exception) -> Response:
    """No such page, or not for this method."""
    assert isinstance(error, HTTPException)
    other = Trouble(error.status_code, mark("This cannot be asked of this page"))
    return await _page(request, not_found() if error.status_code == 404 else other)


async def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours. The log has the traceback, the visitor a page; the server raises it again for the log."""
    trouble = Trouble(500, mark("Something went wrong here"), mark("It is not your fault. Try again."))
    return await _page(request, trouble)


async def _page(request: Request, trouble: Trouble) -> Response:
    return await run_in_threadpool(lambda: Guest(request.app.state.site, request).trouble(trouble, Form()))
