"""A stage made by two workers of a Ray cluster, one of them killed on the way, has the bytes of the same stage made in
one process; and how long both take.

The cluster is two machines of one core each, both of them this one. The stage is `revisions` of the world run: answer
and two rounds of critique and revision by the embedded model. Times are those of a run up to it; what the start of the
workers takes, the same with a shard for each of them tells.

    python bench/claims/cluster.py [--quick]
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from measuring.result import Result, at_least
from measuring.script import Options, Skip, result, run
from measuring.turns import median_seconds, seconds

SHARD = 32
STAGE = "revisions"


def measure(options: Options) -> Iterator[Result]:
    cores, rows = len(os.sched_getaffinity(0)), options.size(1024, 64)
    setting = f"embedded model, answer and two rounds, {rows} prompts in shards of {SHARD}, two workers, {cores} cores"
    with tempfile.TemporaryDirectory() as name, cluster() as address:
        folder = Path(name)
        equal, files = same_bytes(folder, rows, address)
        yield result(
            "a worker of a cluster is killed: files with the same bytes",
            setting=setting,
            peer="the same stage in one process",
            peer_figure=files,
            solon_figure=equal,
            unit="files",
            asked=at_least(1),
            packages=("ray",),
        )
        few = seconds(lambda: made(folder / "few", 2 * SHARD, address))
        numbers = iter(range(options.repetitions * 2))
        alone, beside = f"one process, {cores} threads", "cluster"
        sides = {
            alone: lambda: made(folder / str(next(numbers)), rows, None, threads=cores),
            beside: lambda: made(folder / str(next(numbers)), rows, address),
        }
        medians = median_seconds(sides, options.repetitions)
        yield result(
            "a stage on a cluster of two workers",
            setting=f"{setting}; {2 * SHARD} prompts take the cluster {few:.1f} s",
            peer=alone,
            peer_figure=medians[alone],
            solon_figure=medians[beside],
            unit="s",
            packages=("ray",),
        )


def same_bytes(folder: Path, rows: int, address: str) -> tuple[int, int]:
    """Files of the stage that are equal, and all of them. A worker dies when the first shard is there."""
    here, there = made(folder / "here", rows, None), made(folder / "there", rows, address, kill=True)
    return sum(there.get(name) == data for name, data in here.items()), len(here)


def made(folder: Path, rows: int, address: str | None, *, threads: int = 1, kill: bool = False) -> dict[str, bytes]:
    """The files of the stage."""
    import torch

    from solon.artifacts.finished import FinishedStage
    from solon.artifacts.run_folder import RunFolder
    from solon.config.load import load_run_config
    from solon.pipeline.run import run_pipeline
    from solon.progress import QuietReporter

    killed: list[int] = []

    class Killer(QuietReporter):
        def advance(self, rows: int, tokens: int) -> None:
            if kill and rows and not killed:
                killed.extend(kill_one())

    torch.set_num_threads(threads)
    counts = (f"prompts.harmful={rows}", "prompts.mixed=0", "prompts.benign=1", "prompts.evaluation=1")
    config = load_run_config(None, [*counts, f"sampling.shard_rows={SHARD}", "supervised.rounds=2"], WORLD)
    with open(os.devnull, "w") as nowhere, RunFolder.create(folder, config) as begun:
        run_pipeline(begun, Killer(nowhere), until=STAGE, cluster=address)
    if kill and not killed:
        raise RuntimeError("no worker was killed")
    found = FinishedStage.open(folder, STAGE)
    return {name: found.path(name).read_bytes() for name in found.manifest.outputs}


WORLD: dict[str, Any] = {"models.assistant": "embedded", "prompts.source": "world"}


def kill_one() -> Iterator[int]:
    """SIGKILL to a worker, whose process id it gives."""
    for process in psutil.process_iter(["cmdline"]):
        if "ray::MapWorker" in " ".join(process.info["cmdline"] or ()):
            process.kill()
            yield process.pid
            return


@contextmanager
def cluster() -> Iterator[str]:
    """The address of a cluster of two machines with a core each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        from ray.cluster_utils import Cluster
    except ImportError as error:
        raise Skip("no Ray (pip install 'solon[ray]')") from error
    small: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100_000_000}
    machines = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    machines.add_node(**small)
    try:
        yield machines.address
    finally:
        ray.shutdown()
        machines.shutdown()


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
