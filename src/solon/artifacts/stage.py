"""One stage of a run: a folder that is filled piece by piece and sealed by its manifest."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from solon.artifacts.atomic import canonical_json, folder_atomic, sweep, write_atomic
from solon.artifacts.checkpoint import Checkpoints
from solon.artifacts.finished import redo_hint, require_same
from solon.artifacts.live import STEPS, StepLog
from solon.artifacts.manifest import (
    MANIFEST,
    PARTIAL,
    Counts,
    Header,
    Manifest,
    StageStart,
    Tally,
    Timing,
    describe,
    version_changes,
    versions,
)
from solon.artifacts.shards import Shards, encode_rows, shard_name
from solon.artifacts.stored import StoredRows
from solon.errors import RunError, Where
from solon.records import Record

T = TypeVar("T")
M = TypeVar("M")
R = TypeVar("R", bound=Record)

Spread = Callable[[Mapping[int, Sequence[T]]], Iterable[tuple[int, M]]]
"""From the items of shards, by their numbers, to what was made of each, with its number."""
START = "stage.json"


def _as_they_are(parts: Mapping[int, Any]) -> Iterable[tuple[int, Any]]:
    return parts.items()


@dataclass(frozen=True, kw_only=True)
class _Parts(Mapping[int, Sequence[T]]):
    """The items of these shards, cut off when they are asked for."""

    every: Sequence[T]
    size: int
    numbers: Sequence[int]

    def __getitem__(self, number: int) -> Sequence[T]:
        return self.every[number * self.size : (number + 1) * self.size]

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


class StageFolder:
    """The folder of a stage in progress.

    Everything that was committed before a kill is found again; what only the work in progress needs lies in `.partial`
    and goes when the stage is finished. A finished stage is a `FinishedStage`.
    """

    writes = True

    def __init__(self, run: Path, header: Header):
        """Begin a stage, or go on with it. Raises `RunError` if it was begun from other settings or inputs."""
        self.run, self.name = run, header.stage
        self.folder = run / header.stage
        self._partial = self.folder / PARTIAL
        self._once, self._sharded = Tally(), Tally()
        self._tally = self._once
        self._start = self._begin(header)
        self._watch = _Stopwatch(self._partial / "timing.json")

    @classmethod
    def reopen(cls, run: Path, name: str) -> Self:
        """Go on with a stage that was begun, as it was begun."""
        return cls(run, _read_start(run, name).header)

    @property
    def header(self) -> Header:
        """What it was begun from."""
        return self._start.header

    def path(self, name: str) -> Path:
        return self.folder / name

    def rows(
        self,
        items: Sequence[T],
        *,
        shard_rows: int,
        work: Callable[[M], Sequence[R]],
        record: type[R],
        recovered: Callable[[int], None] | None = None,
        spread: Spread[T, M] = _as_they_are,
    ) -> Sequence[R]:
        """Do `work` shard by shard, committing each; shards committed before are not made again. The rows are read back
        as they are asked for.

        What `work` counts with `drop` and `count` is committed with its shard; `in` and `out` are counted here. For
        equal bytes after a kill, a shard's rows must depend on its items alone, and the items be the same on every
        resume.

        Args:
            shard_rows: items per shard.
            work: the items of one shard to its rows, as many or as few as it likes.
            recovered: called with the number of items of each shard that was there.
            spread: takes the items of the shards that are left, e.g. to other machines. `work` gets what comes back, in
                any order; by default the items as they are.
        """
        shards = Shards(self.folder, self._partial)
        sizes = [min(shard_rows, len(items) - first) for first in range(0, len(items), shard_rows)]
        left: list[int] = []
        self.count("in", len(items))
        for index, size in enumerate(sizes):
            if kept := shards.committed(index, first=index * shard_rows, items=size):
                self._sharded += Tally.of(kept)
                if recovered is not None:
                    recovered(size)
            else:
                left.append(index)
        with self.timed():
            for index, given in spread(_Parts(every=items, size=shard_rows, numbers=left)):
                rows, counts = self._counted(work, given)
                shards.commit(index, encode_rows(rows), first=index * shard_rows, items=sizes[index], counts=counts)
                self._sharded += Tally.of(counts)
                self._watch.keep()
        shards.cut(len(sizes))
        return StoredRows(map(shards.path, range(len(sizes))), record)

    def _counted(self, work: Callable[[M], Sequence[R]], given: M) -> tuple[Sequence[R], Counts]:
        """One shard's rows, and what was counted on the way."""
        self._tally = Tally()
        try:
            rows = work(given)
            self.count("out", len(rows))
            return rows, self._tally.counts()
        finally:
            self._tally = self._once

    def write_records(self, name: str, records: Iterable[Record]) -> None:
        """Write `name.jsonl` whole. Counts nothing: use `count("out", n)` where these rows are the stage's product."""
        self.write_bytes(f"{name}.jsonl", encode_rows(records))

    def write_shard(self, name: str, index: int, records: Iterable[Record]) -> None:
        """Write `name-<index>.jsonl` whole, e.g. the rollouts of one step; after a kill the step writes it again."""
        self.write_bytes(shard_name(name, index), encode_rows(records))

    def write_json(self, name: str, value: BaseModel | Mapping[str, object]) -> None:
        self.write_bytes(name, canonical_json(value, indent=2))

    def write_bytes(self, name: str, data: bytes) -> None:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path(name), data)

    @contextmanager
    def new_folder(self, name: str) -> Iterator[Path]:
        """A folder to fill, e.g. with a model; it gets its name when the block ends without an error.

        A folder of that name from before a kill is replaced: its stage was not finished.
        """
        if self.path(name).exists():
            shutil.rmtree(self.path(name))
        with folder_atomic(self.path(name)) as new:
            yield new

    @cached_property
    def checkpoint(self) -> Checkpoints:
        """Checkpoints of this stage, for work that is not made of independent shards."""
        return Checkpoints(
            self._partial / "checkpoints",
            run=self.run,
            tally=self._once,
            committed=self._watch.keep,
            writes=self.writes,
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
        return (self._once + self._sharded).dropped

    def timed(self) -> AbstractContextManager[None]:
        """Count the block's wall time as this stage's. Blocks may nest."""
        return self._watch.running()

    @cached_property
    def step_log(self) -> StepLog:
        """What tells the steps of a training while it goes on."""
        return StepLog(self._partial / STEPS)

    def add_tokens(self, n: int) -> None:
        """Count tokens generated or trained on; kept under timing, as repeated work counts again."""
        self._watch.tokens += n

    def add_flops(self, n: float, *, peak: float | None) -> None:
        """Count operations of a training on a device that does `peak` of them a second, if that is known."""
        self._watch.flops += n
        self._watch.peak_flops = peak

    def count_requests(self, name: str, n: int) -> None:
        """Count what happened to requests to a server; kept under timing, as it depends on the server's day."""
        self._watch.requests[name] += n

    def finish(self, *, notes: Sequence[str] = (), **facts: JsonValue) -> Manifest:
        """Seal the stage: hash every file, write the manifest with notes and facts, remove `.partial`."""
        now = versions()
        manifest = Manifest(
            **dict(self._start.header),
            outputs={path.relative_to(self.folder).as_posix(): describe(path) for path in self._files()},
            counts=(self._once + self._sharded).counts(),
            facts=facts,
            deviations=tuple(version_changes(self._start.versions, now)),
            notes=tuple(notes),
            timing=self._watch.reading(),
            versions=now,
        )
        write_atomic(self.folder / MANIFEST, canonical_json(manifest, indent=2))
        shutil.rmtree(self._partial)
        return manifest

    def _files(self) -> list[Path]:
        """The stage's data: all but hidden files and the manifest."""
        paths = (path for path in self.folder.rglob("*") if path.is_file() and path != self.folder / MANIFEST)
        return sorted(p for p in paths if not any(part.startswith(".") for part in p.relative_to(self.folder).parts))

    def _begin(self, header: Header) -> StageStart:
        if (self._partial / START).exists():
            start = _read_start(self.run, self.name)
            require_same(self.run, start.header, header, "begun")
            sweep(self.folder)
            return start
        if files := self._files():
            what = f"{self.folder} holds files that stage {self.name} did not make, e.g. {files[0].name}"
            raise RunError(what, hint=redo_hint(self.run, self.name))
        self._partial.mkdir(parents=True, exist_ok=True)
        sweep(self.folder)
        start = StageStart(header=header, versions=versions())
        write_atomic(self._partial / START, canonical_json(start))
        return start


class WatchedStage(StageFolder):
    """The folder of a stage that another process fills: this one reads and counts as that does, and writes nothing."""

    writes = False

    def write_bytes(self, name: str, data: bytes) -> None:
        pass

    def _begin(self, header: Header) -> StageStart:
        return _read_start(self.run, self.name)


def _read_start(run: Path, name: str) -> StageStart:
    path = run / name / PARTIAL / START
    try:
        return StageStart.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise RunError("cannot be read", where=Where(path), hint=redo_hint(run, name)) from error


class _Stopwatch:
    """What a stage took, over all resumes: goes on from what `path` holds. `keep` at every commit."""

    def __init__(self, path: Path):
        before = Timing.model_validate_json(path.read_bytes()) if path.exists() else Timing()
        self.tokens, self.requests = before.tokens, Counter(before.requests)
        self.flops, self.peak_flops = before.flops, before.peak_flops
        self._path, self._seconds = path, before.seconds
        self._since: float | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the block's wall time; a block inside a block counts once."""
        if self._since is not None:
            yield
            return
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._seconds, self._since = self._elapsed(), None

    def reading(self) -> Timing:
        """So far, a running block included."""
        requests = dict(sorted(self.requests.items()))
        return Timing(
            seconds=round(self._elapsed(), 3),
            tokens=self.tokens,
            requests=requests,
            flops=self.flops,
            peak_flops=self.peak_flops,
        )

    def keep(self) -> None:
        """Save the reading for the next process."""
        write_atomic(self._path, canonical_json(self.reading()))

    def _elapsed(self) -> float:
        return self._seconds + (0.0 if self._since is None else time.monotonic() - self._since)
