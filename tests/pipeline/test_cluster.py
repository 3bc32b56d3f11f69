"""Many machines: rows made by the workers of a real Ray cluster, whatever becomes of them, are those made here."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.cluster_driver import SHARDS, make_stage
from pipeline.tiny_run import Told, data, differing, world_config
from solon.artifacts.run_folder import RunFolder
from solon.config.run import ClusterSection
from solon.errors import ProcessError, RunError, TimedOutError, Where
from solon.feedback.rows import Rows, run_rows
from solon.pipeline import cluster
from solon.pipeline.cluster import Cluster
from solon.pipeline.joining import join
from solon.pipeline.run import run_pipeline
from solon.pipeline.shard import Maker, Shard
from solon.records import Answer

ray = pytest.importorskip("ray", reason="no Ray (pip install 'solon[ray]')")
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import it


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a cluster of two machines with one processor each, both of them this one."""
    from ray.cluster_utils import Cluster as LocalCluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "disabled")  # else it depends on a file in the user's home
        patch.setenv("RAY_raylet_start_wait_time_s", "120")  # on a crowded machine
        small = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
        machines = LocalCluster(initialize_head=True, head_node_args=small)
        machines.add_node(num_cpus=1, object_store_memory=80_000_000)
        patch.setenv("RAY_ADDRESS", machines.address)
        try:
            yield "auto"
        finally:
            ray.shutdown()
            machines.shutdown()


@pytest.fixture
def worker(address: str) -> Cluster:
    """One, for each takes a second to start."""
    return Cluster(address=address, section=ClusterSection(workers=1), progress=lambda rows, tokens: None)


def answer(name: object, text: str = "") -> Answer:
    return Answer(id=str(name), prompt_id="", text=text, tokens=1, finished=True)


def made(
    workers: Cluster, make: Callable[[Sequence[int]], Rows[Answer]], *parts: Sequence[int]
) -> dict[int, Shard[Any]]:
    return dict(workers(Maker(make=make, actors={}), dict(enumerate(parts))))


def test_a_killed_worker_of_a_stage_changes_no_byte(llama: Path, finished: Path, tmp_path: Path, address: str) -> None:
    """It is killed when the first shard is there and the others are not."""
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    shutil.rmtree(run / "revisions")
    killed: list[int] = []

    class Killer(Told):
        def advance(self, rows: int, tokens: int) -> None:
            super().advance(rows, tokens)
            if rows and not killed:
                killed.extend(kill_one())

    told = Killer()
    with RunFolder.create(run, world_config(llama)) as folder:
        run_pipeline(folder, told, until="revisions", cluster=address)
    assert killed and told.stages == ["revisions"]
    assert told.rows == {"revisions": told.totals["revisions"]}
    assert differing(data(finished), data(run)) == []


def kill_one() -> Iterator[int]:
    """Kills a worker of Ray Data, if there is one."""
    for process in psutil.process_iter(["cmdline"]):
        if "ray::MapWorker" in " ".join(process.info["cmdline"] or ()):
            process.kill()
            yield process.pid
            return


def test_a_worker_that_dies_and_a_row_that_fails_leave_the_others_alone(address: str, tmp_path: Path) -> None:
    died = tmp_path / "died"

    def make(items: Sequence[int]) -> Rows[Answer]:
        async def row(item: int) -> Answer:
            if item == 10:
                raise TimedOutError("no reply")
            return answer(item)

        if 5 in items and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return run_rows(map(row, items))

    two = Cluster(address=address, section=ClusterSection(), progress=lambda rows, tokens: None)
    shards = made(two, make, *((3 * k, 3 * k + 1, 3 * k + 2) for k in range(6)))
    rows = [row.id for number in sorted(shards) for row in shards[number].rows.records]
    assert died.exists() and rows == [str(item) for item in range(18) if item != 10]
    assert [dict(shards[number].rows.dropped) for number in range(6)] == [{}, {}, {}, {"timed out": 1}, {}, {}]


def test_a_shard_that_kills_every_worker_ends_the_run(
    worker: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "TRIES", 2)

    def make(items: Sequence[int]) -> Rows[Answer]:
        with open(tmp_path / "tries", "a") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
        return Rows()

    what = r"^the cluster lost 2 workers at one shard, or itself; what was done is kept \("
    with pytest.raises(ProcessError, match=what):
        made(worker, make, [1])
    assert (tmp_path / "tries").read_text() == "xx"


def test_what_a_worker_raises_is_raised_here(worker: Cluster) -> None:
    def faulty(items: Sequence[int]) -> Rows[Answer]:
        raise RunError("broken", where=Where("a.json", 3), hint="mend it")

    def bug(items: Sequence[int]) -> Rows[Answer]:
        raise KeyError("a bug of ours")

    with pytest.raises(RunError) as caught:
        made(worker, faulty, [1])
    (fault,) = caught.value.faults
    assert str(fault) == "a.json:3: broken (mend it)"
    with pytest.raises(ray.exceptions.RayTaskError, match="KeyError: 'a bug of ours'"):
        made(worker, bug, [1])


def test_other_versions_are_refused(worker: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "versions", lambda: {"solon": "0.0.1"})
    from solon import __version__

    what = f"a machine of the cluster has other versions than the one that asks: solon {__version__}, not 0.0.1"
    with pytest.raises(RunError) as caught:
        made(worker, lambda items: Rows(), [1])
    assert str(caught.value) == f"{what} (install the same on all)"


def test_files_of_this_machine_are_read_on_another_in_pieces(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").write_bytes(text := os.urandom(1000))
    monkeypatch.setattr(cluster, "_PIECE_BYTES", 300)
    reader = cluster._reader(join(address))
    assert b"".join(reader(tmp_path / "weights")) == text


def test_a_killed_driver_is_resumed_to_the_same_bytes(address: str, tmp_path: Path) -> None:
    """The cluster ends what a driver that died had begun."""
    script = f"import sys; sys.path[:0] = {sys.path!r}\nfrom pipeline.cluster_driver import make_stage\nmake_stage("
    command = [sys.executable, "-c", f"{script}{str(tmp_path / 'far')!r}, {address!r})"]
    with subprocess.Popen(command) as driver:
        first = tmp_path / "far" / "numbers" / "rows-00000.jsonl"
        while driver.poll() is None and not first.exists():
            time.sleep(0.01)
        driver.kill()
    kept = {path.name for path in first.parent.glob("*.jsonl")}
    assert driver.returncode == -signal.SIGKILL and 0 < len(kept) < SHARDS
    assert make_stage(tmp_path / "far", address) == SHARDS - len(kept)
    assert make_stage(tmp_path / "here", None) == SHARDS
    files = {path.name: path.read_bytes() for path in (tmp_path / "here" / "numbers").glob("*.jsonl")}
    assert len(files) == SHARDS
    assert {path.name: path.read_bytes() for path in first.parent.glob("*.jsonl")} == files
