"""Files and data sets as numbered rows, one at a time."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from solon.artifacts.atomic import sha256_bytes
from solon.artifacts.hashes import sha256_file
from solon.config.paths import HUB
from solon.data import text_files
from solon.data.faults import Row, Unreadable, first_line
from solon.errors import PromptError, Where

FORMATS = ".jsonl, .json, .csv (also with .gz, .xz or .zst), .parquet or .arrow"
_TABLES, _TEXTS = (".parquet", ".arrow", ".feather"), (".jsonl", ".ndjson", ".json", ".csv")


def read_rows(source: str | Path, columns: Collection[str]) -> Iterator[Row]:
    """The rows of a file, of a folder that `datasets` saved, or of a data set on the Hub; blank lines are not rows.

    `source`: a path, or `hf:OWNER/NAME[/FOLDER][:CONFIG][@REVISION][#SPLIT]`. Of tables, no other `columns` are read.
    Raises `Unreadable` at the place where it cannot be read.
    """
    try:
        yield from _rows(source, columns)
    except FileNotFoundError as error:
        raise Unreadable("no such file") from error
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or first_line(error)}") from error


def fingerprints(source: str | Path) -> dict[str, str]:
    """What the data is, by hash: of the content under "", of its `name`, of a data set on the Hub also its `revision`.

    Raises `PromptError` if the data cannot be reached any more.
    """
    name = {"name": sha256_bytes(name_of(source).encode())}
    if not is_hub(source) and not Path(source).is_dir():
        return {"": sha256_file(source)} | name
    try:
        from solon.data import datasets_library

        return datasets_library.fingerprints(source) | name
    except Unreadable as error:
        raise PromptError(error.what, where=Where(source), hint=error.hint) from error


def name_of(source: str | Path) -> str:
    """As rows note it: a file's name without its folder."""
    return str(source) if is_hub(source) else Path(source).name


def is_hub(source: str | Path) -> bool:
    """Is this a data set on the Hub and not a file?"""
    return str(source).startswith(HUB)


def has_known_ending(path: Path) -> bool:
    """Whether the name of a file says how `read_rows` is to read it."""
    return _ending(path) in (*_TABLES, *_TEXTS)


def _ending(path: Path) -> str:
    """Without that of a compression."""
    return Path(re.sub(r"\.(gz|xz|zst)$", "", path.name, flags=re.IGNORECASE)).suffix.lower()


def _rows(source: str | Path, columns: Collection[str]) -> Iterator[Row]:
    path = Path(source)
    if is_hub(source) or path.is_dir():
        from solon.data import datasets_library

        return datasets_library.rows(source, columns)
    ending = _ending(path)
    if ending in _TABLES:
        if path.suffix.lower() != ending:
            raise Unreadable(f"a table compressed as a whole ({path.suffix})", hint="decompress it")
        from solon.data import tables

        return tables.rows(path, columns)
    if ending in _TEXTS:
        return text_files.rows(path, csv=ending == ".csv")
    if not path.exists():
        on_hub = re.fullmatch(r"[\w.-]+/[\w.-]+", str(source))
        hint = f"to read a data set of the Hugging Face Hub, write {HUB}{source}" if on_hub else None
        raise Unreadable("no such file", hint=hint)
    raise Unreadable(f"cannot tell the format from the name {path.name!r}", hint=f"use {FORMATS}")
