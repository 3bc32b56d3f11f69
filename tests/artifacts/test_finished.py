from __future__ import annotations

from pathlib import Path

import pytest

from solon.artifacts.finished import FinishedStage
from solon.artifacts.run_folder import RunFolder
from solon.config.run import RunConfig
from solon.errors import RunError
from solon.records import Turn
from stages import begun


def turn(text: str) -> Turn:
    return Turn(role="human", text=text)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """One finished stage of two files, one of them in shards, and one stage in progress."""
    with RunFolder.create(tmp_path / "run", RunConfig()) as folder:
        stage = begun(folder, "models/sl")
        stage.write_records("whole", [turn("w1"), turn("w2")])
        for index in (0, 99_999, 100_000):
            stage.write_shard("rows", index, [turn(f"r{index}")])
        stage.write_records("rows-of-another", [turn("other")])
        stage.finish()
        begun(folder, "pairs")
    return tmp_path / "run"


def test_rows_of_a_whole_file_and_of_shards_in_order(run: Path) -> None:
    stage = FinishedStage.open(run, "models/sl")
    assert [row.text for row in stage.rows("whole", Turn)] == ["w1", "w2"]
    assert [row.text for row in stage.rows("rows", Turn)] == ["r0", "r99999", "r100000"]
    assert list(stage.rows("absent", Turn)) == []


def test_a_stage_in_progress_is_not_read(run: Path) -> None:
    with pytest.raises(RunError) as caught:
        FinishedStage.open(run, "pairs")
    assert str(caught.value) == (
        f"{run}: the run has not finished stage pairs "
        f"(go on with `solon resume {run}`, or only so far with `solon stage pairs {run}`)"
    )


def test_a_run_in_use_can_be_read(run: Path) -> None:
    with RunFolder.resume(run):
        assert len(list(FinishedStage.open(run, "models/sl").rows("whole", Turn))) == 2


@pytest.mark.parametrize(("damage", "said"), [("missing", "missing"), ("longer", "changed")])
def test_a_file_that_is_not_what_was_made(run: Path, damage: str, said: str) -> None:
    path = run / "models/sl/whole.jsonl"
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(RunError, match=f"^{path}: {said}: not what stage models/sl made"):
        list(FinishedStage.open(run, "models/sl").rows("whole", Turn))
