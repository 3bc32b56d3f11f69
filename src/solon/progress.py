"""What a run shows while it works: live, as plain lines, as JSON, or nothing.

The text may come from a model or from a stranger's file, so control characters are spelled out and no markup is
interpreted.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from solon.text import duration, printable

Clock = Callable[[], float]
"""Seconds since some fixed point."""
Fact = str | int | float | None


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
    flops: float = 0.0
    peak_flops: float | None = None
    """What the device does in a second."""
    cut_short: bool = False
    """Nothing is left, whatever was to be made."""
    since: float = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.clock()

    def times(self) -> tuple[float, float | None, float | None]:
        """Seconds since the stage began in this process, mean tokens per second, seconds left; None: unknown.

        What is left takes as long as what was made: 10 of 40 rows in 2 s leave 6 s.
        """
        seconds, made = self.clock() - self.since, self.rows - self.recovered
        speed = self.tokens / seconds if self.tokens and seconds > 0 else None
        if self.cut_short:
            return seconds, speed, None
        left = (
            max(self.total_rows - self.rows, 0) * seconds / made if self.total_rows is not None and made > 0 else None
        )
        return seconds, speed, left

    @property
    def mfu(self) -> float | None:
        """The share of what the device does that training used; None: it trains nothing, or that is not known."""
        seconds = self.clock() - self.since
        return self.flops / (seconds * self.peak_flops) if self.flops and self.peak_flops and seconds > 0 else None

    def facts(self) -> dict[str, Fact]:
        """What `--json` says of a stage."""
        seconds, speed, left = self.times()
        rows: dict[str, Fact] = {"rows": self.rows, "total_rows": self.total_rows, "tokens": self.tokens}
        times = {"seconds": round(seconds, 3), "tokens_per_second": speed, "seconds_left": left}
        training: dict[str, Fact] = {"flops": self.flops, "mfu": self.mfu} if self.flops else {}
        return {"stage": self.name} | rows | times | training

    def __str__(self) -> str:
        seconds, speed, left = self.times()
        rows = f"{self.rows}" if self.total_rows is None else f"{self.rows}/{self.total_rows}"
        told = "" if speed is None else f", {speed:.0f} tokens/s"
        told += "" if self.mfu is None else f", {self.mfu:.0%} of this device's products"
        told += "" if left is None or self.rows == self.total_rows else f", {duration(left)} left"
        return f"{printable(self.name)}: {rows} rows, {duration(seconds)}{told}"


class Reporter:
    """Hears what a run does and shows it as events; this one shows none."""

    interval = 0.0
    """Least seconds between two events `progress` of one stage."""

    def __init__(self, stream: TextIO, clock: Clock = time.monotonic, heed: Callable[[], None] | None = None):
        """`heed` is called before rows count as done, and may raise."""
        self.stream, self._clock, self._heed = stream, clock, heed
        self._meter: Meter | None = None
        self._shown = 0.0
        self.hear: Callable[[Meter], None] = lambda meter: None
        """Is called when a stage begins and when rows are done."""

    def show(self, event: str, line: str, **facts: Fact) -> None:
        """Shows one of the events of docs/formats.md. `line` is the same for people; "": nothing."""

    def stage(self, name: str, total_rows: int | None = None) -> None:
        """A stage begins. `total_rows`: rows (or steps) it will make, if known."""
        self.end_stage()
        self._meter = Meter(name=name, total_rows=total_rows, clock=self._clock)
        self._shown = self._clock()
        self.hear(self._meter)
        self.show("stage", "", stage=name, total_rows=total_rows)

    def reused(self, name: str, run: str) -> None:
        """A stage is taken over from another run."""
        self.end_stage()
        self.show("reused", f"{name}: reused from {run}", stage=name, run=run)

    def recovered(self, rows: int) -> None:
        """Rows found from before a kill: they are done, but say nothing about speed."""
        if self._meter is not None:
            self._meter.rows += rows
            self._meter.recovered += rows

    def advance(self, rows: int, tokens: int) -> None:
        """Rows finished and tokens made since the last call."""
        if self._heed:
            self._heed()
        if self._meter is None:
            return
        self._meter.rows += rows
        self._meter.tokens += tokens
        self.hear(self._meter)
        if self._clock() - self._shown >= self.interval:
            self._shown = self._clock()
            self.show("progress", str(self._meter), **self._meter.facts())

    def computed(self, flops: float, peak: float | None) -> None:
        """Operations that a training made since the last call, of `peak` a second that the device does."""
        if self._meter is not None:
            self._meter.flops += flops
            self._meter.peak_flops = peak

    def cut_short(self) -> None:
        """The stage ends before all of its rows are made."""
        if self._meter is not None:
            self._meter.cut_short = True

    def note(self, text: str) -> None:
        """Something worth a line."""
        self.show("note", text, text=text)

    def done(self, text: str = "") -> None:
        """The run has ended; `text` is its result."""
        self.end_stage()
        self.show("done", text, text=text)

    def close(self) -> None:
        """Gives back the terminal. Nothing more will come, also after an error."""

    def end_stage(self) -> None:
        """The stage has ended, if one lasts: what comes until the next takes none of its time."""
        if self._meter is not None:
            self.show("stage_done", str(self._meter), **self._meter.facts())
        self._meter = None


class QuietReporter(Reporter):
    """Shows the result alone."""

    shown = frozenset({"done"})

    def show(self, event: str, line: str, **facts: Fact) -> None:
        if event in self.shown and line:
            print(printable(line), file=self.stream, flush=True)


class PlainReporter(QuietReporter):
    """A line when a stage ends, and every few seconds while it lasts: for logs and pipes."""

    interval = 5.0
    shown = frozenset({"progress", "stage_done", "reused", "note", "done"})

    def show(self, event: str, line: str, **facts: Fact) -> None:
        if event != "progress" or facts["rows"] != facts["total_rows"]:  # the whole stage is about to have its line
            super().show(event, line)


class JsonReporter(Reporter):
    """One JSON object per line, for programs."""

    interval = 1.0

    def show(self, event: str, line: str, **facts: Fact) -> None:
        print(json_line(event, facts), file=self.stream, flush=True)


class LiveReporter(Reporter):
    """One moving line for the stage in progress; finished stages and notes stay above it. For terminals."""

    interval = 0.1

    def __init__(self, stream: TextIO, clock: Clock = time.monotonic, heed: Callable[[], None] | None = None):
        super().__init__(stream, clock, heed)
        console = Console(file=stream, markup=False, highlight=False, emoji=False)
        columns = BarColumn(bar_width=24), TextColumn("{task.description}", markup=False)
        self._live = Progress(*columns, console=console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, event: str, line: str, **facts: Fact) -> None:
        if event in ("stage", "stage_done"):
            for task in self._live.task_ids:
                self._live.remove_task(task)
        if event == "stage" and self._meter:
            self._live.add_task(str(self._meter), total=self._meter.total_rows)
        elif event == "progress" and self._meter:
            task = self._live.task_ids[0]
            self._live.update(task, completed=self._meter.rows, description=line, refresh=True)
        elif line:
            self._live.console.print(Text(printable(line)))

    def close(self) -> None:
        self._live.stop()


def json_line(event: str, facts: Mapping[str, object]) -> str:
    """An event of `--json`. ASCII only, so that a terminal sees no control characters."""
    return json.dumps({"event": event, **facts}).replace("\x7f", "\\u007f")


def reporting(
    quiet: bool = False,
    as_json: bool = False,
    stream: TextIO | None = None,
    heed: Callable[[], None] | None = None,
    hear: Callable[[Meter], None] | None = None,
) -> closing[Reporter]:
    """The reporter for these options, closed at the end of the block: live on a terminal, plain lines elsewhere."""
    stream = stream or sys.stdout
    kind = LiveReporter if stream.isatty() else PlainReporter
    reporter = (JsonReporter if as_json else QuietReporter if quiet else kind)(stream, heed=heed)
    reporter.hear = hear or reporter.hear
    return closing(reporter)
