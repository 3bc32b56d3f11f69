from __future__ import annotations

import json
import os
import subprocess
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from solon.artifacts.atomic import sha256_bytes
from solon.artifacts.finished import FinishedStage
from solon.artifacts.manifest import Header
from solon.artifacts.run_folder import RunFolder
from solon.artifacts.stage import StageFolder
from solon.config.run import RunConfig
from solon.errors import RunError
from solon.records import Answer, Record
from stages import begun, finished, header


class Square(Record):
    number: int
    square: float


class Work:
    """Squares numbers, drops multiples of 5, and remembers what it was asked."""

    def __init__(self, stage: StageFolder, fail_at: int | None = None):
        self.stage, self.fail_at = stage, fail_at
        self.asked: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[Square]:
        self.asked.append(list(items))
        if self.fail_at in items:
            raise KeyboardInterrupt
        for item in items:
            self.stage.count("digits", len(str(item)))
            if item % 5 == 0:
                self.stage.drop("multiple of 5")
        self.stage.add_tokens(len(items))
        return [Square(number=item, square=item * item / 3) for item in items if item % 5]


def of_squares(run: RunFolder, **settings: object) -> Header:
    return header(run, "squares", {"power": 2, **settings}, {"numbers": sha256_bytes(b"numbers")})


def squares(run: RunFolder, **settings: object) -> StageFolder:
    return StageFolder(run.path, of_squares(run, **settings))


def reopened(run: RunFolder, **settings: object) -> FinishedStage:
    found = FinishedStage.of(run.path, of_squares(run, **settings))
    assert found is not None
    return found


def do_rows(stage: StageFolder, work: Work, numbers: Sequence[int] = range(10), **more: object) -> list[Square]:
    return list(stage.rows(numbers, shard_rows=4, work=work, record=Square, **more))  # type: ignore[arg-type]


def test_the_exact_files_of_a_stage(run: RunFolder) -> None:
    stage = squares(run)
    stage.drop("before the shards", 2)
    rows = do_rows(stage, Work(stage))
    manifest = stage.finish(accuracy=0.5)

    assert [row.number for row in rows] == [1, 2, 3, 4, 6, 7, 8, 9]
    assert sorted(os.listdir(stage.folder)) == ["manifest.json", *(f"rows-0000{k}.jsonl" for k in range(3))]
    assert stage.path("rows-00000.jsonl").read_bytes() == (
        b'{"number":1,"square":0.3333333333333333}\n'
        b'{"number":2,"square":1.3333333333333333}\n'
        b'{"number":3,"square":3.0}\n'
    )
    written = json.loads(stage.path("manifest.json").read_bytes())
    assert list(written) == [
        *("format", "stage", "seed", "config", "inputs", "outputs", "counts", "facts", "deviations", "notes"),
        *("timing", "versions"),
    ]
    assert written["counts"] == {
        "in": 10,
        "out": 8,
        "dropped": {"before the shards": 2, "multiple of 5": 2},
        "other": {"digits": 10},
    }
    shard = stage.path("rows-00002.jsonl").read_bytes()
    assert written["outputs"]["rows-00002.jsonl"] == {"sha256": sha256_bytes(shard), "bytes": len(shard), "rows": 2}
    assert (written["stage"], written["seed"], written["config"]) == ("squares", 7, {"power": 2})
    assert written["inputs"] == {"numbers": sha256_bytes(b"numbers")}
    assert (written["facts"], written["deviations"]) == ({"accuracy": 0.5}, [])
    assert written["timing"]["tokens"] == 10
    assert written["versions"]["python"] == ".".join(str(part) for part in sys.version_info[:3])
    assert {"solon", "solon_source", "pydantic"} <= set(written["versions"])
    assert reopened(run).manifest == manifest


def test_a_stage_that_stopped_makes_only_what_is_missing_and_ends_the_same(run: RunFolder, tmp_path: Path) -> None:
    stage = squares(run)
    with pytest.raises(KeyboardInterrupt):
        do_rows(stage, Work(stage, fail_at=5))

    again, found = squares(run), []
    work = Work(again)
    rows = do_rows(again, work, recovered=found.append)
    resumed = again.finish()
    assert work.asked == [[4, 5, 6, 7], [8, 9]]
    assert found == [4]

    with RunFolder.create(tmp_path / "straight", RunConfig(seed=7)) as other:
        stage = squares(other)
        assert do_rows(stage, Work(stage)) == rows
        straight = stage.finish()
    assert resumed.counts == straight.counts
    assert resumed.outputs == straight.outputs
    assert resumed.fingerprint == straight.fingerprint
    assert resumed.timing.tokens == straight.timing.tokens


def test_the_fingerprint_is_that_of_the_data(run: RunFolder) -> None:
    assert FinishedStage.find(run.path, "a") is None
    stage = begun(run, "a")
    assert FinishedStage.find(run.path, "a") is None
    stage.write_bytes("x", b"abc")
    one = stage.finish(note="facts and timing play no part").fingerprint
    assert one == sha256_bytes(b"x\0ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n")


def test_a_file_has_a_fingerprint_of_its_own(run: RunFolder) -> None:
    stage = begun(run, "a")
    stage.write_records("x", [Square(number=1, square=1.0)])
    for index in (0, 1):
        stage.write_shard("rows", index, [Square(number=index, square=0.0)])
    manifest = stage.finish()
    assert manifest.files("rows") == ["rows-00000.jsonl", "rows-00001.jsonl"]
    assert manifest.fingerprint_of(manifest.files("x")) == sha256_bytes(
        f"x.jsonl\0{manifest.outputs['x.jsonl'].sha256}\n".encode()
    )
    assert manifest.fingerprint_of([*manifest.files("rows"), "x.jsonl"]) == manifest.fingerprint


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-3],
        lambda data: data.replace(b"1", b"2"),
        lambda data: b"",
        None,
    ],
    ids=["cut", "changed", "emptied", "deleted"],
)
def test_a_damaged_shard_of_a_stage_in_progress_is_made_again(run: RunFolder, damage) -> None:  # type: ignore[no-untyped-def]
    stage = squares(run)
    do_rows(stage, Work(stage))
    path = stage.path("rows-00001.jsonl")
    good = path.read_bytes()
    path.write_bytes(damage(good)) if damage else path.unlink()
    again = squares(run)
    work = Work(again)
    do_rows(again, work)
    assert work.asked == [[4, 5, 6, 7]]
    assert path.read_bytes() == good


def test_a_shard_without_its_note_and_a_note_without_its_shard_are_not_committed(run: RunFolder) -> None:
    stage = squares(run)
    do_rows(stage, Work(stage))
    stage.path(".partial/rows-00000.json").unlink()
    stage.path("rows-00002.jsonl").unlink()
    again = squares(run)
    work = Work(again)
    do_rows(again, work)
    assert work.asked == [[0, 1, 2, 3], [8, 9]]
    assert again.finish().counts.dropped == {"multiple of 5": 2}


def test_shards_cut_otherwise_are_made_again_and_none_is_left_over(run: RunFolder) -> None:
    stage = squares(run)
    do_rows(stage, Work(stage))
    again = squares(run)
    work = Work(again)
    assert len(do_rows(again, work, numbers=range(6))) == 4
    assert work.asked == [[4, 5]]
    assert sorted(again.finish().outputs) == ["rows-00000.jsonl", "rows-00001.jsonl"]


def test_another_config_or_input_is_refused_half_done_or_finished(run: RunFolder) -> None:
    stage = squares(run)
    do_rows(stage, Work(stage))
    for did in ("begun", "finished"):
        with pytest.raises(RunError) as caught:
            (squares if did == "begun" else reopened)(run, power=3)
        assert str(caught.value) == (
            f"{stage.folder}: stage squares was {did} from other settings or inputs: config.power was 2, now 3 "
            f"(put back what was there before, or delete {stage.folder} and run `solon resume {run.path}` "
            "to do the stage again)"
        )
        with pytest.raises(RunError, match=r'inputs\.numbers was "[0-9a-f]{8}", now "other"; inputs\.more was absent'):
            changed = header(run, "squares", {"power": 2}, {"numbers": "other", "more": "x"})
            StageFolder(run.path, changed) if did == "begun" else FinishedStage.of(run.path, changed)
        if did == "begun":
            stage.finish()


def test_a_finished_stage_vouches_for_its_files(run: RunFolder) -> None:
    stage = squares(run)
    do_rows(stage, Work(stage))
    stage.finish()
    changed, missing = stage.path("rows-00000.jsonl"), stage.path("rows-00001.jsonl")
    changed.write_bytes(changed.read_bytes().replace(b"1", b"7"))
    missing.unlink()
    with pytest.raises(RunError) as caught:
        reopened(run)
    hint = f"delete {stage.folder} and run `solon resume {run.path}` to do the stage again"
    assert str(caught.value) == (
        f"{changed}: changed: not what stage squares made ({hint})\n"
        f"{missing}: missing: not what stage squares made ({hint})"
    )


def test_a_finished_stage_is_read_and_not_written(run: RunFolder) -> None:
    stage = squares(run)
    rows = do_rows(stage, Work(stage))
    stage.finish()
    assert list(reopened(run).rows("rows", Square)) == rows
    with pytest.raises(RunError, match="holds files that stage squares did not make"):
        squares(run)
    assert list(reopened(run).rows("rows", Square)) == rows


def test_what_a_kill_left_after_the_manifest_is_tidied(run: RunFolder) -> None:
    stage = squares(run)
    stage.finish()
    stage.path(".partial").mkdir()
    stage.path(".partial/timing.json").write_text("{}")
    reopened(run)
    assert os.listdir(stage.folder) == ["manifest.json"]


def test_files_of_somebody_else_in_a_stage_folder(run: RunFolder) -> None:
    (run.path / "squares").mkdir()
    (run.path / "squares" / "rows-00000.jsonl").write_text("mine")
    with pytest.raises(RunError, match=r"holds files that stage squares did not make, e.g. rows-00000.jsonl \(delete"):
        squares(run)


@pytest.mark.parametrize("name", ["manifest.json", ".partial/stage.json"])
def test_an_unreadable_header_is_named(run: RunFolder, name: str) -> None:
    stage = squares(run)
    if name == "manifest.json":
        stage.finish()
    stage.path(name).write_text('{"half": ')
    with pytest.raises(RunError, match=f"{name}: .*delete"):
        (reopened if name == "manifest.json" else squares)(run)


def test_records_files_and_folders(run: RunFolder) -> None:
    stage = begun(run, "models/sl")
    rows = [Square(number=1, square=1.0), Square(number=2, square=4.0)]
    stage.write_records("log", rows)
    stage.write_shard("steps", 1, rows[1:])
    stage.write_shard("steps", 0, rows[:1])
    stage.write_json("card.json", {"name": "sl"})
    with stage.new_folder("model") as folder:
        (folder / "weights").write_bytes(b"w")
    assert stage.path("card.json").read_bytes() == b'{\n  "name": "sl"\n}\n'
    assert sorted(stage.finish().outputs) == [
        *("card.json", "log.jsonl", "model/weights", "steps-00000.jsonl", "steps-00001.jsonl")
    ]
    found = finished(run, "models/sl")
    assert list(found.rows("log", Square)) == list(found.rows("steps", Square)) == rows
    assert stage.folder == run.path / "models" / "sl"


def test_a_folder_from_before_a_kill_is_replaced(run: RunFolder) -> None:
    stage = begun(run, "models/sl")
    for text in (b"first", b"second"):
        with stage.new_folder("model") as folder:
            (folder / "weights").write_bytes(text)
    assert stage.path("model/weights").read_bytes() == b"second"


def test_unreadable_rows_are_named_by_file_and_line(run: RunFolder) -> None:
    stage = squares(run)
    path = stage.path("rows.jsonl")
    path.write_text('{"number":1,"square":1}\n{"number":"x","square":1}\nnot json\n')
    stage.finish()
    with pytest.raises(RunError) as caught:
        list(reopened(run).rows("rows", Square))
    first, second = str(caught.value).split("\n")
    assert first.startswith(f"{path}:2: not a Square: number: Input should be a valid integer")
    assert second.startswith(f"{path}:3: not a Square: Invalid JSON")
    assert list(reopened(run).rows("answers", Answer)) == []


def test_no_items_make_an_empty_stage(run: RunFolder) -> None:
    stage = squares(run)
    assert do_rows(stage, Work(stage), numbers=[]) == []
    assert stage.finish().outputs == {}
    assert list(reopened(run).rows("rows", Square)) == []


class Numbers(Sequence[int]):
    """0, 1, ..., of which the parts that were asked for are remembered."""

    def __init__(self, count: int):
        self.all, self.asked = range(count), list[range]()

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, at: Any) -> Any:
        self.asked.append(self.all[at])
        return self.all[at]


@pytest.mark.parametrize("count", [12, 40])
def test_a_stage_holds_the_rows_and_items_of_a_shard_or_two(run: RunFolder, count: int) -> None:
    """However many there are: those that were committed are on disk."""
    stage, numbers, made, alive = squares(run), Numbers(count), list[weakref.ref[Square]](), list[int]()

    def work(items: Sequence[int]) -> list[Square]:
        assert numbers.asked[-1] == items and len(numbers.asked) == len(alive) + 1
        rows = [Square(number=item, square=item**2) for item in items]
        made.extend(map(weakref.ref, rows))
        alive.append(sum(row() is not None for row in made))
        return rows

    found = stage.rows(numbers, shard_rows=4, work=work, record=Square)
    assert max(alive) == 8
    assert all(row() is None for row in made)
    assert [row.number for row in found] == list(range(count))


def test_time_and_tokens_add_up_over_resumes(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stage = squares(run)

    def work(items: Sequence[int]) -> list[Square]:
        now[0] += 2.0
        stage.add_tokens(5)
        return []

    with stage.timed():
        now[0] += 1.0
        stage.rows([1], shard_rows=1, work=work, record=Square)
        now[0] += 10.0  # never committed, so a kill loses it
    again = squares(run)
    now[0] += 100.0
    with again.timed():
        now[0] += 0.5
    timing = again.finish().timing
    assert (timing.seconds, timing.tokens) == (3.5, 5)


def test_going_on_under_other_versions_is_told(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    squares(run)
    monkeypatch.setattr("solon.artifacts.stage.versions", lambda: {"solon": "99", "python": "3"})
    (deviation,) = squares(run).finish().deviations
    assert deviation.startswith("continued under other versions than it was begun with: solon ")
    assert "-> 99" in deviation


@pytest.mark.parametrize("name", ["", "../x", "/x", "a//b", "a b", "A", "a\n"])
def test_stage_names_stay_inside_the_run(run: RunFolder, name: str) -> None:
    with pytest.raises(ValueError, match="should match pattern"):
        begun(run, name)


FULL = """
import resource, sys
from solon.artifacts.run_folder import RunFolder
from solon.artifacts.stage import StageFolder
from solon.artifacts.manifest import Header
from solon.config.run import RunConfig
from solon.errors import RunError
from solon.records import Turn
def work(items):
    return [Turn(role="human", text="x" * item) for item in items]
try:
    with RunFolder.create(sys.argv[1], RunConfig()) as run:
        stage = StageFolder(run.path, Header(stage="turns", seed=0, config={}, inputs={}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        stage.rows([10, 20, 100_000], shard_rows=1, work=work, record=Turn)
except RunError as error:
    print(error)
"""


def test_storage_that_really_ends_keeps_what_was_committed(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    assert told == (
        f"cannot write {tmp_path}/turns/rows-00002.jsonl: File too large; all that was committed before is kept "
        f"(free some space, then `solon resume {tmp_path}`)\n"
    )
    assert sorted(os.listdir(tmp_path / "turns")) == [".partial", "rows-00000.jsonl", "rows-00001.jsonl"]
