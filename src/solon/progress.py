"""What a run shows while it works: live, as plain lines, as JSON, or nothing.

Whatever is shown may hold text of a model or of a stranger's file, so control characters are spelt out and no markup is
interpreted.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

Clock = Callable[[], float]
"""Seconds since some fixed point."""

_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Reporter(Protocol):
    """Is told what a run does. A stage lasts until the next one or the end."""

    def stage(self, name: str, total_rows: int | None = None) -> None:
        """A stage begins. `total_rows`: rows (or steps) it will make, if known."""

    def reused(self, name: str, run: str) -> None:
        """A stage is taken over from another run."""

    def recovered(self, rows: int) -> None:
        """Rows found from before a kill: they are done, but say nothing about speed."""

    def advance(self, rows: int, tokens: int) -> None:
        """Rows finished and tokens made since the last call."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def done(self, text: str = "") -> None:
        """The run has ended; `text` is its result."""

    def close(self) -> None:
        """Nothing more will come, also after an error. May be called twice."""


def printable(text: str) -> str:
    """`text` with control characters and changes of writing direction spelt out; newlines stay.

    `printable("a\\x1b[31mb")` is `a\\\\x1b[31mb` with the backslash visible: a terminal shows it and does not turn red.
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


@dataclass(kw_only=True)
class Meter:
    """One stage's rows, tokens and time."""

    name: str
    total_rows: int | None
    clock: Clock
    rows: int = 0
    recovered: int = 0
    """Those of `rows` that were found, not made."""
    tokens: int = 0
    since: float = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.clock()

    @property
    def seconds(self) -> float:
        """Wall time since the stage began in this process."""
        return self.clock() - self.since

    @property
    def tokens_per_second(self) -> float | None:
        """Mean speed, once there is one."""
        return self.tokens / self.seconds if self.tokens and self.seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """At the mean speed of the rows made: 10 of 40 rows in 2 s leave 6 s. None while unknown."""
        made = self.rows - self.recovered
        if self.total_rows is None or made <= 0:
            return None
        return max(self.total_rows - self.rows, 0) * self.seconds / made

    def __str__(self) -> str:
        rows = f"{self.rows}" if self.total_rows is None else f"{self.rows}/{self.total_rows}"
        parts = [f"{printable(self.name)}: {rows} rows", f"{self.seconds:.0f} s"]
        if (speed := self.tokens_per_second) is not None:
            parts.append(f"{speed:.0f} tokens/s")
        if (left := self.seconds_left) is not None and self.rows != self.total_rows:
            parts.append(f"{duration(left)} left")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """`0:07`, `12:30`, `1:02:03`."""
    whole = round(seconds)
    minutes = f"{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 3600}:{minutes}" if whole >= 3600 else minutes.removeprefix("0")


class _Metered:
    """What all reporters share: the current stage's meter, and when to show it."""

    interval = 0.0
    """Least seconds between two showings of one stage."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._meter: Meter | None = None
        self._shown = clock()

    def stage(self, name: str, total_rows: int | None = None) -> None:
        self._end_stage()
        self._meter = Meter(name=name, total_rows=total_rows, clock=self._clock)
        self._shown = self._clock()
        self._stage_began(self._meter)

    def reused(self, name: str, run: str) -> None:
        self._end_stage()
        self._say(f"{name}: reused from {run}")

    def recovered(self, rows: int) -> None:
        if self._meter is not None:
            self._meter.rows += rows
            self._meter.recovered += rows

    def advance(self, rows: int, tokens: int) -> None:
        if self._meter is None:
            return
        self._meter.rows += rows
        self._meter.tokens += tokens
        if self._clock() - self._shown >= self.interval:
            self._shown = self._clock()
            self._show(self._meter)

    def note(self, text: str) -> None:
        self._say(text)

    def done(self, text: str = "") -> None:
        self._end_stage()
        self._result(text)
        self.close()

    def close(self) -> None:
        self._meter = None

    def _end_stage(self) -> None:
        if self._meter is not None:
            self._stage_ended(self._meter)
        self._meter = None

    def _stage_began(self, meter: Meter) -> None:
        pass

    def _show(self, meter: Meter) -> None:
        pass

    def _stage_ended(self, meter: Meter) -> None:
        pass

    def _say(self, text: str) -> None:
        pass

    def _result(self, text: str) -> None:
        pass


class QuietReporter(_Metered):
    """Shows the result alone."""

    def __init__(self, stream: TextIO, clock: Clock = time.monotonic):
        super().__init__(clock)
        self._stream = stream

    def _result(self, text: str) -> None:
        if text:
            print(printable(text), file=self._stream, flush=True)


class PlainReporter(QuietReporter):
    """A line when a stage ends, and every few seconds while it lasts: for logs and pipes."""

    interval = 5.0

    def _show(self, meter: Meter) -> None:
        if meter.rows != meter.total_rows:  # the whole stage is about to have its line
            self._say(str(meter))

    def _stage_ended(self, meter: Meter) -> None:
        self._say(str(meter))

    def _say(self, text: str) -> None:
        print(printable(text), file=self._stream, flush=True)


class JsonReporter(_Metered):
    """One JSON object per line, for programs; its `event` is one of those in docs/formats.md."""

    interval = 1.0

    def __init__(self, stream: TextIO, clock: Clock = time.monotonic):
        super().__init__(clock)
        self._stream = stream

    def _stage_began(self, meter: Meter) -> None:
        self._event("stage", stage=meter.name, total_rows=meter.total_rows)

    def reused(self, name: str, run: str) -> None:
        self._end_stage()
        self._event("reused", stage=name, run=run)

    def _show(self, meter: Meter) -> None:
        self._measured("progress", meter)

    def _stage_ended(self, meter: Meter) -> None:
        self._measured("stage_done", meter)

    def _say(self, text: str) -> None:
        self._event("note", text=text)

    def _result(self, text: str) -> None:
        self._event("done", text=text)

    def _measured(self, event: str, meter: Meter) -> None:
        self._event(
            event,
            stage=meter.name,
            rows=meter.rows,
            total_rows=meter.total_rows,
            tokens=meter.tokens,
            seconds=round(meter.seconds, 3),
            tokens_per_second=meter.tokens_per_second,
            seconds_left=meter.seconds_left,
        )

    def _event(self, event: str, **facts: str | int | float | None) -> None:
        # ASCII only: whatever a model wrote, a terminal sees no control characters.
        print(json.dumps({"event": event, **facts}).replace("\x7f", "\\u007f"), file=self._stream, flush=True)


class LiveReporter(_Metered):
    """One moving line for the stage in progress; finished stages and notes stay above it. For terminals."""

    interval = 0.1

    def __init__(self, stream: TextIO, clock: Clock = time.monotonic):
        super().__init__(clock)
        self._console = Console(file=stream, markup=False, highlight=False, emoji=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def close(self) -> None:
        super().close()
        self._live.stop()

    def _stage_began(self, meter: Meter) -> None:
        self._show(meter)

    def _show(self, meter: Meter) -> None:
        line = Table.grid(padding=(0, 1))
        line.add_row(ProgressBar(total=meter.total_rows, completed=meter.rows, width=24), Text(str(meter)))
        self._live.update(line, refresh=True)

    def _stage_ended(self, meter: Meter) -> None:
        self._live.update(Text(""), refresh=True)
        self._say(str(meter))

    def _say(self, text: str) -> None:
        self._console.print(Text(printable(text)))

    def _result(self, text: str) -> None:
        if text:
            self._say(text)


@contextmanager
def reporting(*, quiet: bool = False, as_json: bool = False, stream: TextIO | None = None) -> Iterator[Reporter]:
    """The reporter for these options, closed at the end of the block: live on a terminal, plain lines elsewhere."""
    stream = stream or sys.stdout
    kind: Callable[[TextIO], Reporter] = LiveReporter if stream.isatty() else PlainReporter
    if as_json:
        kind = JsonReporter
    elif quiet:
        kind = QuietReporter
    reporter = kind(stream)
    try:
        yield reporter
    finally:
        reporter.close()
