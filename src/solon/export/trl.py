"""A folder of training sets for TRL: finetuning, preferences and prompts, and a data card that explains them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import jinja2

from solon.artifacts.atomic import canonical_json, folder_atomic
from solon.artifacts.manifest import Counts, Tally
from solon.errors import UserError, Where
from solon.export.sets import SETS, Content, ExportRow, Form, RunSets
from solon.text import printable

Format = Literal["jsonl", "parquet"]
BATCH_ROWS = 4096
"""Rows of a Parquet file that are in memory at a time."""


def export_trl(
    run: Path, out: Path, *, form: Form = "conversational", format: Format = "jsonl"
) -> Mapping[str, Counts]:
    """Write every set of a run into the new folder `out`, and return the account of each by its name.

    Raises:
        RunError: if there is no run, it has not come far enough, or its files are not what its stages made.
        UserError: if `out` exists or cannot be written, or Parquet's library is missing.
    """
    if format == "parquet" and find_spec("pyarrow") is None:
        raise UserError("Parquet needs a library that is not installed", hint="pip install 'solon[data]'")
    sets = RunSets(run, form)
    accounts: dict[str, Counts] = {}
    with _new_folder(out) as folder:
        for name, row in SETS.items():
            tally = Tally()
            _write(folder / f"{name}.{format}", getattr(sets, name)(tally), row, form)
            accounts[name] = tally.counts()
        facts = {"accounts": accounts, "fingerprints": sets.fingerprints, "form": form, "format": format}
        (folder / "README.md").write_bytes(_card().render(sets=SETS, **facts).encode("utf-8"))
    return accounts


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """`folder_atomic`, with a `UserError` if the place cannot be used."""
    elsewhere = "name another place with -o"
    if out.exists():
        raise UserError("exists already, and nothing is overwritten", where=Where(out), hint=elsewhere)
    try:
        with folder_atomic(out) as folder:
            yield folder
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", where=Where(out), hint=elsewhere) from error


def _write(path: Path, rows: Iterator[ExportRow], row: type[ExportRow], form: Form) -> None:
    """Equal rows, all of the type `row`, are equal bytes."""
    if path.suffix == ".parquet":
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


def _card() -> jinja2.Template:
    """The data card as Markdown; its head tells `datasets` which file is which set."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("solon.export", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown
    )
    environment.filters["cell"] = _cell
    return environment.get_template("card.md.j2")


def _cell(text: str) -> str:
    """Text of unknown origin in one cell of a table, without effect on anything around it."""
    plain = printable(" ".join(text.split()))
    return "".join(f"\\{char}" if char in "\\`*_[]<>|" else char for char in plain)
