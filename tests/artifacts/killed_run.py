"""Runs two small stages, one of shards and one of steps, in forked children; with `--kill` each child is killed with
SIGKILL after a random time, until one reaches the end. Prints the number of kills.

Forking spares importing torch for each child; the folder's lock, its files and the kill are as real as can be.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import torch
from safetensors.torch import save_file

from solon.artifacts.finished import FinishedStage
from solon.artifacts.manifest import versions
from solon.artifacts.run_folder import RunFolder
from solon.artifacts.stage import StageFolder
from solon.config.run import RunConfig
from solon.records import Answer
from stages import header


def make_rows(stage: StageFolder) -> None:
    stage.drop("too long", 3)

    def work(items: Sequence[int]) -> list[Answer]:
        time.sleep(0.004)
        stage.add_tokens(len(items))
        stage.drop("multiple of 7", sum(item % 7 == 0 for item in items))
        return [
            Answer(id=f"a{item}", prompt_id=f"p{item}", text="é" * item, tokens=item, finished=True)
            for item in items
            if item % 7
        ]

    stage.rows(range(60), shard_rows=3, work=work, record=Answer)
    stage.finish()


def train(stage: StageFolder) -> None:
    stage.count("in", 60)
    weight, begin = torch.zeros(64), 0
    if (found := stage.checkpoint.latest()) is not None:
        weight, begin = found.tensors["weight"], found.step
    for step in range(begin, 20):
        time.sleep(0.004)
        weight = weight * 0.9 + torch.arange(64) / (step + 1)
        stage.count("steps")
        stage.write_shard("log", step, [Answer(id=str(step), prompt_id="", text="", tokens=0, finished=True)])
        if step % 3 == 2:
            stage.checkpoint.save(step + 1, {"weight": weight}, {"sum": weight.sum().item()})
    with stage.new_folder("model") as folder:
        save_file({"weight": weight}, folder / "model.safetensors")
    stage.finish(sum=weight.sum().item())


def whole_run(folder: Path) -> None:
    torch.set_num_threads(1)
    with RunFolder.create(folder, RunConfig()) as run:
        of_rows = header(run, "rows", run.config.sampling.model_dump(mode="json"))
        if FinishedStage.of(run.path, of_rows) is None:
            make_rows(StageFolder(run.path, of_rows))
        inputs = {"rows": FinishedStage.open(run.path, "rows").manifest.fingerprint}
        of_model = header(run, "models/sl", run.config.sft.model_dump(mode="json"), inputs)
        if FinishedStage.of(run.path, of_model) is None:
            train(StageFolder(run.path, of_model))


def main(folder: Path, *, kill: bool) -> int:
    random.seed(0)
    versions()  # hashes the source once, not in every child
    kills = 0
    while True:
        child = os.fork()
        if child == 0:
            whole_run(folder)
            os._exit(0)
        if kill:
            # Longer and longer, so that it ends on a slow machine too.
            time.sleep(random.uniform(0.002, 0.03 * 1.06**kills))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            kills += 1
        else:
            assert os.waitstatus_to_exitcode(status) == 0
            return kills


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), kill="--kill" in sys.argv))
