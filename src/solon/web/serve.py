"""The site on its port."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from solon.errors import InputError
from solon.web.app import create_app
from solon.web.db.audit import record
from solon.web.db.members import HOUR, add_link, first_owner
from solon.web.settings import Settings
from solon.web.signing import new_token
from solon.web.site import Site

WORKER_SECONDS = 60
"""Until a worker that says nothing is ended and another one started. A new one says nothing while it is imported: with
uvicorn's 5 s a machine with much else to do ends every one before it has begun."""


def serve(settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until the process is ended. `tell` is given where the site is, and a link that signs its owner in once.

    Raises InputError where the site cannot be opened or its port is taken.
    """
    with closing(listening_socket(settings)) as listening:
        settings = settings.model_copy(update={"port": listening.getsockname()[1]})
        app = create_app(settings)
        tell(f"Solon is at {settings.base}")
        if settings.warning:
            tell(settings.warning)
        tell(f"To run it, open this link within an hour; it works once: {owner_link(app.state.site)}")
        several = settings.workers > 1
        if several:
            app.state.site.database.close()
        config = configured(settings, partial(create_app, settings) if several else app)
        if several:
            Multiprocess(config, [listening]).run()
        else:
            uvicorn.Server(config).run([listening])


def configured(settings: Settings, app: Starlette | Callable[[], Starlette]) -> uvicorn.Config:
    """How the application is served. app: itself, or what makes it in each worker."""
    return uvicorn.Config(
        app,
        factory=settings.workers > 1,
        workers=settings.workers,
        log_level="warning",
        proxy_headers=bool(settings.url),
        forwarded_allow_ips=settings.proxies,
        server_header=False,
        date_header=True,
        h11_max_incomplete_event_size=32 * 1024,
        timeout_graceful_shutdown=10,
        timeout_worker_healthcheck=WORKER_SECONDS,
    )


def owner_link(site: Site) -> str:
    """A new link for the first owner."""
    token = new_token()
    with site.database.session(writes=True) as db:
        owner = first_owner(db)
        add_link(db, owner, site.signer.hashed(token), lives=HOUR)
        record(db, None, "owner link made", member=owner.id)
        db.commit()
    return f"{site.settings.base}/enter/{token}"


def listening_socket(settings: Settings) -> socket:
    listening = socket(AF_INET6 if ":" in settings.host else AF_INET, SOCK_STREAM)
    listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        what = f"cannot listen on {settings.host}, port {settings.port}: {error.strerror or error}"
        raise InputError(what, hint="name another with --host or --port") from error
    return listening
