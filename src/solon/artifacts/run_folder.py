"""A run's folder: one run, one process at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Literal, Self

from pydantic import BaseModel, ValidationError

from solon.artifacts.atomic import canonical_json, storage_errno, storage_fault, to_json, write_atomic
from solon.artifacts.lock import LOCK_NAME, FolderLock
from solon.artifacts.manifest import FORMAT, Header, differences
from solon.artifacts.stage import StageFolder
from solon.config import RunConfig
from solon.config_load import dump_toml
from solon.errors import RunError, Where
from solon.records import Record

RUN = "run.json"

Settings = BaseModel | Mapping[str, object]
Inputs = Mapping[str, StageFolder | str]


class RunRecord(Record):
    """`run.json`: marks a folder as a run, and says which."""

    format: Literal[3] = FORMAT
    config: RunConfig
    """The resolved run file: every key, defaults included."""


class RunFolder:
    """A locked run folder. Use it in a `with`: leaving the block gives the lock back."""

    def __init__(self, path: Path, config: RunConfig, lock: FolderLock):
        self.path, self.config, self._lock = path, config, lock

    @classmethod
    def create(cls, path: str | Path, config: RunConfig, *, original: str | None = None) -> Self:
        """Begin a run in a new or empty folder, or go on with the same run.

        Args:
            path: the folder; parents are made too.
            config: the resolved run file.
            original: text of the user's run file, kept as `original.toml`.

        Raises:
            RunError: if the folder is in use, holds another run or something else, or cannot be written.
        """
        folder = Path(path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _refuse_foreign(folder)
            lock = FolderLock(folder)
        except OSError as error:
            raise _unusable(folder, error) from error
        try:
            _refuse_foreign(folder)
            if (folder / RUN).exists():
                _must_be(folder, config)
            for half in folder.glob(".*.tmp"):  # of a killed process: the lock is ours
                half.unlink()
            # run.json goes first: from then on the folder is known as this run, whatever a kill leaves out.
            files = {RUN: canonical_json(RunRecord(config=config), indent=2), "run.toml": dump_toml(config).encode()}
            if original is not None:
                files["original.toml"] = original.encode()
            for name, data in files.items():
                if not (folder / name).exists():
                    write_atomic(folder / name, data)
        except OSError as error:
            lock.release()
            raise _unusable(folder, error) from error
        except BaseException:
            lock.release()
            raise
        return cls(folder, config, lock)

    @classmethod
    def resume(cls, path: str | Path) -> Self:
        """Go on with the run that the folder holds.

        Raises:
            RunError: if it holds none, or is in use.
        """
        folder = Path(path)
        if not (folder / RUN).is_file():
            raise RunError(f"{folder} holds no run", hint=f"begin one with `solon run -o {folder}`")
        config = _read_run(folder).config
        try:
            lock = FolderLock(folder)
        except OSError as error:
            raise _unusable(folder, error) from error
        return cls(folder, config, lock)

    def header(self, name: str, *, config: Settings, inputs: Inputs = MappingProxyType({})) -> Header:
        """What a stage is a function of.

        Args:
            name: its folder below the run's, e.g. `models/sl`.
            config: the part of the run file it depends on; a mapping may hold several sections.
            inputs: what it is made from: finished stages, or sha256 of files.
        """
        hashes = {key: item if isinstance(item, str) else item.fingerprint for key, item in inputs.items()}
        return Header(stage=name, seed=self.config.seed, config=to_json(config), inputs=hashes)

    def stage(self, name: str, *, config: Settings, inputs: Inputs = MappingProxyType({})) -> StageFolder:
        """Open or begin a stage; arguments as those of `header`.

        Raises:
            RunError: if the stage on disk was made from another config or other inputs, or was damaged.
        """
        return StageFolder(self.path, self.header(name, config=config, inputs=inputs))

    def close(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back. Full storage met by code that knows nothing of runs becomes a `RunError` here."""
        self.close()
        fault = None if error is None or not self._is_ours(error) else storage_fault(error, self.path)
        if fault is not None:
            raise fault from error

    def _is_ours(self, error: BaseException) -> bool:
        """A storage error inside this folder, or one that names no file."""
        named = getattr(error, "filename", None)
        if not isinstance(named, (str, os.PathLike)):
            return storage_errno(error) is not None
        return Path(named).resolve().is_relative_to(self.path.resolve())


def _refuse_foreign(folder: Path) -> None:
    """Raise if the folder holds files but no run."""
    if (folder / RUN).exists():
        return
    half = set(folder.glob(f".{RUN}.*"))
    foreign = sorted(path.name for path in folder.iterdir() if path.name != LOCK_NAME and path not in half)
    if foreign:
        listed = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise RunError(f"{folder} is not empty and holds no run ({listed})", hint="choose a new folder with -o")


def _read_run(folder: Path) -> RunRecord:
    path = folder / RUN
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RunError(
            f"not a run that this version of Solon can read: {f'{key}: ' if key else ''}{first['msg']}",
            where=Where(path),
            hint="use the version it was begun with, or begin a new run in another folder",
        ) from error


def _must_be(folder: Path, config: RunConfig) -> None:
    """Raise unless the folder's run is the one of `config`."""
    there = _read_run(folder).config
    if there != config:
        raise RunError(
            f"{folder} holds another run: {differences(there.model_dump(mode='json'), config.model_dump(mode='json'))}",
            hint=f"choose another folder with -o, or go on with that run: `solon resume {folder}`",
        )


def _unusable(folder: Path, error: OSError) -> RunError:
    place = error.filename or folder
    return RunError(
        f"cannot use {folder} as a run folder: {place}: {error.strerror}", hint="choose another folder with -o"
    )
