from __future__ import annotations

import io
import json

import pytest

from solon.progress import (
    JsonReporter,
    LiveReporter,
    Meter,
    PlainReporter,
    QuietReporter,
    Reporter,
    reporting,
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def small_run(reporter: Reporter, clock: Clock) -> None:
    reporter.stage("revisions", 40)
    reporter.recovered(10)
    for _ in range(3):
        clock.now += 2.0
        reporter.advance(5, 100)
    reporter.note("2 answers were cut off")
    reporter.stage("models/sl")
    clock.now += 1.0
    reporter.advance(7, 0)
    reporter.done("harmful: 62% -> 3%\nreport.html")


def test_a_meter_counts_speed_from_what_was_made() -> None:
    clock = Clock()
    meter = Meter(name="pairs", total_rows=50, clock=clock)
    assert meter.times() == (0.0, None, None)
    clock.now = 2.0
    meter.rows, meter.recovered, meter.tokens = 20, 10, 300
    assert meter.times() == (2.0, 150.0, 6.0)  # 10 rows in 2 s, 30 rows to go
    assert str(meter) == "pairs: 20/50 rows, 2 s, 150 tokens/s, 6 s left"


def test_quiet_shows_the_result_alone() -> None:
    stream, clock = io.StringIO(), Clock()
    small_run(QuietReporter(stream, clock), clock)
    assert stream.getvalue() == "harmful: 62% -> 3%\nreport.html\n"


def test_plain_shows_a_line_every_few_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    small_run(PlainReporter(stream, clock), clock)
    assert stream.getvalue().splitlines() == [
        "revisions: 25/40 rows, 6 s, 50 tokens/s, 6 s left",
        "2 answers were cut off",
        "revisions: 25/40 rows, 6 s, 50 tokens/s, 6 s left",
        "models/sl: 7 rows, 1 s",
        "harmful: 62% -> 3%",
        "report.html",
    ]


def test_json_is_one_object_per_line() -> None:
    stream, clock = io.StringIO(), Clock()
    small_run(JsonReporter(stream, clock), clock)
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events] == [
        *("stage", "progress", "progress", "progress", "note", "stage_done"),
        *("stage", "progress", "stage_done", "done"),
    ]
    assert events[0] == {"event": "stage", "stage": "revisions", "total_rows": 40}
    assert events[3] == {
        "event": "progress",
        "stage": "revisions",
        "rows": 25,
        "total_rows": 40,
        "tokens": 300,
        "seconds": 6.0,
        "tokens_per_second": 50.0,
        "seconds_left": 6.0,
    }
    assert events[4] == {"event": "note", "text": "2 answers were cut off"}
    assert events[-1] == {"event": "done", "text": "harmful: 62% -> 3%\nreport.html"}


def test_a_training_tells_its_share_of_the_device_and_that_nothing_is_left_when_it_is_stopped() -> None:
    """40 of 100 operations a second, for 5 s."""
    shown: list[str] = []
    for kind in (PlainReporter, JsonReporter):
        stream, clock = io.StringIO(), Clock()
        reporter = kind(stream, clock)
        reporter.stage("models/sl", 10)
        clock.now += 5.0
        reporter.computed(200.0, 100.0)
        reporter.advance(5, 50)
        reporter.cut_short()
        reporter.end_stage()
        shown += stream.getvalue().splitlines()
    progress, done, *events = shown
    assert progress == "models/sl: 5/10 rows, 5 s, 10 tokens/s, 40% of this device's products, 5 s left"
    assert done == "models/sl: 5/10 rows, 5 s, 10 tokens/s, 40% of this device's products"
    told = json.loads(events[-1])
    assert (told["flops"], told["mfu"], told["seconds_left"]) == (200.0, 0.4, None)
    unknown = Meter(name="models/sl", total_rows=None, clock=Clock(), flops=200.0)
    assert "products" not in str(unknown) and unknown.facts()["mfu"] is None


def test_a_stage_that_is_reused_ends_the_one_before() -> None:
    shown: list[list[str]] = []
    for kind in (PlainReporter, JsonReporter, QuietReporter):
        stream, clock = io.StringIO(), Clock()
        reporter = kind(stream, clock)
        reporter.stage("revisions", 2)
        reporter.advance(2, 0)
        reporter.reused("helpful", "runs/a\x1b[31m")
        shown.append(stream.getvalue().splitlines())
    plain, events, quiet = shown
    assert plain == ["revisions: 2/2 rows, 0 s", "helpful: reused from runs/a\\x1b[31m"] and quiet == []
    assert json.loads(events[-1]) == {"event": "reused", "stage": "helpful", "run": "runs/a\x1b[31m"}
    assert [json.loads(event)["event"] for event in events] == ["stage", "stage_done", "reused"]


def test_live_shows_stages_notes_and_the_result_and_stops() -> None:
    stream, clock = Terminal(), Clock()
    reporter = LiveReporter(stream, clock)
    small_run(reporter, clock)
    reporter.close()
    shown = stream.getvalue()
    assert "revisions: 25/40 rows" in shown and "2 answers were cut off" in shown and "report.html" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor is hidden once and given back once


HOSTILE = "[bold]x[/bold] \x1b[31mred\x1b]0;title\x07 \x9b2J :warning: \u202eevil \r over"


@pytest.mark.parametrize("kind", [QuietReporter, PlainReporter, JsonReporter, LiveReporter])
def test_text_of_strangers_cannot_steer_the_terminal(kind: type) -> None:
    stream = Terminal()
    reporter: Reporter = kind(stream)
    reporter.stage(HOSTILE, 1)
    reporter.advance(1, 1)
    reporter.note(HOSTILE)
    reporter.done(HOSTILE)
    shown = stream.getvalue()
    for harm in ("\x1b[31m", "\x1b]0;", "\x07", "\x9b", "\u202e", "\r over"):
        assert harm not in shown
    assert "[bold]x[/bold]" in shown and ":warning:" in shown


@pytest.mark.parametrize(
    ("options", "stream", "kind"),
    [
        ({}, io.StringIO(), PlainReporter),
        ({}, Terminal(), LiveReporter),
        ({"quiet": True}, Terminal(), QuietReporter),
        ({"as_json": True, "quiet": True}, Terminal(), JsonReporter),
    ],
)
def test_the_reporter_fits_options_and_stream(options: dict[str, bool], stream: io.StringIO, kind: type) -> None:
    with reporting(stream=stream, **options) as reporter:
        assert type(reporter) is kind


def test_an_error_gives_the_terminal_back() -> None:
    stream = Terminal()
    with pytest.raises(KeyError), reporting(stream=stream) as reporter:
        reporter.stage("pairs", 3)
        raise KeyError
    assert "\x1b[?25h" in stream.getvalue()
