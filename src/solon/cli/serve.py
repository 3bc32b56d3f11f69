"""`solon serve`: the web application."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from solon.errors import InputError, UserError

NEEDS = ("alembic", "babel", "sqlalchemy", "starlette", "uvicorn")


SiteFolder = Annotated[Path, Option(metavar="DIR", help="Where the site keeps its database and its secret.")]
DatabaseUrl = Annotated[str, Option(metavar="URL", help="A PostgreSQL or SQLite database instead of the folder's.")]


def serve(
    folder: SiteFolder = Path("solon-site"),
    runs: Annotated[
        Path | None,
        Option(
            metavar="DIR", help="Runs for members to look at, to compare and to talk to. Default: runs, if it is there."
        ),
    ] = None,
    database: DatabaseUrl = "",
    host: Annotated[str, Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="Port to listen on; 0: any that is free.")] = 8000,
    url: Annotated[str, Option(metavar="URL", help="Where people reach the site, if something stands before it.")] = "",
    proxies: Annotated[
        str, Option(metavar="ADDRESSES", help="With --url: the addresses of what stands before the site.")
    ] = "127.0.0.1",
    workers: Annotated[int, Option(min=1, max=64, help="Processes that answer; each counts limits for itself.")] = 1,
) -> None:
    """Serve the site: people vote and compare answers, members look at runs and talk to models.

    It starts with nothing to configure: on this machine alone, with a SQLite database in DIR. It prints where it is,
    and a link that signs you in as its owner, once. To open it to others, put a server that speaks HTTPS before it, and
    name its address with --url.

    \b
      [bold]solon serve[/bold]
      [bold]solon serve --folder /var/lib/solon --url https://voices.example.org[/bold]
      [bold]solon serve --database postgresql://solon@localhost/solon[/bold]
    """
    if url and not url.startswith(("http://", "https://")):
        raise InputError(f"--url {url} is no address", hint="such as https://voices.example.org")
    if runs and not runs.is_dir():
        raise InputError(f"--runs {runs} is no folder", hint="name the one that holds the folders of runs")
    require_site()
    from solon.web.serve import serve as run
    from solon.web.settings import Settings

    settings = Settings(
        folder=folder, database=database, host=host, port=port, url=url, proxies=proxies, workers=workers
    )
    run(settings if runs is None else settings.model_copy(update={"runs": runs}), typer.echo)


def require_site() -> None:
    """Raises `UserError` where the extra packages of the site are missing."""
    if missing := next((name for name in NEEDS if find_spec(name) is None), None):
        raise UserError(f"a site needs {missing}, which is missing", hint="pip install 'solon[web]'")
