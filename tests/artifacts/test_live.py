"""What a run tells while it works, and how it says that it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from solon.artifacts.live import PROGRESS, StepLog, progress_kept, read_progress
from solon.artifacts.lock import FolderLock, is_held
from solon.progress import Meter
from solon.records import Turn


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rows_are_told_now_and_then_and_a_new_stage_at_once(tmp_path: Path) -> None:
    clock = Clock()
    meter = Meter(name="revisions", total_rows=8, clock=clock)
    with progress_kept(tmp_path, whole=True, clock=clock) as hear:
        hear(meter)
        meter.rows, clock.now = 2, 1.0
        hear(meter)
        assert (found := read_progress(tmp_path)) and (found.rows, found.total_rows) == (0, 8), "a second later is soon"
        meter.rows, clock.now = 4, 2.0
        hear(meter)
        found = read_progress(tmp_path)
        assert found and (found.rows, found.seconds, found.seconds_left, found.ended) == (4, 2.0, 2.0, None)
        hear(Meter(name="helpful", total_rows=None, clock=clock))
        assert (found := read_progress(tmp_path)) and (found.stage, found.total_rows) == ("helpful", None)
    assert (found := read_progress(tmp_path)) and (found.ended, found.stage) == ("finished", "helpful")


@pytest.mark.parametrize(
    ("error", "how", "why"),
    [
        (KeyboardInterrupt(), "stopped", ""),
        (ValueError("no\nroom"), "failed", "no room"),
        (ValueError(), "failed", "ValueError"),
    ],
)
def test_how_a_run_ended(tmp_path: Path, error: BaseException, how: str, why: str) -> None:
    with pytest.raises(type(error)), progress_kept(tmp_path, whole=True):
        raise error
    assert (found := read_progress(tmp_path)) and (found.ended, found.why) == (how, why)
    with progress_kept(tmp_path, whole=False):
        assert (found := read_progress(tmp_path)) and found.ended is None, "it works again"
    assert (found := read_progress(tmp_path)) and found.ended == "stopped"


def test_what_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    assert read_progress(tmp_path) is None
    (tmp_path / PROGRESS).write_text('{"rows": "many"}')
    assert read_progress(tmp_path) is None


def test_steps_after_a_checkpoint_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    for first, words in ((1, ("a", "b", "c")), (3, ("c again", "d"))):
        log = StepLog(path)
        for step, text in enumerate(words, start=first):
            log.add(step, Turn(role="human", text=text))
    told = [Turn.model_validate_json(line).text for line in path.read_bytes().splitlines()]
    assert told == ["a", "b", "c again", "d"]


def test_looking_whether_a_folder_is_in_use_does_not_stand_in_the_way(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    lock = FolderLock(tmp_path)
    assert is_held(tmp_path) and is_held(tmp_path)
    lock.release()
    assert not is_held(tmp_path)
    FolderLock(tmp_path).release()
