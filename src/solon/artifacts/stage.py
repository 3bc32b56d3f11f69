"""One stage of a run: a folder that is filled piece by piece and sealed by its manifest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from solon.artifacts.atomic import canonical_json, folder_atomic, keeping, sweep, to_json, write_atomic
from solon.artifacts.checkpoint import Checkpoints
from solon.artifacts.manifest import (
    Begun,
    Counts,
    Header,
    Manifest,
    Tally,
    describe,
    differences,
    problem,
    version_changes,
    versions,
)
from solon.artifacts.shards import ShardFile, decode_rows, encode_rows, shard_path, shard_paths
from solon.artifacts.stopwatch import Stopwatch
from solon.errors import Fault, RunError, Where
from solon.records import Record

T = TypeVar("T")
R = TypeVar("R", bound=Record)

MANIFEST = "manifest.json"
PARTIAL = ".partial"


class StageFolder:
    """A stage's folder, made by `RunFolder.stage`.

    A `done` stage can only be read. In a stage in progress everything that was committed before a kill is found again;
    what only the work in progress needs lies in `.partial` and goes when the stage is finished.
    """

    def __init__(self, run: Path, header: Header):
        """Open or begin a stage.

        Raises:
            RunError: if it was begun or finished from another config or other inputs, or a finished file is not what
                the manifest says.
        """
        self.run, self.name = run, header.stage
        self.folder = run / header.stage
        self.manifest: Manifest | None = None
        self._header = header
        self._partial = self.folder / PARTIAL
        self._once, self._sharded = Tally(), Tally()
        self._tally = self._once
        with keeping(run):
            if (self.folder / MANIFEST).exists():
                self._open_finished()
            else:
                self._begun = self._open_partial()
        self._watch = Stopwatch(self._partial / "timing.json")

    @property
    def done(self) -> bool:
        """The manifest is in place."""
        return self.manifest is not None

    @property
    def finished(self) -> Manifest:
        """The manifest of a stage that is done."""
        if self.manifest is None:
            raise RuntimeError(f"stage {self.name} is not finished and has no manifest yet")
        return self.manifest

    @property
    def fingerprint(self) -> str:
        """sha256 over the finished stage's data, without timing: what downstream stages note as their input."""
        return self.finished.fingerprint

    def path(self, name: str) -> Path:
        """Where a file of this stage lies."""
        return self.folder / name

    def read_records(self, name: str, record: type[R]) -> list[R]:
        """Every row of `name.jsonl`, or of the shards `name-00000.jsonl`, ...

        Raises:
            RunError: if there are no such files, or a row is not a `record`.
        """
        whole = self.path(f"{name}.jsonl")
        paths = [whole] if whole.exists() else shard_paths(self.folder, name)
        nothing_went_in = self.manifest is not None and self.manifest.counts.rows_in == 0
        if not paths and not nothing_went_in:
            raise RunError(f"{self.folder} has no {name}.jsonl and no shards of it", hint=f"`solon resume {self.run}`")
        return [row for path in paths for row in decode_rows(path.read_bytes(), record, path)]

    def rows(
        self,
        items: Sequence[T],
        *,
        shard_rows: int,
        work: Callable[[Sequence[T]], Sequence[R]],
        record: type[R],
        file: str = "rows",
        recovered: Callable[[int], None] | None = None,
    ) -> list[R]:
        """Do `work` shard by shard, committing each; shards committed before are read back, not made again.

        What `work` counts with `drop` and `count` is committed with its shard; `in` and `out` are counted here. For
        equal bytes after a kill, `work` must depend on its items alone.

        Args:
            items: what goes in; the same list on every resume.
            shard_rows: items per shard. Each shard is one call of `work`.
            work: the items of one shard to its rows, as many or as few as it likes.
            record: type of the rows.
            file: the shards are named `file-00000.jsonl`, ...
            recovered: called with the number of items of each shard that was read back.

        Raises:
            RunError: if storage is full or forbidden; committed shards are kept.
        """
        if self.done:
            return self.read_records(file, record)
        shards = ShardFile(self.folder, self._partial, file)
        starts = range(0, len(items), shard_rows)
        self.count("in", len(items))
        rows: list[R] = []
        for index, first in enumerate(starts):
            part = items[first : first + shard_rows]
            kept = shards.committed(index, first=first, items=len(part))
            if kept is None:
                made, counts = self._counted(work, part)
                with keeping(self.run):
                    shards.commit(index, encode_rows(made), first=first, items=len(part), counts=counts)
                    self._watch.keep()
            else:
                made, counts = decode_rows(kept[0], record, shard_path(self.folder, file, index)), kept[1]
                if recovered is not None:
                    recovered(len(part))
            self._sharded.add(Tally.of(counts))
            rows.extend(made)
        shards.cut(len(starts))
        return rows

    def _counted(self, work: Callable[[Sequence[T]], Sequence[R]], part: Sequence[T]) -> tuple[Sequence[R], Counts]:
        """One shard's rows, and what was counted while they were made."""
        self._tally = Tally()
        try:
            with self.timed():
                made = work(part)
            self.count("out", len(made))
            return made, self._tally.counts()
        finally:
            self._tally = self._once

    def write_records(self, name: str, records: Iterable[Record]) -> None:
        """Write `name.jsonl` whole. Counts nothing: use `count("out", n)` where these rows are the stage's product."""
        self.write_bytes(f"{name}.jsonl", encode_rows(records))

    def write_shard(self, name: str, index: int, records: Iterable[Record]) -> None:
        """Write `name-<index>.jsonl` whole, e.g. the rollouts of one step; after a kill the step writes it again."""
        self.write_bytes(shard_path(Path(), name, index).name, encode_rows(records))

    def write_json(self, name: str, value: BaseModel | Mapping[str, object]) -> None:
        """Write a readable JSON file whole."""
        self.write_bytes(name, canonical_json(value, indent=2))

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write a file whole."""
        self._must_be_open()
        with keeping(self.run):
            self.path(name).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.path(name), data)

    @contextmanager
    def new_folder(self, name: str) -> Iterator[Path]:
        """A folder to fill, e.g. with a model; it gets its name when the block ends without an error.

        A folder of that name from before a kill is replaced: its stage was not finished.
        """
        self._must_be_open()
        with keeping(self.run):
            if self.path(name).exists():
                shutil.rmtree(self.path(name))
            with folder_atomic(self.path(name)) as new:
                yield new

    @cached_property
    def checkpoint(self) -> Checkpoints:
        """Checkpoints of this stage, for work that is not made of independent shards."""
        self._must_be_open()
        return Checkpoints(
            self._partial / "checkpoints", run=self.run, tally=self._once, committed=lambda: self._watch.keep()
        )

    def count(self, name: str, n: int = 1) -> None:
        """Count something. `in` and `out` are the manifest's rows in and out; other names stand under `other`."""
        self._tally.counted[name] += n

    def drop(self, reason: str, n: int = 1) -> None:
        """Count what is left out, by reason."""
        self._tally.dropped[reason] += n

    @property
    def dropped(self) -> Mapping[str, int]:
        """What was left out so far, by reason."""
        return self._once.dropped + self._sharded.dropped

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the block's wall time as this stage's. Blocks may nest."""
        with self._watch.running():
            yield

    def add_tokens(self, n: int) -> None:
        """Count tokens generated or trained on; kept under timing, as repeated work counts again."""
        self._watch.tokens += n

    def finish(self, *, deviations: Sequence[str] = (), notes: Sequence[str] = (), **facts: JsonValue) -> Manifest:
        """Seal the stage: hash every file, write the manifest, remove `.partial`.

        Args:
            deviations: where this stage departs from the papers.
            notes: what the user was told of it.
            facts: what the stage says about itself; any JSON data.
        """
        self._must_be_open()
        tally = Tally()
        tally.add(self._once)
        tally.add(self._sharded)
        now = versions()
        with keeping(self.run):
            manifest = Manifest(
                **dict(self._header),
                outputs={path.relative_to(self.folder).as_posix(): describe(path) for path in self._files()},
                counts=tally.counts(),
                facts=facts,
                deviations=(*deviations, *version_changes(self._begun.versions, now)),
                notes=tuple(notes),
                timing=self._watch.reading(),
                versions=now,
            )
            write_atomic(self.folder / MANIFEST, canonical_json(manifest, indent=2))
            shutil.rmtree(self._partial)
        self.manifest = manifest
        return manifest

    def _files(self) -> list[Path]:
        """The stage's data: all but hidden files and the manifest."""
        paths = (path for path in self.folder.rglob("*") if path.is_file() and path != self.folder / MANIFEST)
        return sorted(p for p in paths if not any(part.startswith(".") for part in p.relative_to(self.folder).parts))

    def _open_finished(self) -> None:
        path = self.folder / MANIFEST
        try:
            manifest = Manifest.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise RunError(
                "not a manifest that this version can read", where=Where(path), hint=self._again()
            ) from error
        self._must_match(manifest, "finished")
        faults = [
            Fault(f"{wrong}: not what stage {self.name} made", Where(self.folder / name), self._again())
            for name, file in manifest.outputs.items()
            if (wrong := problem(self.folder / name, file))
        ]
        if faults:
            raise RunError(faults)
        shutil.rmtree(self._partial, ignore_errors=True)
        self.manifest = manifest

    def _open_partial(self) -> Begun:
        begun_path = self._partial / "stage.json"
        if begun_path.exists():
            try:
                begun = Begun.model_validate_json(begun_path.read_bytes())
            except ValidationError as error:
                raise RunError("cannot be read", where=Where(begun_path), hint=self._again()) from error
            self._must_match(begun.header, "begun")
            sweep(self.folder)
            return begun
        self._partial.mkdir(parents=True, exist_ok=True)
        if files := self._files():
            what = f"{self.folder} holds files that stage {self.name} did not make, e.g. {files[0].name}"
            raise RunError(what, hint=self._again())
        sweep(self.folder)
        begun = Begun(header=self._header, versions=versions())
        write_atomic(begun_path, canonical_json(begun))
        return begun

    def _must_match(self, then: Header, did: str) -> None:
        before = {name: to_json(getattr(then, name)) for name in Header.model_fields}
        now = {name: to_json(getattr(self._header, name)) for name in Header.model_fields}
        if before != now:
            what = f"stage {self.name} was {did} from other settings or inputs: {differences(before, now)}"
            raise RunError(what, where=Where(self.folder), hint=f"put back what was there before, or {self._again()}")

    def _must_be_open(self) -> None:
        if self.done:
            raise RuntimeError(f"stage {self.name} is finished and can only be read")

    def _again(self) -> str:
        return f"delete {self.folder} and run `solon resume {self.run}` to do the stage again"
