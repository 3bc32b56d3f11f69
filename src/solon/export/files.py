"""Files of rows: JSONL, or Parquet with the types that the rows have."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from solon.artifacts.atomic import canonical_json
from solon.errors import UserError
from solon.export.sets import Content, ExportRow, Form
from solon.records import Record

Format = Literal["jsonl", "parquet"]
BATCH_ROWS = 4096
"""Rows of a Parquet file that are in memory at a time."""


def require_format(format: Format) -> None:
    """Raises `UserError` if its library is missing."""
    if format == "parquet" and find_spec("pyarrow") is None:
        raise UserError("Parquet needs a library that is not installed", hint="pip install 'solon[data]'")


def write_rows(path: Path, rows: Iterator[ExportRow], row: type[ExportRow], form: Form) -> None:
    """Equal rows, all of the type `row`, are equal bytes."""
    if path.suffix == ".parquet":
        _write_parquet(path, rows, row, form)
    else:
        with open(path, "wb") as file:
            file.writelines(canonical_json(one) for one in rows)


def _write_parquet(path: Path, rows: Iterator[ExportRow], row: type[ExportRow], form: Form) -> None:
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema(_columns(row, form))
    with parquet.ParquetWriter(path, schema) as writer:
        while part := [one.model_dump(mode="json") for one in islice(rows, BATCH_ROWS)]:
            writer.write_table(pyarrow.Table.from_pylist(part, schema=schema))


def _columns(row: type[Record], form: Form) -> list[tuple[str, Any]]:
    """The types of the columns; left to the rows, those of an empty file or column would be unknown."""
    return [(name, _type(field.annotation, form)) for name, field in row.model_fields.items()]


def _type(kind: Any, form: Form) -> Any:
    import pyarrow

    if kind == Content:
        kind = str if form == "standard" else get_args(Content)[0]
    if get_origin(kind) is tuple:
        return pyarrow.list_(_type(get_args(kind)[0], form))
    if isinstance(kind, type) and issubclass(kind, Record):
        return pyarrow.struct(_columns(kind, form))
    types = {float: pyarrow.float64(), bool: pyarrow.bool_(), int: pyarrow.int64()}
    return types.get(kind, pyarrow.string())
