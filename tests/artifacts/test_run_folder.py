from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from solon.artifacts.run_folder import RunFolder
from solon.config.feedback import JudgeSection
from solon.config.load import load_run_config
from solon.config.run import RunConfig
from solon.config.section import Section
from solon.config.training import RLSection
from solon.errors import RunError

HOLD = """
import sys, time
from solon.artifacts.run_folder import RunFolder
from solon.config.run import RunConfig
run = RunFolder.create(sys.argv[1], RunConfig())
print("locked", flush=True)
time.sleep(60)
"""


def test_a_new_folder_holds_the_resolved_run_and_the_users_file(tmp_path: Path) -> None:
    config = load_run_config(None, ["name=mine", "rl.steps=3"])
    with RunFolder.create(tmp_path / "a" / "run", config, original='name = "mine" # my note\n') as run:
        assert sorted(os.listdir(run.path)) == [".lock", "original.toml", "run.json", "run.toml"]
        assert load_run_config(run.path / "run.toml") == config
        assert (run.path / "original.toml").read_text() == 'name = "mine" # my note\n'
    with RunFolder.resume(tmp_path / "a" / "run") as run:
        assert run.config == config


def test_the_same_run_goes_on_and_another_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with RunFolder.create(folder, RunConfig()):
        pass
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with RunFolder.create(folder, RunConfig()):
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with pytest.raises(RunError) as caught:
        RunFolder.create(folder, RunConfig(seed=1, rl=RLSection(steps=5)))
    assert str(caught.value) == (
        f"{folder} holds another run: seed was 0, now 1; rl.steps was {RunConfig().rl.steps}, now 5 "
        f"(choose another folder with -o, or go on with that run: `solon resume {folder}`)"
    )
    with RunFolder.create(folder, RunConfig()):
        pass  # the refusal gave the lock back


def test_the_folder_says_every_key_of_every_section(tmp_path: Path) -> None:
    """Also those that stages do not depend on at their default: another default would make it another run."""

    def keys(section: Section) -> dict[str, Any]:
        return {name: keys(value) if isinstance(value, Section) else None for name, value in section}

    def without_values(kept: Any, like: dict[str, Any]) -> Any:
        return {name: without_values(kept[name], inner) if inner else None for name, inner in like.items()}

    with RunFolder.create(tmp_path, RunConfig()) as run:
        kept = json.loads((run.path / "run.json").read_text())["config"]
    assert kept["judge"]["decide"] == "mean" and kept["judge"]["principles"] == 1 and kept["judge"]["tie"] == 0.1
    assert without_values(kept, keys(RunConfig())) == keys(RunConfig())


OLDER_JUDGE = {"method": "logprob", "orders": "random", "clamp": None, "max_unscored": 0.2}
"""All keys that the section had when `random` was the default of `orders`."""


def older(folder: Path) -> Path:
    """A run from before the judge could be asked in further ways."""
    with RunFolder.create(folder, load_run_config(None, ["judge.orders=random"])):
        pass
    record = json.loads((folder / "run.json").read_text())
    record["config"]["judge"] = OLDER_JUDGE
    for key in ("whole", "whole_tokens"):
        del record["config"]["constitution"][key]
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def test_an_older_run_keeps_the_order_in_which_its_judge_was_asked(tmp_path: Path) -> None:
    with RunFolder.resume(older(tmp_path)) as run:
        judge = run.config.judge
        assert (judge.orders, judge.decide, judge.principles) == ("random", "mean", 1)
        assert judge.result_settings() == {"method": "logprob", "orders": "random", "clamp": None}  # of its manifests
    with RunFolder.create(tmp_path, load_run_config(None, ["judge.orders=random", "judge.decide=mean"])):
        pass
    with pytest.raises(RunError, match=r'holds another run: judge\.orders was "random", now "both" '):
        RunFolder.create(
            tmp_path, load_run_config(None, [f"judge.orders={JudgeSection().orders}", "judge.decide=mean"])
        )


def test_a_run_goes_on_with_other_devices_batches_and_limits(tmp_path: Path) -> None:
    """What cannot change a result; the folder says what holds now."""
    with RunFolder.create(tmp_path, load_run_config()):
        pass
    other = load_run_config(None, ["judge.max_unscored=0.5", "models.device=cpu", "rl.micro_batch_tokens=640"])
    with RunFolder.create(tmp_path, other) as run:
        assert load_run_config(tmp_path / "run.toml") == load_run_config()  # a stage may still refuse a path
        run.keep()
    with RunFolder.resume(tmp_path) as run:
        assert run.config == other == load_run_config(tmp_path / "run.toml")


def test_a_kill_right_after_the_first_file_is_mended(tmp_path: Path) -> None:
    config = load_run_config()
    with RunFolder.create(tmp_path, config, original="# mine\n"):
        pass
    (tmp_path / "run.toml").unlink()
    (tmp_path / ".run.toml.tmp").write_text("half")
    (tmp_path / ".revisions.6a1c128d.tmp" / "model").mkdir(parents=True)  # half taken over from another run
    with RunFolder.create(tmp_path, config, original="# mine\n"):
        assert load_run_config(tmp_path / "run.toml") == config
    assert sorted(os.listdir(tmp_path)) == [".lock", "original.toml", "run.json", "run.toml"]


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "run.toml", "z"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(RunError) as caught:
        RunFolder.create(tmp_path, RunConfig())
    assert str(caught.value) == (
        f"{tmp_path} is not empty and holds no run (a.txt, b.txt, run.toml and 1 more) (choose a new folder with -o)"
    )
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt", "run.toml", "z"]


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(RunError, match=r"cannot use .*run as a run folder: .*: File exists \(choose another folder"):
        RunFolder.create(tmp_path / "run", RunConfig())
    with pytest.raises(RunError, match="Not a directory"):
        RunFolder.create(tmp_path / "run" / "below", RunConfig())


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        RunFolder.resume(tmp_path)
    assert str(caught.value) == f"{tmp_path} holds no run (begin one with `solon run -o {tmp_path}`)"


def test_an_unreadable_run_file_is_named(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, RunConfig()):
        pass
    text = (tmp_path / "run.json").read_text()
    (tmp_path / "run.json").write_text(text.replace('"seed"', '"sead"'))
    with pytest.raises(RunError, match=rf"{tmp_path}/run.json: not a run that this version .*: config.sead: Extra"):
        RunFolder.resume(tmp_path)


def test_a_run_that_cannot_be_written_is_not_to_be_resumed_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunFolder.create(tmp_path, RunConfig()):
        pass

    def closed(path: str, *_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", closed)
    with pytest.raises(RunError) as caught:
        RunFolder.resume(tmp_path)
    assert str(caught.value) == (
        f"cannot use {tmp_path} as a run folder: {tmp_path}/.lock: Permission denied "
        f"(see to that, or only print a finished run's result: `solon report {tmp_path}`)"
    )


def test_two_processes_never_share_a_folder_and_a_kill_frees_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
        message = f"{tmp_path} is in use by process {holder.pid} (wait until it ends, or use another run folder)"
        for opening in (lambda: RunFolder.create(tmp_path, RunConfig()), lambda: RunFolder.resume(tmp_path)):
            with pytest.raises(RunError) as caught:
                opening()
            assert str(caught.value) == message
        holder.kill()
    with RunFolder.resume(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
def test_what_is_no_plain_file_is_no_lock_and_left_alone(tmp_path: Path, kind: str) -> None:
    folder, lock, precious = tmp_path / "run", tmp_path / "run" / ".lock", tmp_path / "precious.txt"
    with RunFolder.create(folder, RunConfig()):
        pass
    lock.unlink()
    if kind == "link":
        precious.write_text("mine")
    make = {"pipe": os.mkfifo, "folder": os.mkdir}.get(kind, lambda path: os.symlink(precious, path))
    make(lock)
    for opening in (lambda: RunFolder.resume(folder), lambda: RunFolder.create(folder, RunConfig())):
        with pytest.raises(RunError) as caught:
            opening()
        assert str(caught.value) == f"{lock} is not a plain file (delete it: it is no lock of Solon's)"
    assert precious.exists() == (kind == "link") and (kind != "link" or precious.read_text() == "mine")


def test_one_process_cannot_lock_twice(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, RunConfig()), pytest.raises(RunError, match=f"in use by process {os.getpid()}"):
        RunFolder.resume(tmp_path)


def test_full_storage_anywhere_in_the_run_is_a_run_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="No space left on device"), RunFolder.create(tmp_path / "run", RunConfig()):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), RunFolder.resume(tmp_path / "run"):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "elsewhere"))


def test_the_folder_is_ready_for_its_first_use_without_torch() -> None:
    code = "import sys, solon.artifacts, solon.config.load, solon.progress; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
