"""Files as numbered rows, with every fault of a file collected before anything is reported."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from solon.errors import Fault, PromptError, Where

MAX_FAULTS = 20
"""Faults printed for one file; the rest are counted."""
SUFFIXES = (".jsonl", ".json", ".csv")


class Malformed(ValueError):
    """A row of the wrong shape: a fault of the file."""

    def __init__(self, what: str, hint: str | None = None):
        super().__init__(what)
        self.what, self.hint = what, hint


class Unusable(ValueError):
    """A well-formed row that cannot serve; it is left out and counted under `reason`."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Row:
    """One JSON object or CSV record."""

    line: int
    """Where it begins, counted from 1."""
    fields: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What is wrong with one file, in the order found."""

    path: Path
    found: list[Fault] = field(default_factory=list)

    def add(self, what: str, line: int | None = None, hint: str | None = None) -> None:
        self.found.append(Fault(what, Where(self.path, line), hint))

    def raise_any(self) -> None:
        """Raises `PromptError` with the first `MAX_FAULTS` faults and the number of the others, if there are any."""
        if not self.found:
            return
        shown = sorted(self.found, key=lambda fault: (fault.where.line if fault.where else None) or 0)[:MAX_FAULTS]
        if more := len(self.found) - len(shown):
            shown.append(Fault(f"and {more} more", Where(self.path)))
        raise PromptError(shown)


def read_rows(path: Path, faults: Faults) -> list[Row]:
    """The rows of a .jsonl, .jsonl.gz, .csv or .csv.gz file; blank lines are not rows."""
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in SUFFIXES:
        faults.add(f"cannot tell the format from the name {path.name!r}", hint="use .jsonl, .jsonl.gz or .csv")
        return []
    lines = list(_lines(_bytes(path, faults), faults))
    return list(_csv_rows(lines, faults) if suffix == ".csv" else _json_rows(lines, faults))


def _bytes(path: Path, faults: Faults) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        faults.add(f"broken gzip file: {error}", hint="download or compress it again")
    except FileNotFoundError:
        faults.add("no such file")
    except OSError as error:
        faults.add(f"cannot be read: {error.strerror or error}")
    return b""


def _lines(data: bytes, faults: Faults) -> Iterator[tuple[int, str]]:
    """Numbered lines, without their newline. Only \\n ends a line: JSON strings may hold other Unicode line ends."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        faults.add("the file is UTF-16", hint="save it as UTF-8")
        return
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            yield number, line.decode("utf-8")
        except UnicodeDecodeError as error:
            faults.add(f"not UTF-8: byte 0x{line[error.start]:02x}", number, "save the file as UTF-8")


def _json_rows(lines: list[tuple[int, str]], faults: Faults) -> Iterator[Row]:
    for number, line in lines:
        if not line.strip():
            continue
        if number == 1 and line.lstrip().startswith("["):
            faults.add("the file holds a JSON list", number, "write one JSON object per line")
            return
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            faults.add(f"broken JSON: {error}", number, "each line must be one JSON object")
            continue
        if isinstance(fields, dict):
            yield Row(line=number, fields=fields)
        else:
            faults.add(f"a line must be a JSON object, not {_shape(fields)}", number)


def _csv_rows(lines: list[tuple[int, str]], faults: Faults) -> Iterator[Row]:
    if faults.found:  # a line is missing, so quoted fields cannot be put together
        return
    reader = csv.reader(io.StringIO("\n".join(text for _, text in lines), newline=""), strict=True)
    header: list[str] | None = None
    begins = 1
    try:
        for record in reader:
            line, begins = begins, reader.line_num + 1
            if not record or record == [""]:
                continue
            if header is None:
                header = [name.strip() for name in record]
                if len(set(header)) < len(header):
                    faults.add(f"a column name appears twice: {', '.join(header)}", line)
                    return
            elif len(record) == len(header):
                yield Row(line=line, fields=dict(zip(header, record, strict=True)))
            else:
                what = f"{len(record)} fields where the header has {len(header)}"
                faults.add(what, line, 'put text that holds commas or line ends in double quotes ("...")')
    except csv.Error as error:
        faults.add(f"broken CSV: {error}", begins)


def _shape(value: object) -> str:
    names = {list: "a list", dict: "an object", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
