"""Rows as files: JSONL, or Parquet where its library is installed. Equal rows are equal bytes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from solon.artifacts.atomic import canonical_json
from solon.errors import UserError
from solon.export.forms import Content, Form
from solon.export.sets import ExportRow

Format = Literal["jsonl", "parquet"]
BATCH_ROWS = 4096
"""Rows of a Parquet file that are in memory at a time."""


def check_format(format: Format) -> None:
    """Raises `UserError` if this format needs a library that is not installed."""
    if format == "parquet" and find_spec("pyarrow") is None:
        raise UserError("Parquet needs a library that is not installed", hint="pip install 'solon[data]'")


def write_rows(path: Path, rows: Iterator[ExportRow], row: type[ExportRow], form: Form, format: Format) -> None:
    """Write `rows`, all of the type `row`, to a new file."""
    if format == "parquet":
        _write_parquet(path, rows, row, form)
    else:
        with open(path, "wb") as file:
            file.writelines(canonical_json(one) for one in rows)


def _write_parquet(path: Path, rows: Iterator[ExportRow], row: type[ExportRow], form: Form) -> None:
    import pyarrow
    from pyarrow import parquet

    schema = _schema(row, form)
    with parquet.ParquetWriter(path, schema) as writer:
        while part := [one.model_dump(mode="json") for one in islice(rows, BATCH_ROWS)]:
            writer.write_table(pyarrow.Table.from_pylist(part, schema=schema))


def _schema(row: type[ExportRow], form: Form) -> Any:
    """The types of the columns; left to the rows, those of an empty file or column would be unknown."""
    import pyarrow

    message = pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string())])
    content = pyarrow.string() if form == "standard" else pyarrow.list_(message)
    types = {Content: content, float: pyarrow.float64(), bool: pyarrow.bool_()}
    columns = row.model_fields.items()
    return pyarrow.schema([(name, types.get(field.annotation, pyarrow.string())) for name, field in columns])
