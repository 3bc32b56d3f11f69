"""Two processes train like one: every stage, with whole weights and in shards; killed, and resumed by another number.

Two processes add up in another order than one. So numbers of a step may differ by 1e-4 of their size, and by 1e-5 where
they are near 0: on the tiny models here they differ by some 1e-6.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pipeline.tiny_run import Told, manifest, rows, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.config.run import RunConfig
from solon.errors import ProcessError, RunError, SolonError
from solon.pipeline import members
from solon.pipeline.run import run_pipeline
from solon.toml_text import leaves

SECTIONS = {"sl": "sft", "pm": "preference", "rl": "rl", "dpo": "dpo"}
SCRIPT = Path(__file__).parent / "together.py"
RL = ("rl.samples_per_prompt=3", "rl.batch_size=3", "rl.learning_rate=1e-3")
PPO = (*RL, "rl.algorithm=ppo", "rl.epochs=2")
DPO = ("alignment=dpo", "dpo.batch_size=3", "dpo.epochs=2", "dpo.holdout=0.3", "dpo.learning_rate=1e-3")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A stage of a run, and the settings that differ from the finished one's."""

    stage: str
    settings: tuple[str, ...] = ()
    shard: str = "none"

    @property
    def all_settings(self) -> tuple[str, ...]:
        """In shards, each row is read by itself: so a process often has less to do than the other."""
        section = SECTIONS[self.stage]
        tokens = 10 if self.shard == "full" else 4096
        return (*self.settings, f"{section}.shard={self.shard}", f"{section}.micro_batch_tokens={tokens}")


WAYS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "sft": ("sl", ("sft.batch_size=3",)),
    "preference": ("pm", ("preference.batch_size=3", "preference.learning_rate=1e-3")),
    "grpo": ("rl", RL),
    "ppo": ("rl", PPO),
    "dpo": ("dpo", DPO),
    "adapters": ("rl", (*PPO, "rl.lora.rank=4", "rl.learning_rate=1e-2", "rl.gradient_checkpointing=true")),
    "one model": ("rl", (*RL, "rl.lora.rank=4", "preference.lora.rank=4", "preference.start=sl")),
    "judged": ("rl", (*RL, "rl.rewards.judge=1", "rl.rewards.length=0.1", "rl.rewards.length_between=[0,2]")),
    "watched": ("rl", (*RL, "rl.monitor.gold=judge", "rl.monitor.every=1", "preference.holdout=0.5")),
    "stopped early": ("sl", ("sft.batch_size=3", "sft.early_stopping.every=1", "sft.early_stopping.holdout=0.4")),
}
"""Batches of three rows, which two processes cannot share evenly."""
WHOLE = ("one model", "judged", "watched", "stopped early")
"""Ways with whole weights alone."""
CASES = {
    f"{name}, {shard}": Case(stage=stage, settings=settings, shard=shard)
    for name, (stage, settings) in WAYS.items()
    for shard in {"adapters": ["full"]}.get(name, ["none"] if name in WHOLE else ["none", "full"])
}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _together(arguments: Sequence[str], processes: int = 2) -> None:
    """Starts the script as torchrun would."""
    place = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    path = os.pathsep.join(path for path in (str(SCRIPT.parents[1]), os.environ.get("PYTHONPATH")) if path)
    started = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments],
            env={**os.environ, **place, "RANK": str(rank), "LOCAL_RANK": str(rank), "PYTHONPATH": path},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    said = [one.communicate()[1] for one in started]
    assert [one.returncode for one in started] == [0] * processes, "\n".join(said)


@pytest.fixture(scope="module")
def alone(llama: Path, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each way by one process."""
    runs = {}
    for name, (stage, settings) in WAYS.items():
        runs[name] = tmp_path_factory.mktemp("alone") / "run"
        config = world_config(llama, *settings)
        run_in(runs[name], config, until=stage, others=OtherRuns.of(runs[name], [finished]))
    return runs


@pytest.fixture(scope="module")
def together(llama: Path, alone: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each case by two."""
    runs = {}
    for name, case in CASES.items():
        runs[name] = tmp_path_factory.mktemp("together") / "run"
        shutil.copytree(alone[name.partition(",")[0]], runs[name])
        shutil.rmtree(runs[name] / "models" / case.stage)
        with RunFolder.create(runs[name], world_config(llama, *case.all_settings)) as run:
            run.keep()
    _together([text for name, case in CASES.items() for text in (str(runs[name]), case.stage)])
    return runs


def assert_same_training(one: Path, other: Path, stage: str) -> None:
    """Curves and weights agree, and all else that the stage says is equal."""
    for steps, others in zip(_steps(one, stage), _steps(other, stage), strict=True):
        assert others == pytest.approx(steps, rel=1e-4, abs=1e-5)
    weights, others_weights = (load_file(run / "models" / stage / "model/model.safetensors") for run in (one, other))
    assert weights.keys() == others_weights.keys()
    for name, weight in weights.items():
        torch.testing.assert_close(weight, others_weights[name], rtol=2e-3, atol=2e-4)
    first, second = (manifest(run, f"models/{stage}") for run in (one, other))
    assert first.counts == second.counts
    assert first.outputs.keys() == second.outputs.keys()


def _steps(run: Path, stage: str) -> list[dict[str, float]]:
    found = rows(run, f"models/{stage}", "steps")
    assert found
    return [dict(leaves(row)) for row in found]


@pytest.mark.parametrize("name", CASES)
def test_two_processes_have_the_curve_of_one(name: str, alone: dict[str, Path], together: dict[str, Path]) -> None:
    assert_same_training(alone[name.partition(",")[0]], together[name], CASES[name].stage)


@pytest.mark.parametrize("name", CASES)
def test_operations_are_those_of_all_processes(name: str, alone: dict[str, Path], together: dict[str, Path]) -> None:
    """What one process reads once two may read twice: what their rows share, and in shards what keeps them in step."""
    stage = f"models/{CASES[name].stage}"
    one, two = (manifest(run, stage).timing for run in (alone[name.partition(",")[0]], together[name]))
    assert 0.99 * one.flops < two.flops < (2.5 if CASES[name].shard == "full" else 1.5) * one.flops
    assert two.peak_flops is not None


def test_rollouts_are_those_of_one_process(alone: dict[str, Path], together: dict[str, Path]) -> None:
    for name in ("ppo", "grpo"):
        want = rows(alone[name], "models/rl", "rollouts")
        for shard in ("none", "full"):
            got = rows(together[f"{name}, {shard}"], "models/rl", "rollouts")
            assert [(row["id"], row["text"]) for row in got] == [(row["id"], row["text"]) for row in want]
            scores = [row["preference_score"] for row in want]
            assert [row["preference_score"] for row in got] == pytest.approx(scores, abs=1e-3)


def _begun(folder: Path, done: Path, config: RunConfig) -> None:
    """A run in which finetuning is to be done."""
    shutil.copytree(done, folder)
    shutil.rmtree(folder / "models" / "sl")
    with RunFolder.create(folder, config) as run:
        run.keep()


class _Kills(Told):
    """Kills a run when so many rows are done."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def advance(self, rows: int, tokens: int) -> None:
        super().advance(rows, tokens)
        if self.rows[self.stages[-1]] >= self.at:
            raise KeyboardInterrupt


def test_a_killed_training_goes_on_with_another_number_of_processes(
    llama: Path, finished: Path, tmp_path: Path
) -> None:
    """One begins, two go on, one ends."""
    _begun(tmp_path / "run", finished, world_config(llama, "sft.shard=full", "sft.checkpoint_steps=1"))
    total = manifest(finished, "models/sl").counts.rows_out * 2
    for processes in (1, 2):
        with RunFolder.resume(tmp_path / "run") as run, pytest.raises(KeyboardInterrupt):
            run_pipeline(run, _Kills(at=total // 3), until="sl", processes=processes)
        saved = list((tmp_path / "run/models/sl/.partial/checkpoints").glob("step-*/*.safetensors"))
        assert len(saved) == processes
    told = Told()
    with RunFolder.resume(tmp_path / "run") as run:
        run_pipeline(run, told, until="sl")
    assert 0 < told.rows["models/sl"] < total - total // 3, "less than the first has left"
    assert_same_training(finished, tmp_path / "run", "sl")


SAYS = """
import json, os, sys, time
rank = int(os.environ["RANK"])
{what}
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("what", "kind", "message"),
    [
        (
            'fault = {"what": "no room", "where": None, "hint": "make some"}\n'
            'if rank: print(json.dumps(["failed", "RunError", [fault]]), flush=True)',
            RunError,
            "no room (make some)",
        ),
        (
            "if not rank: os.kill(os.getpid(), 11)",
            ProcessError,
            "the process of stage models/sl was killed by SIGSEGV; what was done is kept",
        ),
        (
            'print(json.dumps(["lost", "no answer"]), flush=True); sys.exit(3)',
            ProcessError,
            "the processes of stage models/sl lost each other: no answer; what was done is kept",
        ),
    ],
)
def test_a_process_that_fails_ends_all_with_one_message(
    what: str, kind: type[SolonError], message: str, llama: Path, finished: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(members, "COMMAND", (sys.executable, "-c", SAYS.format(what=what)))
    _begun(tmp_path / "run", finished, world_config(llama))
    with RunFolder.resume(tmp_path / "run") as run, pytest.raises(kind) as caught:
        run_pipeline(run, Told(), until="sl", processes=2)
    assert str(caught.value) == message


def test_a_bug_in_a_process_says_where_it_told(
    llama: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "COMMAND", (sys.executable, "-c", SAYS.format(what="if rank: sys.exit(1)")))
    _begun(tmp_path / "run", finished, world_config(llama))
    with RunFolder.resume(tmp_path / "run") as run, pytest.raises(RuntimeError, match="process 2 of stage models/sl"):
        run_pipeline(run, Told(), until="sl", processes=2)
