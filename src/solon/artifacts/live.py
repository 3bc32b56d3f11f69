"""What a run tells whoever looks on while it works: how far it is, and the steps of a training. No part of its results.

`progress.json` in the run's folder is of the process that works there, or worked there last. `.partial/steps.jsonl` in
that of a training has its steps so far, and goes when the stage is finished and has `steps.jsonl`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from solon.artifacts.atomic import canonical_json, write_atomic
from solon.artifacts.shards import encode_rows
from solon.progress import Clock, Meter
from solon.records import Record

PROGRESS, STEPS = "progress.json", "steps.jsonl"
INTERVAL = 2.0
"""Least seconds between two writings."""
Ended = Literal["finished", "stopped", "failed"]


class ProgressRecord(Record):
    """`progress.json`."""

    stage: str = ""
    """Folder of the stage that was worked on last; empty: none yet."""
    rows: int = 0
    """Rows, or examples of a training, that are done, those from before a kill included."""
    total_rows: int | None = None
    """Null: not known."""
    seconds: float = 0.0
    """Since the stage began in this process."""
    seconds_left: float | None = None
    """If what is left takes as long as what was done; null: not known."""
    ended: Ended | None = None
    """`stopped`: by a signal, or after the stage that was asked for. Null: the process works, or was killed."""
    why: str = ""
    """Why it failed."""


def read_progress(run: Path) -> ProgressRecord | None:
    """None: none is kept, or it cannot be read; nothing depends on it."""
    try:
        return ProgressRecord.model_validate_json((run / PROGRESS).read_bytes())
    except (OSError, ValidationError):
        return None


@contextmanager
def progress_kept(run: Path, *, whole: bool, clock: Clock = time.monotonic) -> Iterator[Callable[[Meter], None]]:
    """What a reporter calls as rows are done (`Reporter.hear`); it keeps `progress.json`, and how the block ends.

    whole: whether the run is finished where the block ends, and not only one of its stages.
    """
    kept = _Kept(run, clock)
    kept.write()
    try:
        yield kept.hear
    except BaseException as error:
        with suppress(OSError):  # the error that ended the block is the one to tell
            kept.end("stopped" if isinstance(error, KeyboardInterrupt) else "failed", error)
        raise
    kept.end("finished" if whole else "stopped")


class _Kept:
    def __init__(self, run: Path, clock: Clock) -> None:
        self._path, self._clock, self._written = run / PROGRESS, clock, clock()
        self._record = ProgressRecord()

    def hear(self, meter: Meter) -> None:
        began, now = meter.name != self._record.stage, self._clock()
        seconds, _, left = meter.times()
        self._record = ProgressRecord(
            stage=meter.name,
            rows=meter.rows,
            total_rows=meter.total_rows,
            seconds=round(seconds, 1),
            seconds_left=None if left is None else round(left, 1),
        )
        if began or now - self._written >= INTERVAL:
            self._written = now
            self.write()

    def end(self, how: Ended, error: BaseException | None = None) -> None:
        why = " ".join(str(error).split()) or type(error).__name__ if how == "failed" else ""
        self._record = self._record.model_copy(update={"ended": how, "why": why})
        self.write()

    def write(self) -> None:
        write_atomic(self._path, canonical_json(self._record))


class StepLog:
    """The steps of a training in progress, a line each; they are not synced, for nothing depends on them."""

    def __init__(self, path: Path) -> None:
        self._path, self._begun = path, False

    def add(self, step: int, row: Record) -> None:
        """The next one. The first one of a process ends what was told after the checkpoint that it went on from."""
        if not self._begun:
            kept = self._path.read_bytes().splitlines(keepends=True)[: step - 1] if self._path.exists() else []
            write_atomic(self._path, b"".join(kept))
            self._begun = True
        with open(self._path, "ab") as file:
            file.write(encode_rows([row]))
