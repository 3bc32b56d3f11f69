"""Every schema there ever was, with rows in all its tables, brought to the newest: what they held is whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import MetaData, Table, create_engine, insert, select

from solon.web.db.engine import Database
from solon.web.db.migrate import migrate
from web.test_database import place, revisions

__all__ = ["place"]
ROWS = 3
CHANGED = {("decisions", "reason"): "0006"}
"""What a revision gives another value, on purpose."""


def tables_of(connection: sa.Connection) -> list[Table]:
    """Those that are there, each after what it refers to."""
    found = MetaData()
    found.reflect(connection)
    return [one for one in found.sorted_tables if one.name != "alembic_version"]


def value(column: sa.Column[Any], nth: int) -> object:
    """Another one in every row; a row of another table by its place."""
    kind = column.type
    if column.foreign_keys or (column.primary_key and isinstance(kind, sa.Integer)):
        return nth
    if isinstance(kind, sa.JSON):
        return {"nth": nth}
    if isinstance(kind, sa.Boolean):
        return nth % 2 == 0
    if isinstance(kind, sa.Integer | sa.Float):
        return nth % 3 - 1 if isinstance(kind, sa.SmallInteger) else 1000 + nth
    text = f"{column.table.name}.{column.name} {nth}"
    return text.encode() if isinstance(kind, sa.LargeBinary) else text


def filled(connection: sa.Connection) -> dict[str, list[Mapping[str, Any]]]:
    """Rows in every table, and what they hold."""
    for table in tables_of(connection):
        rows = [{one.name: value(one, nth) for one in table.columns} for nth in range(1, ROWS + 1)]
        connection.execute(insert(table), rows)
    return held(connection)


def held(connection: sa.Connection) -> dict[str, list[Mapping[str, Any]]]:
    return {
        one.name: [*connection.execute(select(one).order_by(*one.primary_key)).mappings()]
        for one in tables_of(connection)
    }


@pytest.mark.parametrize("last", revisions())
def test_what_it_held_is_whole(place: str, last: str) -> None:
    engine = create_engine(place)
    with engine.begin() as connection:
        migrate(connection, last)
        before = filled(connection)
    assert {len(rows) for rows in before.values()} == {ROWS}
    with Database(place).engine.connect() as connection:
        after = held(connection)
    kept = [name for name in before if name in after]
    assert {*before} == {*kept}
    for name in kept:
        for old, new in zip(before[name], after[name], strict=True):
            same = [one for one in old if CHANGED.get((name, one), last) <= last]
            assert {one: new[one] for one in same} == {one: old[one] for one in same}, name


def test_rows_differ_so_that_what_is_mixed_up_is_seen(place: str) -> None:
    with create_engine(place).begin() as connection:
        migrate(connection)
        rows = filled(connection)
    for name, found in rows.items():
        assert Counter(map(str, found)).most_common(1)[0][1] == 1, name
