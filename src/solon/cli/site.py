"""`solon site`: what an operator does to a site beside serving it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from solon.cli.serve import DatabaseUrl, SiteFolder, require_site

if TYPE_CHECKING:
    from solon.web.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Back up, restore and tidy the site of `solon serve`.")
File = Annotated[Path, Argument(metavar="FILE", help="The copy; its secret is FILE.secret.")]


@app.command()
def backup(to: File, folder: SiteFolder = Path("solon-site"), database: DatabaseUrl = "") -> None:
    """Copy a site, while it runs, into one file, and its secret beside it.

    The copy is of one moment, and holds all that was acknowledged before. Of a PostgreSQL database `pg_dump` makes one.

    \b
      [bold]solon site backup site-monday.sqlite --folder /var/lib/solon[/bold]
    """
    from solon.web.db.backup import back_up

    for path in back_up(_settings(folder, database), to):
        typer.echo(f"written: {path}")


@app.command()
def restore(of: File, folder: SiteFolder = Path("solon-site"), database: DatabaseUrl = "") -> None:
    """Make a site of a copy, where there is none yet.

    The copy is checked first, and nothing is overwritten. The next `solon serve` brings it up to date.

    \b
      [bold]solon site restore site-monday.sqlite --folder /var/lib/solon-new[/bold]
    """
    from solon.web.db.backup import restore as restored

    for path in restored(_settings(folder, database), of):
        typer.echo(f"written: {path}")


@app.command()
def tidy(
    days: Annotated[int, Option(min=0, help="Of conversations in which nobody has voted for so many days.")] = 30,
    answers: Annotated[bool, Option("--answers", help="What people said of themselves goes, too.")] = False,
    folder: SiteFolder = Path("solon-site"),
    database: DatabaseUrl = "",
) -> None:
    """Delete what a site need not keep: nothing does so by itself.

    Sign-ins and links that are over go at once. Of conversations that were closed, unused invitations go, and what
    leads from participants to their browsers: from then on nobody can look at their votes or have them deleted. An
    export that waits to be taken over goes after as many days. With --answers, reports are no longer weighted.

    \b
      [bold]solon site tidy --days 90 --folder /var/lib/solon[/bold]
    """
    settings = _settings(folder, database)
    from solon.web.db.backup import require_site
    from solon.web.db.engine import Database
    from solon.web.db.retention import tidy as tidied

    require_site(settings)
    site = Database(settings.database_url)
    with site.session(writes=True) as db:
        gone = tidied(db, days, answers=answers)
        db.commit()
    site.overwrite_deleted()
    for name, count in gone.items():
        typer.echo(f"{name}: {count}")


def _settings(folder: Path, database: str) -> Settings:
    require_site()
    from solon.web.settings import Settings

    return Settings(folder=folder, database=database)
