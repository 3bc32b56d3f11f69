"""Files that are there whole or not at all, and storage faults as errors a user can act on."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, JsonValue
from safetensors import SafetensorError

from solon.errors import RunError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def to_json(value: object) -> JsonValue:
    """Plain JSON data: models become objects in field order (by alias), tuples arrays, paths text."""
    if isinstance(value, BaseModel):
        data: JsonValue = value.model_dump(mode="json", by_alias=True)
        return data
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, os.PathLike):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"not JSON data: {type(value).__name__}")


def canonical_json(value: object, *, indent: int | None = None) -> bytes:
    """The one spelling of a value: keys in their given order, UTF-8, floats by `repr`, one final newline.

    `canonical_json({"p": 0.1, "text": "é"})` is `{"p":0.1,"text":"é"}` and a newline. Raises `ValueError` for NaN and
    infinities, which JSON cannot hold.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(to_json(value), ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)
    return text.encode("utf-8") + b"\n"


def sha256_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_atomic(path: Path, data: bytes) -> None:
    """Write under a hidden temporary name, fsync, rename: a reader, or a kill, sees all of it or nothing."""
    temporary = _temporary(path)
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        # On a full disk the half-written file is in the way of whatever is to be saved next.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        error.filename = error.filename or os.fspath(path)
        raise


@contextmanager
def folder_atomic(path: Path) -> Iterator[Path]:
    """A hidden temporary folder to fill; it takes its name, all at once, when the block ends without an error.

    Raises `FileExistsError` if `path` exists; a folder cannot replace another in one go.
    """
    if path.exists():
        raise FileExistsError(errno.EEXIST, "the folder exists", os.fspath(path))
    temporary = _temporary(path)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for file in sorted(temporary.rglob("*"), reverse=True):
            _sync(file)
        _sync(temporary)
        os.rename(temporary, path)
        _sync(path.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _temporary(path: Path) -> Path:
    """A hidden name beside it that no other process has; `sweep` knows it by its end."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _sync(path: Path) -> None:
    """Make a file's data, or a rename inside a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what a killed process left under temporary names, in `folder` and below."""
    for leftover in list(folder.rglob(".*.tmp")):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)


@contextmanager
def storage_errors(run: Path) -> Iterator[None]:
    """Full or forbidden storage inside the block becomes a `RunError` that says what is kept and how to go on.

    Errors that name a file outside the run's folder pass.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        if (number := _storage_errno(error)) is None or not _inside(run, named := getattr(error, "filename", None)):
            raise
        what = f"cannot write {named or run}: {os.strerror(number)}; all that was committed before is kept"
        remedy = "free some space" if number in FULL else "make it writable"
        raise RunError(what, hint=f"{remedy}, then `solon resume {run}`") from error


def _storage_errno(error: OSError | SafetensorError) -> int | None:
    """The errno if `error` says that storage is full or forbidden, else None. safetensors hides it in its message."""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, SafetensorError) and (found := re.search(r"os error (\d+)", str(error))):
        number = int(found[1])
    return number if number in FULL | _FORBIDDEN else None


def _inside(run: Path, named: object) -> bool:
    """Does an error that names this file, or none, concern the run's folder?"""
    return not isinstance(named, (str, os.PathLike)) or Path(named).resolve().is_relative_to(run.resolve())
