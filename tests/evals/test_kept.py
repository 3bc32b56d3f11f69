"""Results of evaluations in a run's folder: what they are of, what may take their place, what is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from solon.artifacts.manifest import Header
from solon.artifacts.stage import StageFolder
from solon.errors import UserError
from solon.evals.kept import (
    FOLDER,
    Evaluation,
    Metric,
    fingerprints,
    keep,
    keep_own,
    name_of,
    of_base,
    read_evaluations,
)

METRIC = Metric(name="m", value=0.5, low=None, high=None, n=1)


def result(model: str, value: float = 0.5, **more: object) -> Evaluation:
    told = {"name": "t", "model": model, "temperature": 0.0, "metrics": (METRIC.model_copy(update={"value": value}),)}
    return Evaluation.model_validate({**told, **more})


def stage(run: Path, name: str, seed: int = 0, inputs: dict[str, str] | None = None) -> dict[str, str]:
    """Of a finished stage its fingerprint."""
    folder = StageFolder(run, Header(stage=name, seed=seed, config={}, inputs=inputs or {}))
    folder.write_bytes("x", str(seed).encode())
    folder.finish()
    return fingerprints(run, name)


def test_what_was_kept_is_read_back_and_what_is_no_result_is_named(tmp_path: Path) -> None:
    (path,) = keep(tmp_path, {"t-t0-rl": result("rl")})
    assert path == tmp_path / FOLDER / "t-t0-rl.json" and name_of(result("rl")) == "t-t0-rl"
    bad = {"cut.json": "{", "list.json": "[]", "none.json": "{}", "deep.json": "[" * 100_000}
    bad["nan.json"] = path.read_text().replace("0.5", "NaN")
    for name, text in bad.items():
        (path.parent / name).write_text(text)
    found, faults = read_evaluations(tmp_path)
    assert found == {"t-t0-rl": result("rl")} and sorted(faults) == sorted(bad)
    assert read_evaluations(tmp_path / "nowhere") == ({}, {})


def test_another_result_is_not_replaced_unasked_and_none_is_written(tmp_path: Path) -> None:
    keep(tmp_path, {"x": result("rl")})
    keep(tmp_path, {"x": result("rl")})
    with pytest.raises(UserError, match=r"x.json holds another result .replace it with --replace"):
        keep(tmp_path, {"y": result("sl"), "x": result("rl", 0.25)})
    assert list(read_evaluations(tmp_path)[0]) == ["x"]
    keep(tmp_path, {"x": result("rl", 0.25)}, replace=True)
    assert read_evaluations(tmp_path)[0]["x"].metrics[0].value == 0.25


def test_a_result_of_a_stage_that_was_made_anew_is_stale_and_may_be_replaced(tmp_path: Path) -> None:
    keep(tmp_path, {"x": result("rl", stages=stage(tmp_path, "models-rl"))})
    assert list(read_evaluations(tmp_path)[0]) == ["x"]
    (tmp_path / "models-rl/manifest.json").unlink()
    (tmp_path / "models-rl/x").unlink()
    assert read_evaluations(tmp_path)[0] == {}, "the run has none now"
    own = stage(tmp_path, "models-rl", seed=1)
    assert read_evaluations(tmp_path) == ({}, {"x.json": "it is of another models-rl than the run has now"})
    keep(tmp_path, {"x": result("rl", 0.25, stages=own)})
    assert list(read_evaluations(tmp_path)[0]) == ["x"]


def test_a_run_deletes_what_its_own_stages_left_and_nothing_else(tmp_path: Path) -> None:
    own = {name: stage(tmp_path, name) for name in ("evaluated-sl", "evaluated-rl", "models-rl")}
    keep_own(tmp_path, [result("sl", stages=own["evaluated-sl"]), result("rl", stages=own["evaluated-rl"])])
    keep(tmp_path, {"mine": result("rl", stages=own["models-rl"])})
    assert keep_own(tmp_path, [result("rl", 0.25, stages=own["evaluated-rl"])]) == {}
    found, faults = read_evaluations(tmp_path)
    assert list(found) == ["mine", "t-t0-rl"] and faults == {} and found["t-t0-rl"].metrics[0].value == 0.25


def test_a_command_s_result_is_kept_beside_the_run_s_own_of_its_name(tmp_path: Path) -> None:
    own = {name: stage(tmp_path, name) for name in ("evaluated-rl", "models-rl")}
    for asked, name in ((0.75, "t-t0-rl.asked-1"), (0.5, "t-t0-rl.asked-2")):
        keep(tmp_path, {"t-t0-rl": result("rl", asked, stages=own["models-rl"])})
        ours = result("rl", asked / 10, stages=own["evaluated-rl"])
        assert keep_own(tmp_path, [ours]) == {"t-t0-rl": name} and keep_own(tmp_path, [ours]) == {}
        found = read_evaluations(tmp_path)[0]
        assert found["t-t0-rl"] == ours and found[name].metrics[0].value == asked
        keep_own(tmp_path, [])
    assert list(read_evaluations(tmp_path)[0]) == ["t-t0-rl.asked-1", "t-t0-rl.asked-2"]


@pytest.mark.parametrize("replace", [False, True])
def test_a_command_never_replaces_the_run_s_own_result(tmp_path: Path, replace: bool) -> None:
    own = stage(tmp_path, "evaluated-rl")
    keep_own(tmp_path, [result("rl", stages=own)])
    with pytest.raises(UserError, match=r"t-t0-rl.json holds the run's own result .give this one a name of its own"):
        keep(tmp_path, {"t-t0-rl": result("rl", 0.25)}, replace=replace)
    assert read_evaluations(tmp_path)[0] == {"t-t0-rl": result("rl", stages=own)}


def test_a_result_of_base_is_stale_when_the_run_begins_from_another(tmp_path: Path) -> None:
    files = {"base/config.json": "c", "base/model.safetensors": "w"}
    keep(tmp_path, {"x": result("base", stages={"base": of_base({**files, "judge/config.json": "j"})})})
    assert list(read_evaluations(tmp_path)[0]) == ["x"] and fingerprints(tmp_path, "base") == {}
    stage(tmp_path, "answers-base", inputs=files)
    assert list(read_evaluations(tmp_path)[0]) == ["x"]
    shutil.rmtree(tmp_path / "answers-base")
    stage(tmp_path, "models/sl", inputs={**files, "base/model.safetensors": "other"})
    assert read_evaluations(tmp_path) == ({}, {"x.json": "it is of another base than the run has now"})


def test_a_result_is_of_its_model_and_of_those_that_it_is_compared_with() -> None:
    paired = ({**dict(METRIC), "against": "sl"},)
    found = result("rl", paired=paired).of({one: {f"models/{one}": one * 2} for one in ("sl", "rl", "dpo")}, data="d")
    assert found.stages == {"models/rl": "rlrl", "models/sl": "slsl"} and found.data == "d"


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "a b"])
def test_a_name_is_the_name_of_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="no result can be called"):
        keep(tmp_path, {name: result("rl")})
    assert list(tmp_path.iterdir()) == []
