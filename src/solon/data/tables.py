"""Parquet and Arrow files, a batch of rows at a time. Imports pyarrow, which the core does without.

The `datasets` library notes of columns what Arrow does not know: class names, and JSON held as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from solon.data.faults import Malformed, Row, Unreadable, first_line, listed, optional_library

try:
    import pyarrow
    import pyarrow.ipc
    import pyarrow.parquet
except ImportError as error:
    raise optional_library("pyarrow") from error

_BATCH = 512
"""Rows turned into Python objects at once."""
_BUFFER = 2**20
"""Bytes read ahead of each column."""
_Table = tuple[list[str], Iterator[Any]]
"""The names of all columns, and batches of those that are wanted."""
_Values = tuple[dict[str, object], list[dict[str, object]]]
"""The features of columns, and rows."""
_DAMAGED = (pyarrow.ArrowException, OSError, ValueError, LookupError, OverflowError, MemoryError)
"""What the library raises on a damaged file."""


def rows(path: Path, columns: Collection[str]) -> Iterator[Row]:
    """Every row of a Parquet file, an Arrow (Feather) file or an Arrow stream; the first bytes tell which it is."""
    try:
        with open(path, "rb") as plain:
            start = plain.read(6)
        if not start:
            return
        parquet = start.startswith(b"PAR1")
        with pyarrow.OSFile(str(path)) if parquet else pyarrow.memory_map(str(path)) as file:
            names, batches = _parquet(file, columns) if parquet else _arrow(file, columns, stream=start != b"ARROW1")
            yield from batch_rows(batches, names)
    except Unreadable:
        raise
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno:
            raise
        kind = "Parquet" if path.suffix.lower() == ".parquet" else "Arrow"
        raise Unreadable(f"broken {kind} file: {first_line(error)}", hint="download or write it again") from error


def _parquet(file: Any, columns: Collection[str]) -> _Table:
    table = pyarrow.parquet.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False)
    every = table.schema_arrow.names
    return every, table.iter_batches(batch_size=_BATCH, columns=known_columns(every, columns), use_threads=False)


def _arrow(file: Any, columns: Collection[str], *, stream: bool) -> _Table:
    open_ = pyarrow.ipc.open_stream if stream else pyarrow.ipc.open_file
    names = open_(file).schema.names
    file.seek(0)
    # Other columns are not read: the whole of a large file may be one batch.
    fields = [names.index(name) for name in known_columns(names, columns)]
    table = open_(file, options=pyarrow.ipc.IpcReadOptions(included_fields=fields))
    return names, iter(table) if stream else map(table.get_batch, range(table.num_record_batches))


def known_columns(names: Iterable[str], columns: Collection[str]) -> list[str]:
    """Those of a table's columns that the caller wants. Raises `Unreadable` if there are none."""
    names = list(names)
    if len(set(names)) < len(names):
        raise Unreadable(f"a column name appears twice: {listed(names)}")
    if found := [name for name in names if name in columns]:
        return found
    raise Unreadable(f"no column is known here: {listed(names)}", hint="say what is what, e.g. --column prompt=NAME")


def batch_rows(batches: Iterable[Any], columns: Iterable[str]) -> Iterator[Row]:
    """The rows of record batches or tables, numbered from 1. `columns`: all that there are."""
    number, columns = 0, tuple(columns)
    for batch in batches:
        for start in range(0, batch.num_rows, _BATCH):
            piece = batch.slice(start, _BATCH)
            held = cache(partial(_values, piece, number + 1))
            for place in range(piece.num_rows):
                number += 1
                yield Row(line=number, columns=columns, read=partial(_row, held, place))


def _row(held: Callable[[], _Values], place: int) -> dict[str, object]:
    features, rows = held()
    return {name: decode(value, features.get(name), name) for name, value in rows[place].items()}


def _values(batch: Any, begins: int) -> _Values:
    """What a batch holds, as Python objects, when the first of its rows is asked for. `begins`: that row's number."""
    try:
        # Without it a damaged file reads memory that is not its own.
        batch.validate(full=True)
        return features_of(batch.schema.metadata), batch.to_pylist()
    except _DAMAGED as error:
        what = f"damaged from this row on: {first_line(error)}"
        raise Unreadable(what, begins, "download or write it again") from error


def features_of(metadata: Mapping[bytes, bytes] | None) -> dict[str, object]:
    """The features of columns by name, as the library writes them; none if there is no such note."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def decode(value: object, feature: object, name: str) -> object:
    """A value with names for class numbers, and with what its JSON texts hold. Raises `Malformed`."""
    if isinstance(feature, list):
        feature = {"_type": "List", "feature": feature[0]} if feature else None
    if value is None or not isinstance(feature, dict):
        return value
    kind = feature.get("_type")
    if kind == "Json" and isinstance(value, str):
        return _loaded(value, name)
    if kind == "ClassLabel" and isinstance(value, int):
        return _class_name(value, feature.get("names"), name)
    inner = feature.get("feature") if isinstance(kind, str) else feature
    if isinstance(value, list):
        return [decode(item, inner, name) for item in value]
    if isinstance(value, dict) and isinstance(inner, dict):
        return {key: decode(item, inner.get(key), name) for key, item in value.items()}
    return value


def _loaded(text: str, name: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f'"{name}": broken JSON: {error}', reason="broken JSON") from error


def _class_name(number: int, names: object, name: str) -> object:
    """The library writes -1 where a class is not known."""
    if number == -1 or not isinstance(names, list):
        return None if number == -1 else number
    if not 0 <= number < len(names):
        raise Malformed(f'"{name}" is class {number} of {len(names)}', reason="unknown class")
    return names[number]
