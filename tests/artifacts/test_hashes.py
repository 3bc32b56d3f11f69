"""Hashes that are remembered: of files in the very state in which they were read."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from solon.artifacts import hashes
from solon.artifacts.hashes import sha256_file


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files that are read; none is too small or too new to be remembered."""
    found: list[str] = []
    real = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, name: found.append(file.name) or real(file, name))
    monkeypatch.setattr(hashes, "LARGE_BYTES", 4)
    monkeypatch.setattr(hashes, "_SETTLED_NS", -1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hashes._known.cache_clear()
    yield found
    hashes._known.cache_clear()


def another_process() -> None:
    hashes._known.cache_clear()


def test_large_files_are_read_once_by_all_processes(tmp_path: Path, read: list[str]) -> None:
    large, small = tmp_path / "large", tmp_path / "small"
    large.write_bytes(b"weights")
    small.write_bytes(b"abc")
    for _ in range(2):
        assert sha256_file(large) == hashlib.sha256(b"weights").hexdigest()
        sha256_file(small)
        another_process()
    assert read == [str(large), str(small), str(small)]
    large.rename(tmp_path / "renamed")
    kept = json.loads((tmp_path / "cache/solon/sha256.json").read_bytes())
    assert list(kept.values()) == [hashlib.sha256(b"weights").hexdigest()]


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path, read: list[str]) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"weights")
    sha256_file(path)
    before = path.stat()
    path.write_bytes(b"WEIGHTS")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    another_process()
    assert sha256_file(path) == hashlib.sha256(b"WEIGHTS").hexdigest()


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', "\ufffd"])
def test_a_damaged_file_of_hashes_costs_time_and_no_more(tmp_path: Path, read: list[str], text: str) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"weights")
    sha256_file(path)
    (tmp_path / "cache/solon/sha256.json").write_text(text)
    another_process()
    assert sha256_file(path) == hashlib.sha256(b"weights").hexdigest() and len(read) == 2
    another_process()
    assert sha256_file(path) and len(read) == 2


def test_where_nothing_can_be_kept_files_are_read_again(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    path = tmp_path / "large"
    path.write_bytes(b"weights")
    for _ in range(2):
        another_process()
        assert sha256_file(path) == hashlib.sha256(b"weights").hexdigest()
    assert len(read) == 2


def test_only_so_many_are_kept(tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "MOST_KEPT", 2)
    for number in range(3):
        path = tmp_path / f"large-{number}"
        path.write_bytes(b"weights" * (number + 1))
        sha256_file(path)
    another_process()
    for number in (0, 1, 2):
        sha256_file(tmp_path / f"large-{number}")
    assert [Path(name).name for name in read] == ["large-0", "large-1", "large-2", "large-0"]


def test_a_user_without_a_home_keeps_no_hashes(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    path = tmp_path / "large"
    path.write_bytes(b"weights")
    assert sha256_file(path) == hashlib.sha256(b"weights").hexdigest()


def test_a_full_disk_is_left_as_it_was(tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    path = tmp_path / "large"
    path.write_bytes(b"weights")
    sha256_file(path)
    assert list((tmp_path / "cache/solon").iterdir()) == []


def test_a_file_that_is_replaced_meanwhile_is_remembered_as_what_was_read(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened first: what is asked about and what is read are one file."""
    path, next_one = tmp_path / "large", tmp_path / "next"
    path.write_bytes(b"weights")
    next_one.write_bytes(b"WEIGHTS")
    state, real = path.stat(), hashes.known

    def replaced(found: os.stat_result) -> str | None:
        if next_one.exists():
            next_one.replace(path)
        return real(found)

    monkeypatch.setattr(hashes, "known", replaced)
    assert sha256_file(path) == hashlib.sha256(b"weights").hexdigest() == real(state)
    assert sha256_file(path) == hashlib.sha256(b"WEIGHTS").hexdigest()
