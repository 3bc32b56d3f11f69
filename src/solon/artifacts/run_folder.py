"""A run's folder: one run, one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import JsonValue, ValidationError, field_serializer

from solon.artifacts.atomic import canonical_json, storage_errors, sweep, write_atomic
from solon.artifacts.finished import RUN, require_run
from solon.artifacts.lock import LOCK_NAME, FolderLock
from solon.artifacts.manifest import FORMAT, differences
from solon.config.files import dump_toml
from solon.config.run import RunConfig
from solon.config.section import Section
from solon.errors import OTHER_VERSION, RunError, Where
from solon.records import Record, first_error

SPENT = "spent-{role}.json"
"""What the server of a role has cost. The check before a run may be the first to write it."""


class RunRecord(Record):
    """`run.json`: marks a folder as a run, and says which."""

    format: Literal[4] = FORMAT
    config: RunConfig
    """The resolved run file: every key, defaults included."""

    @field_serializer("config")
    def _every_key(self, config: RunConfig) -> dict[str, JsonValue]:
        """Also those that no stage depends on at their default: under another default this would be another run."""
        return config.every_key()


class RunFolder(ExitStack):
    """A locked run folder. Use it in a `with`: leaving the block gives the lock back, and full or forbidden storage met
    in the block becomes a `RunError`. `close` gives the lock back too."""

    def __init__(self, path: Path, config: RunConfig, original: str | None = None):
        super().__init__()
        self.path, self.config, self.original, self.lock = path, config, original, FolderLock(path)
        self.callback(self.lock.release)
        self.enter_context(storage_errors(path))
        self._unsaid = self._made = False
        """Whether the folder may be told which run it holds, and whether `claim` made it."""

    @classmethod
    def create(cls, path: str | Path, config: RunConfig, *, original: str | None = None) -> Self:
        """Begin a run in a new or empty folder, or go on with the same run, whose mechanical keys may have changed.

        Mechanical keys that changed are kept in the folder by `keep`: a path may lead to other inputs, and a stage that
        was made from those before may still refuse them. Parents of the folder are made too. `original`: text of the
        user's run file, kept as `original.toml`. Raises `RunError` if the folder is in use, holds another run or
        something else, or cannot be written.
        """
        run = cls.claim(path, config, original=original)
        run.begin()
        return run

    @classmethod
    def claim(cls, path: str | Path, config: RunConfig, *, original: str | None = None) -> Self:
        """The first half of `create`: the folder is locked and is found fit, and no run has begun in it. What follows
        is `begin` or `abandon`."""
        folder = Path(path)
        with _usable(folder):
            new = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            _refuse_foreign(folder)
            run = cls(folder, config, original)
            run._made = new
            try:
                _refuse_foreign(folder)
                sweep(folder)
                run._unsaid = _is_new_or_same(folder, config)
            except BaseException:
                run.close()
                raise
        return run

    def begin(self) -> None:
        """The second half of `create`. Raises as it does, and has then given the lock back."""
        try:
            with _usable(self.path):
                if self._unsaid:
                    self.keep()
        except BaseException:
            self.close()
            raise

    def abandon(self) -> None:
        """Gives the lock back. A folder that `claim` made goes, unless something was written into it since."""
        if self._made and [path.name for path in self.path.iterdir()] == [LOCK_NAME]:
            (self.path / LOCK_NAME).unlink()
            self.path.rmdir()
        self.close()

    @classmethod
    def resume(cls, path: str | Path) -> Self:
        """Go on with the run that the folder holds. Raises `RunError` if it holds none, or is in use."""
        folder = Path(path)
        config = run_config(folder)
        with _usable(folder, hint=f"see to that, or only print a finished run's result: `solon report {folder}`"):
            return cls(folder, config)

    def keep(self) -> None:
        """Writes which run this is. `run.json` goes first: from then on the folder is known as this run."""
        for name, data in self._files.items():
            if not (self.path / name).exists() or (self.path / name).read_bytes() != data:
                write_atomic(self.path / name, data)

    @cached_property
    def _files(self) -> dict[str, bytes]:
        record = canonical_json(RunRecord(config=self.config), indent=2)
        files = {RUN: record, "run.toml": dump_toml(self.config).encode()}
        return files if self.original is None else {**files, "original.toml": self.original.encode()}


def run_config(folder: Path) -> RunConfig:
    """The resolved run file of the run in a folder. Raises `RunError` if it holds none that this version can read."""
    require_run(folder)
    path = folder / RUN
    try:
        return RunRecord.model_validate_json(path.read_bytes()).config
    except ValidationError as error:
        what = f"not a run that this version of Solon can read: {first_error(error)}"
        raise RunError(what, where=Where(path), hint=OTHER_VERSION) from error


def _refuse_foreign(folder: Path) -> None:
    """Raise if the folder holds files but no run."""
    if (folder / RUN).exists():
        return
    own = {*folder.glob(f".{RUN}.*"), *folder.glob(SPENT.format(role="*")), folder / LOCK_NAME}
    foreign = sorted(path.name for path in folder.iterdir() if path not in own)
    if foreign:
        listed = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise RunError(f"{folder} is not empty and holds no run ({listed})", hint="choose a new folder with -o")


def _is_new_or_same(folder: Path, config: RunConfig) -> bool:
    """Is there no run yet, or one that is equal in every key? Raise if it has other results than `config` can have."""
    if not (folder / RUN).exists():
        return True
    held = run_config(folder)
    if told := differences(_results(held), _results(config)):
        raise RunError(
            f"{folder} holds another run: {told}",
            hint=f"choose another folder with -o, or go on with that run: `solon resume {folder}`",
        )
    return held == config


def _results(section: Section) -> dict[str, JsonValue]:
    """Every key that can change a result, of this section and those inside it."""
    inside: dict[str, JsonValue] = {name: _results(part) for name, part in section if isinstance(part, Section)}
    return section.result_settings() | inside


@contextmanager
def _usable(folder: Path, hint: str = "choose another folder with -o") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot use {folder} as a run folder: {error.filename or folder}: {error.strerror}",
            hint=hint,
        ) from error
