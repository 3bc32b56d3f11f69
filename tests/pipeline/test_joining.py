"""What the user is told where a cluster cannot be joined: one line, before anything is written."""

from __future__ import annotations

import http.server
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command import solon
from solon.config.run import ClusterSection
from solon.errors import RunError, UserError
from solon.pipeline.cluster import room
from solon.pipeline.joining import join


@pytest.fixture
def web_server() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


def refused(address: str) -> str:
    with pytest.raises(UserError) as caught:
        join(address)
    return str(caught.value)


def test_a_cluster_that_cannot_be_joined_is_one_line(web_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as free:
        nothing = f"127.0.0.1:{free.getsockname()[1]}"
    hint = "(begin one with `ray start --head`, see docs/cluster.md)"
    assert refused(nothing) == f"no Ray cluster answers at {nothing}: Connection refused {hint}"
    assert refused(web_server) == f"what answers at {web_server} is no Ray cluster (`ray status` says where yours is)"
    for address in ("here", "localhost:", "localhost:99999", ":6379"):
        assert refused(address) == f"--cluster expects auto or HOST:PORT, got {address}"

    def absent(**_: object) -> None:
        raise ConnectionError("Could not find\nany running Ray instance.")

    monkeypatch.setattr("ray.init", absent)
    hint = "(`ray start` on this machine too; RAY_AUTH_MODE=token if it has a token; see docs/cluster.md)"
    assert refused("auto") == f"cannot join the Ray cluster at auto: Could not find any running Ray instance. {hint}"


def test_without_ray_the_extra_is_named_and_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    result = solon("run", "-o", tmp_path / "run", "--cluster", "auto")
    assert (result.exit_code, result.stderr) == (2, "error: --cluster needs Ray Data (pip install 'solon[ray]')\n")
    assert list(tmp_path.iterdir()) == []


def machine(cpus: float, gpus: float = 0.0, alive: bool = True) -> dict[str, object]:
    resources = {"CPU": cpus, "memory": 1e9} | ({"GPU": gpus} if gpus else {})
    return {"Alive": alive, "Resources": resources}


def test_workers_share_the_machines() -> None:
    assert room(ClusterSection(), [machine(8), machine(16)]) == (3, {"num_cpus": 8, "num_gpus": 0})
    assert room(ClusterSection(), [machine(8, 2), machine(1, 4), machine(64)]) == (3, {"num_cpus": 1, "num_gpus": 1})
    assert room(ClusterSection(cpus=2), [machine(5), machine(3), machine(9, alive=False)])[0] == 3
    assert room(ClusterSection(gpus=2, cpus=4), [machine(8, 8)]) == (2, {"num_cpus": 4, "num_gpus": 2})
    assert room(ClusterSection(gpus=0.5), [machine(8, 2)]) == (4, {"num_cpus": 1, "num_gpus": 0.5})
    assert room(ClusterSection(workers=5), [machine(4)])[0] == 5  # of a cluster that grows
    with pytest.raises(RunError) as caught:
        room(ClusterSection(gpus=2), [machine(8, 1)])
    what = "no machine of the cluster has 1 processors and 2 GPUs, which a worker takes"
    assert str(caught.value) == f"{what} (lower cluster.cpus or cluster.gpus)"
