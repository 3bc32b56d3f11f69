"""A database brought from whatever version it has to the newest, by the revisions that ship in `migrations`.

A revision is a file of some thirty lines: `revision`, `down_revision`, `upgrade()`. It is never changed once released.
"""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from sqlalchemy import Connection

from solon.errors import InputError

REVISIONS = Path(__file__).parent / "migrations"
NEWEST = "head"


def migrate(connection: Connection, to: str = NEWEST) -> list[str]:
    """The revisions that were applied, oldest first; all of them in the connection's transaction.

    Raises InputError for a database that a newer Solon made.
    """
    context, revisions = MigrationContext.configure(connection), ScriptDirectory(REVISIONS)
    current = context.get_current_revision()
    try:
        missing = reversed([*revisions.iterate_revisions(to, current or "base")])
    except ResolutionError:
        hint = "install the newest Solon, or name another database"
        raise InputError(f"the database is of a newer Solon (revision {current})", hint=hint) from None
    applied = []
    with Operations.context(context):
        for one in missing:
            one.module.upgrade()
            context.stamp(revisions, one.revision)
            applied.append(one.revision)
    return applied
