"""Several processes, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.command import done, solon, tiny_settings
from solon.artifacts.run_folder import RunFolder
from solon.config.load import load_run_config
from tiny_models import tiny_model_folder


def test_a_stage_that_trains_is_done_by_two_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, run = tiny_model_folder(tmp_path / "model", max_position_embeddings=2048), tmp_path / "run"
    begun: list[str] = []
    monkeypatch.setattr("solon.pipeline.members.Popen", _noting(begun))
    said = done("stage", "sl", "--model", model, "-o", run, "--nproc", "2", "--json", *tiny_settings())
    assert begun == ["0", "1"]
    events = [json.loads(line) for line in said.splitlines() if line.startswith('{"event"')]
    ended = {event["stage"]: (event["rows"], event["total_rows"]) for event in events if event["event"] == "stage_done"}
    assert ended["models/sl"][0] == ended["models/sl"][1] > 0
    assert (run / "models/sl/model/model.safetensors").exists()


def _noting(begun: list[str]) -> object:
    """`Popen` that tells the ranks of what it starts."""
    from subprocess import Popen

    def start(*arguments: object, env: dict[str, str], **others: object) -> object:
        begun.append(env["RANK"])
        return Popen(*arguments, env=env, **others)  # type: ignore[call-overload]

    return start


@pytest.mark.parametrize("by", ["--nproc", "torchrun"])
def test_vllm_answers_in_one_process(by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2" if by == "torchrun" else "1")
    several = ("--nproc", "2") if by == "--nproc" else ()
    result = solon("run", "-o", tmp_path / "run", "--set", "rl.sampler=vllm", *several)
    what = '2 processes would train together, but rl.sampler is "vllm", which is of one'
    assert (
        result.stderr == f'error: {what} (start one process, or set rl.sampler to "local", which shares answers out)\n'
    )
    assert result.exit_code == 2 and not (tmp_path / "run").exists()
    with RunFolder.create(tmp_path / "begun", load_run_config("world", ["rl.sampler=vllm"])):
        pass
    assert solon("resume", tmp_path / "begun", *several).stderr == result.stderr


def test_there_is_at_least_one_process() -> None:
    result = solon("run", "--nproc", "0")
    assert result.exit_code == 2 and "--nproc" in result.stderr


@pytest.mark.parametrize("command", [("run",), ("resume", "anywhere"), ("stage", "sl")])
def test_torchrun_starts_processes_by_itself(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    result = solon(*command, "--nproc", "2")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: --nproc and torchrun both start processes (leave out --nproc)\n",
    )
