"""Uploaded files as the folder of an export. Nothing in them is believed: neither names nor sizes."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from solon.collective.reading.files import EXPORT_MARK, plain_name
from solon.collective.reading.findings import Import
from solon.collective.reading.folder import open_conversation
from solon.errors import Fault, InputError, Where
from solon.web.faults import shortened
from solon.web.forms import Upload

MOST_UNPACKED = 256 * 2**20
"""Bytes of what is read: 10,000 people on 2,000 statements are 100 MB of CSV."""
MOST_MEMBERS = 200
"""Files in an archive, whether they are read or not."""
MOST_CELLS = 50_000_000
"""People times statements: two arrays of one byte each."""
ENTRY = b"PK\x01\x02"
"""What each entry of an archive's directory begins with. A directory of a million takes a minute to read, so they are
counted first, with room for folders and for what only looks like one."""
CHUNK = 2**20
_ODD = re.compile(r"[^A-Za-z0-9._ -]")
_BROKEN = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError)
"""What the archive module raises for archives that are damaged, encrypted or packed in a way that it does not know."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """An export that was read."""

    imported: Import
    not_read: tuple[str, ...]
    """Names of files that are no part of an export."""


def archive_of(uploads: Sequence[Upload]) -> Upload:
    """What was uploaded, as one archive. Raises InputError where there is nothing."""
    if not uploads:
        raise InputError("no file was chosen", hint="choose the archive of an export, or its CSV files")
    if len(uploads) == 1 and _is_archive(uploads[0].data):
        return uploads[0]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in _files(uploads):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return Upload("the files", packed.getvalue())


def hash_of(archive: bytes, sign: int | None) -> str:
    return hashlib.sha256(archive + repr(sign).encode()).hexdigest()


def read_archive(archive: Upload, sign: int | None) -> Read:
    """By the functions of `solon collect import`. Raises InputError for what they refuse, and for hostile archives.

    sign: the number that means agree; None: found from the export's own evidence.
    """
    with TemporaryDirectory() as place:
        folder = Path(place, "export")
        folder.mkdir()
        not_read = []
        for name, data in _files([archive]):
            if _is_wanted(name):
                (folder / name).write_bytes(data)
            else:
                not_read.append(name)
        try:
            found = open_conversation(folder, vote_sign=sign, most_cells=MOST_CELLS)
        except InputError as error:
            raise InputError([_named(fault, folder) for fault in error.faults]) from None
    return Read(imported=found, not_read=tuple(not_read))


def _files(uploads: Sequence[Upload]) -> Iterator[tuple[str, bytes]]:
    """Every file, those in archives too, by a name without a path. Raises InputError for one that comes twice."""
    there: set[str] = set()
    left = MOST_UNPACKED
    for upload in uploads:
        for name, data in _members(upload, left):
            left -= len(data)
            if name in there and _is_wanted(name):
                raise InputError(f"two files are called {name}", hint="upload one export at a time")
            there.add(name)
            yield name, data


def _members(upload: Upload, most: int) -> Iterator[tuple[str, bytes]]:
    where = Where(_plain(upload.name))
    if not _is_archive(upload.data):
        if len(upload.data) > most:
            raise _too_large(where)
        yield _plain(upload.name), upload.data
        return
    _require_few(upload.data.count(ENTRY), where, room=10)
    try:
        with zipfile.ZipFile(io.BytesIO(upload.data)) as archive:
            inside = [one for one in archive.infolist() if not one.is_dir()]
            _require_few(len(inside), where)
            for one in inside:
                name = _plain(one.filename)
                data = _unpacked(archive, one, most, where) if _is_wanted(name) else b""
                most -= len(data)
                yield name, data
    except InputError:
        raise
    except _BROKEN as error:
        what = f"the archive cannot be unpacked: {error}"
        raise InputError(what, where=where, hint="pack it again, as a zip without a password") from None


def _require_few(count: int, where: Where, *, room: int = 1) -> None:
    if count > MOST_MEMBERS * room:
        what = f"the archive holds {count:,} files; at most {MOST_MEMBERS} can be looked at"
        raise InputError(what, where=where, hint="pack the files of the export alone")


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int, where: Where) -> bytes:
    """Whatever size it says that it has: no more than `most` bytes are ever unpacked."""
    data = bytearray()
    with archive.open(member) as file:
        while chunk := file.read(CHUNK):
            data += chunk
            if len(data) > most:
                raise _too_large(where)
    return bytes(data)


def _too_large(where: Where) -> InputError:
    what = f"unpacked, the files have more than {MOST_UNPACKED // 2**20} MB"
    return InputError(what, where=where, hint="use `solon collect import` for a conversation of this size")


def _is_archive(data: bytes) -> bool:
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def _is_wanted(name: str) -> bool:
    return name == EXPORT_MARK or bool(plain_name(name))


def _plain(name: str) -> str:
    """A name without its path, of characters that mean nothing to any system.

    >>> _plain("../../etc/4x-votes.csv"), _plain(chr(92).join(["C:", "a b", "comments.csv"]))
    ('4x-votes.csv', 'comments.csv')
    """
    last = re.split(r"[/\\]", name)[-1]
    return _ODD.sub("_", last)[-100:] or "_"


def _named(fault: Fault, folder: Path) -> Fault:
    """With the name of the file instead of the place where it was unpacked."""
    fault = replace(fault, what=shortened(fault.what, folder), hint=fault.hint and shortened(fault.hint, folder))
    if fault.where is None:
        return fault
    at = Path(fault.where.path)
    where = Where("the export" if at == folder else at.name, fault.where.line, fault.where.item)
    return replace(fault, where=where)
