"""What this machine lends to a process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch

from solon.records import Record

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_UNLIMITED = 1 << 60
"""From here on a limit is how version 1 of control groups says that there is none."""


class Machine(Record):
    """Memory in bytes."""

    memory: int
    """Of the processor: what it has, or a container's limit if that is less."""
    device: str
    """Where models are computed, e.g. `cpu`, `cuda`."""
    device_memory: int
    """There; the same as `memory` on a processor."""

    @classmethod
    def here(cls, device: torch.device) -> Machine:
        memory = min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *cgroup_limits()])
        on_gpu = device.type == "cuda"
        own = torch.cuda.get_device_properties(device).total_memory if on_gpu else memory
        return cls(memory=memory, device=device.type, device_memory=own)


def cgroup_limits(own: Path = _OWN, root: Path = _CGROUPS) -> Iterator[int]:
    """Every limit that the control groups around this process set, in bytes; none outside Linux."""
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers not in ("", "memory"):
                continue
            top = root / controllers
            name = "memory.limit_in_bytes" if controllers else "memory.max"
            inside = top / path.lstrip("/")
            for folder in (inside, *inside.parents):
                yield from _limit(folder / name)
                if folder == top:
                    break


def _limit(file: Path) -> Iterator[int]:
    with suppress(OSError, ValueError):  # no such group as seen from inside a container; `max`
        limit = int(file.read_text())
        if limit < _UNLIMITED:
            yield limit
