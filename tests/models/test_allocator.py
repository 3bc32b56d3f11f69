from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.tiny_run import Told
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.config.load import load_run_config
from solon.feedback.rows import Rows
from solon.models import allocator
from solon.models.allocator import give_memory_back, keep_freed_memory
from solon.pipeline.run import Pipeline
from solon.pipeline.shard import Maker
from solon.pipeline.stages import prompts
from solon.pipeline.work import Work

GLIBC = sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "malloc_trim")
MEGABYTES = 200


def resident() -> float:
    """Megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def take_and_free() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    blocks = [ctypes.c_void_p(libc.malloc(1 << 20)) for _ in range(MEGABYTES)]
    for block in blocks:
        ctypes.memset(block, 1, 1 << 20)
        libc.free(block)


@pytest.mark.skipif(not GLIBC, reason="another C library")
def test_freed_memory_is_kept_until_the_shard_is_made() -> None:
    assert keep_freed_memory()
    give_memory_back()
    before = resident()

    def make(items: Sequence[str]) -> Rows[str]:
        take_and_free()
        assert resident() - before > 0.9 * MEGABYTES
        return Rows()

    Maker(make=make, actors={})(["item"])
    assert resident() - before < 0.1 * MEGABYTES


@pytest.mark.skipif(not GLIBC, reason="another C library")
def test_what_a_stage_freed_is_given_back_before_the_next(tmp_path: Path) -> None:
    assert keep_freed_memory()
    with RunFolder.create(tmp_path / "run", load_run_config()) as run:
        pipeline = Pipeline(run, Told(), OtherRuns())
        give_memory_back()
        before = resident()

        def body(work: Work) -> None:
            take_and_free()
            assert resident() - before > 0.9 * MEGABYTES

        pipeline.do(replace(prompts, body=body))
    assert resident() - before < 0.1 * MEGABYTES


def test_it_is_silent_where_there_is_nothing_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.sys, "platform", "darwin")
    assert keep_freed_memory.__wrapped__() is False
    assert give_memory_back() is False
    monkeypatch.setattr(allocator.sys, "platform", "linux")
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    assert keep_freed_memory.__wrapped__() is False
    assert give_memory_back() is False
