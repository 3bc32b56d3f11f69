"""The memory that a process may use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from solon.models.machine import Machine, cgroup_limits


def limits(folder: Path, own: str, files: Mapping[str, str]) -> list[int]:
    """`own`: the groups of the process; `files`: by their path below the root of all groups."""
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "own").write_text(own)
    return list(cgroup_limits(folder / "own", folder / "cgroup"))


def test_every_group_around_a_process_counts(tmp_path: Path) -> None:
    files = {"a/b/memory.max": "max\n", "a/memory.max": "4096\n", "memory.max": "8192\n", "c/memory.max": "1\n"}
    assert limits(tmp_path, "0::/a/b\n", files) == [4096, 8192]


def test_the_older_kind_of_group_counts_too(tmp_path: Path) -> None:
    files = {
        "memory/job/memory.limit_in_bytes": "4096\n",
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
        "cpu/job/memory.limit_in_bytes": "1\n",
    }
    assert limits(tmp_path, "5:cpu:/job\n3:memory:/job\n", files) == [4096]


def test_a_group_that_cannot_be_seen_is_passed_over(tmp_path: Path) -> None:
    assert limits(tmp_path, "0::/../outside\n", {"memory.max": "4096\n"}) == [4096]
    assert list(cgroup_limits(tmp_path / "none", tmp_path)) == []


def test_a_processor_lends_what_the_process_may_have() -> None:
    here = Machine.here(torch.device("cpu"))
    assert here.device == "cpu"
    assert 0 < here.memory == here.device_memory
    assert all(here.memory <= limit for limit in cgroup_limits())
