"""A run repeats nothing that another has done from equal settings and inputs, and ends with the same bytes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.tiny_run import FOLDERS, data, differing, manifest, rows, run_in, world_config
from solon.artifacts import manifest as manifests
from solon.artifacts import reuse
from solon.artifacts.reuse import OtherRuns
from solon.errors import RunError
from solon.pipeline import actors

CHANGED = ["models/rl", "answers-rl", "scores"]
"""Stages that depend on a setting of RL."""


@pytest.fixture
def done(finished: Path, tmp_path: Path) -> Path:
    """The finished run, to be spoilt."""
    return Path(shutil.copytree(finished, tmp_path / "runs" / "done"))


def test_one_changed_setting_of_rl_repeats_rl_and_its_evaluation(llama: Path, done: Path, tmp_path: Path) -> None:
    config = world_config(llama, "rl.kl_coefficient=0.2", "rl.learning_rate=0.02")
    told = run_in(done.with_name("other"), config, others=OtherRuns.of(done.with_name("other")))
    assert told.stages == CHANGED
    reused = [name for name in FOLDERS if name not in CHANGED]
    assert [note for note in told.notes if "reused" in note] == [f"{name}: reused from {done}" for name in reused]
    run_in(tmp_path / "alone", config)
    assert differing(data(done.with_name("other")), data(tmp_path / "alone")) == []


@pytest.mark.parametrize(
    ("setting", "repeated"),
    [
        ("prompts.evaluation=4", ["prompts", "answers-base", "answers-sl", "answers-rl", "scores"]),
        ("pairs.per_prompt=2", ["pairs", "comparisons", "models/pm", "models/rl", "answers-rl", "scores"]),
        ("helpfulness.per_prompt=2", ["helpfulness", "models/pm", "models/rl", "answers-rl", "scores"]),
    ],
)
def test_stages_are_repeated_whose_files_changed(llama: Path, done: Path, setting: str, repeated: list[str]) -> None:
    """E.g. more prompts for the evaluation leave those for training, and all that is made from them, alone."""
    assert (
        run_in(done.with_name("other"), world_config(llama, setting), others=OtherRuns(found=(done,))).stages
        == repeated
    )


def test_rows_are_copied_and_weights_linked_and_either_run_may_go(llama: Path, done: Path) -> None:
    other = done.with_name("other")
    told = run_in(other, world_config(llama), others=OtherRuns(found=(done,)))
    assert told.stages == []
    same = {
        name: os.path.samefile(done / folder / name, other / folder / name)
        for folder in FOLDERS
        for name in manifest(done, folder).outputs
    }
    assert {name for name, linked in same.items() if linked} == {name for name in same if name.endswith(".safetensors")}
    assert rows(other, "models/rl", "rollouts") == rows(done, "models/rl", "rollouts") != []
    before = data(done)
    shutil.rmtree(done)
    assert data(other) == before
    assert run_in(other, world_config(llama)).stages == []


@pytest.mark.parametrize("spoilt", ["missing", "changed", "in progress"])
def test_a_stage_that_is_not_whole_is_done_anew(llama: Path, done: Path, spoilt: str) -> None:
    shard = done / "pairs" / "rows-00001.jsonl"
    if spoilt == "missing":
        shard.unlink()
    elif spoilt == "changed":
        shard.write_bytes(shard.read_bytes().replace(b"a", b"b", 1))
    else:
        (done / "pairs" / "manifest.json").unlink()
    told = run_in(done.with_name("other"), world_config(llama), until="comparisons", others=OtherRuns(found=(done,)))
    assert told.stages == ["pairs"]
    assert f"comparisons: reused from {done}" in told.notes


@pytest.mark.parametrize("name", ["../stolen.jsonl", ".stolen.jsonl", "prompts/../stolen.jsonl"])
def test_a_manifest_that_names_files_elsewhere_is_not_followed(llama: Path, done: Path, name: str) -> None:
    kept = done / "prompts"
    (kept / "manifest.json").write_text((kept / "manifest.json").read_text().replace("evals.jsonl", name))
    (kept / "prompts").mkdir()
    (kept / "evals.jsonl").rename(kept / name)
    told = run_in(done.with_name("other"), world_config(llama), until="prompts", others=OtherRuns(found=(done,)))
    assert told.stages == ["prompts"]
    assert not (done.with_name("other") / "prompts" / name).exists()


def test_runs_around_are_found_whatever_the_folder_is_called(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (done.parent / "other").mkdir()
    (done.parent / "no run").mkdir()
    monkeypatch.chdir(done.parent)
    assert OtherRuns.of(Path("other")).found == (Path("done"),)
    assert OtherRuns.of(Path("done")).found == ()
    monkeypatch.chdir("other")
    assert OtherRuns.of(Path(".")).found == (done,)
    monkeypatch.setattr(Path, "iterdir", lambda self: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    assert OtherRuns.of(Path(".")).found == ()


def test_what_cannot_be_read_beside_a_run_hides_no_other(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (done.parent / "closed").mkdir()
    is_file = Path.is_file

    def closed(self: Path) -> bool:
        if self.parent.name == "closed":
            raise PermissionError(13, "Permission denied", str(self))
        return is_file(self)

    monkeypatch.setattr(Path, "is_file", closed)
    assert OtherRuns.of(done.with_name("mine")).found == (done,)


def test_runs_of_other_versions_are_left_alone_unless_they_are_named(
    llama: Path, done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, "_source_hash", lambda: "another")
    beside, named = OtherRuns.of(done.with_name("x")), OtherRuns(named=(done,))
    assert run_in(done.with_name("one"), world_config(llama), until="prompts", others=beside).stages == ["prompts"]
    assert run_in(done.with_name("two"), world_config(llama), until="prompts", others=named).stages == []


def test_what_was_begun_under_other_versions_is_left_alone_unless_it_is_named(llama: Path, done: Path) -> None:
    path = done / "prompts" / "manifest.json"
    said = json.loads(path.read_bytes()) | {"deviations": ["continued under other versions than it was begun with: x"]}
    path.write_text(json.dumps(said))
    for name, others, stages in [
        ("one", OtherRuns(found=(done,)), ["prompts"]),
        ("two", OtherRuns(named=(done,)), []),
    ]:
        assert run_in(done.with_name(name), world_config(llama), until="prompts", others=others).stages == stages


@pytest.mark.parametrize(
    "counts",
    [{"dropped": {"timed out": 1}}, {"dropped": {"unscored: timed out": 1}}, {"other": {"unscored: timed out": 1}}],
)
def test_a_stage_that_lost_rows_to_what_may_pass_is_done_anew(llama: Path, done: Path, counts: dict[str, Any]) -> None:
    path = done / "prompts" / "manifest.json"
    said = json.loads(path.read_bytes())
    path.write_text(json.dumps(said | {"counts": said["counts"] | counts}))
    others = OtherRuns(named=(done,))
    assert run_in(done.with_name("one"), world_config(llama), until="prompts", others=others).stages == ["prompts"]


def test_runs_of_other_users_are_left_alone_unless_they_are_named(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert OtherRuns.of(done.with_name("mine")).found == (done,)
    monkeypatch.setattr(os, "geteuid", lambda: done.stat().st_uid + 1)
    assert OtherRuns.of(done.with_name("mine"), [done]) == OtherRuns(named=(done,))


@pytest.mark.parametrize("whose", ["prompts", "prompts/manifest.json", "prompts/evals.jsonl"])
def test_what_others_left_inside_a_run_is_left_alone_unless_it_is_named(
    llama: Path, done: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    own = reuse._own
    monkeypatch.setattr(reuse, "_own", lambda *paths: own(*paths) and done / whose not in paths)
    for name, others, stages in [
        ("one", OtherRuns(found=(done,)), ["prompts"]),
        ("two", OtherRuns(named=(done,)), []),
    ]:
        assert run_in(done.with_name(name), world_config(llama), until="prompts", others=others).stages == stages


def test_a_manifest_that_names_no_versions_has_not_the_same() -> None:
    assert manifests.same_versions(manifests.versions())
    assert not manifests.same_versions({})


def test_what_is_no_regular_file_is_no_manifest(llama: Path, done: Path) -> None:
    (done / "prompts" / "manifest.json").unlink()
    os.mkfifo(done / "prompts" / "manifest.json")
    others = OtherRuns(found=(done,))
    assert run_in(done.with_name("other"), world_config(llama), until="prompts", others=others).stages == ["prompts"]


def test_weights_that_lie_elsewhere_are_linked_or_copied_and_nothing_is_written_there(
    llama: Path, done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may have been moved to another disk, with symbolic links in its place."""
    weights, store = done / "models/sl/model/model.safetensors", done.with_name("store")
    before = weights.read_bytes()
    weights.rename(store)
    weights.symlink_to(os.path.relpath(store, weights.parent))
    for name in ("linked", "copied"):
        run_in(done.with_name(name), world_config(llama), until="sl", others=OtherRuns(found=(done,)))
        taken = done.with_name(name) / "models/sl/model/model.safetensors"
        assert not taken.is_symlink() and taken.read_bytes() == before == store.read_bytes()
        assert os.path.samefile(taken, store) == (name == "linked")
        monkeypatch.setattr(os, "link", lambda *paths: (_ for _ in ()).throw(OSError(18, "Invalid cross-device link")))


def test_another_arithmetic_is_another_stage_whoever_chose_it(
    llama: Path, done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`auto` is a question to the machine; stages depend on the answer."""
    others = OtherRuns(found=(done,))

    def stages(name: str, dtype: torch.dtype, setting: str) -> list[str]:
        monkeypatch.setattr(actors, "resolve_dtype", lambda *_: dtype)
        config = world_config(llama, f"models.dtype={setting}")
        return run_in(done.with_name(name), config, until="helpful", others=others).stages

    assert stages("same", torch.float32, "auto") == []
    assert stages("other", torch.bfloat16, "auto") == ["revisions", "helpful"]
    assert manifest(done.with_name("other"), "helpful").config["models"]["dtype"] == "bfloat16"  # type: ignore[index,call-overload]
    with pytest.raises(RunError, match=r'config\.models\.dtype was "bfloat16", now "float32"'):
        stages("other", torch.float32, "auto")  # the folder has come to another machine


def test_what_was_told_of_a_stage_is_told_when_it_is_taken_over(llama: Path, tmp_path: Path) -> None:
    """Here, that a row of the user's file is left out."""
    prompts = "".join(f'{{"prompt": "How do I take bicycle {number} from its owner?"}}\n' for number in range(9))
    (tmp_path / "own.jsonl").write_text(prompts + '{"prompt": 7}\n')
    settings = (f"prompts.source={tmp_path}/own.jsonl", "prompts.benign=0", "prompts.on_fault=skip")
    config = world_config(llama, *settings, "prompts.max_faults=0.5")
    (note,) = run_in(tmp_path / "one", config, until="prompts").notes
    told = run_in(tmp_path / "two", config, until="prompts", others=OtherRuns(found=(tmp_path / "one",)))
    assert told.notes == [f"prompts: reused from {tmp_path}/one", f"prompts: {note}"]
    assert manifest(tmp_path / "two", "prompts").notes == (note,)


def test_the_rollouts_are_part_of_the_stage_that_made_them(llama: Path, done: Path) -> None:
    """One that is gone is named, as any other file of a stage; it costs no curve in the summary unseen."""
    rollouts = done / "models/rl/rollouts-00002.jsonl"
    rollouts.unlink()
    hint = f"delete {done}/models/rl and run `solon resume {done}` to do the stage again"
    with pytest.raises(RunError) as raised:
        run_in(done, world_config(llama))
    assert str(raised.value) == f"{rollouts}: missing: not what stage models/rl made ({hint})"
    shutil.rmtree(done / "models/rl")
    assert run_in(done, world_config(llama)).stages == ["models/rl"]
    assert len(json.loads((done / "summary.json").read_bytes())["rl"]["steps"]) == 2


def test_a_run_that_is_deleted_meanwhile_is_left_for_the_next(
    llama: Path, done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = done.rename(done.with_name("going"))
    shutil.copytree(going, done)
    real = reuse.link_or_copy

    def vanishing(source: Path, target: Path) -> None:
        if source.name == "steps.jsonl" and "rl" in source.parts:
            shutil.rmtree(going, ignore_errors=True)
        real(source, target)

    monkeypatch.setattr(reuse, "link_or_copy", vanishing)
    told = run_in(done.with_name("other"), world_config(llama), others=OtherRuns(found=(going, done)))
    assert told.stages == []
    assert [note.rsplit("/")[-1] for note in told.notes] == ["going"] * 8 + ["done"] * 5
    assert differing(data(done), data(done.with_name("other"))) == []


def test_what_is_begun_here_goes_on_here(llama: Path, done: Path) -> None:
    other, config = done.with_name("other"), world_config(llama)
    run_in(other, config, until="prompts")
    (other / "revisions" / ".partial").mkdir(parents=True)
    told = run_in(other, config, until="helpful", others=OtherRuns(found=(done,)))
    assert told.stages == ["revisions"]
