"""Rows that are there once, however many requests bring them at the same time. Said alike by SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from solon.web.db.tables import Base


def insert_once(db: Session, table: type[Base], **values: Any) -> int | None:
    """The id of the new row; None where a row with one of its unique keys was there before."""
    statement = _insert(db, table).values(**values).on_conflict_do_nothing().returning(table.id)  # type: ignore[attr-defined]
    found: int | None = db.execute(statement).scalar()
    return found


def put(db: Session, table: type[Base], key: dict[str, Any], **values: Any) -> None:
    """The row with this key has these values from now on."""
    statement = _insert(db, table).values(**key, **values)
    db.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def _insert(db: Session, table: type[Base]) -> Any:
    dialect = sqlite if db.get_bind().dialect.name == "sqlite" else postgresql
    return dialect.insert(table)
