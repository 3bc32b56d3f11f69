from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from safetensors import SafetensorError

from solon.artifacts import hashes
from solon.artifacts.atomic import canonical_json, folder_atomic, storage_errors, sweep, write_atomic
from solon.artifacts.hashes import sha256_file
from solon.errors import RunError
from solon.records import Turn


def test_canonical_json_has_one_spelling() -> None:
    assert canonical_json({"p": 0.1, "text": "é\n\u2028"}) == '{"p":0.1,"text":"é\\n\u2028"}\n'.encode()
    assert canonical_json({"tiny": 5e-324, "big": 1e22, "third": 1 / 3, "whole": 1.0}) == (
        b'{"tiny":5e-324,"big":1e+22,"third":0.3333333333333333,"whole":1.0}\n'
    )
    assert canonical_json(Turn(role="human", text="Hi")) == b'{"role":"human","text":"Hi"}\n'
    assert canonical_json({"a": (1, None), "b": Path("x/y")}) == b'{"a":[1,null],"b":"x/y"}\n'


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_canonical_json_refuses_what_json_cannot_hold(number: float) -> None:
    with pytest.raises(ValueError):
        canonical_json({"loss": number})


def test_sha256_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_file(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_an_unchanged_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one that was written just now: it may change again within one tick of the file system's clock."""
    path, read = tmp_path / "weights", []
    real = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, name: read.append(file.name) or real(file, name))
    path.write_bytes(b"abc")
    assert sha256_file(path) == sha256_file(path) and len(read) == 2
    monkeypatch.setattr(hashes, "_SETTLED_NS", -1)
    assert sha256_file(path) == sha256_file(path) and len(read) == 3
    path.write_bytes(b"abd")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert sha256_file(path) == hashlib.sha256(b"abd").hexdigest() and len(read) == 4


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.jsonl"
    write_atomic(path, b"old\n")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError) as caught, storage_errors(tmp_path):
        write_atomic(path, b"new\n")
    assert str(caught.value) == (
        f"cannot write {path}: No space left on device; all that was committed before is kept "
        f"(free some space, then `solon resume {tmp_path}`)"
    )
    assert path.read_bytes() == b"old\n"
    assert os.listdir(tmp_path) == ["rows.jsonl"]


def test_forbidden_storage_is_the_users_to_mend(tmp_path: Path) -> None:
    with (
        pytest.raises(RunError, match=rf"cannot write {tmp_path}/x: Permission denied.*make it writable, then"),
        storage_errors(tmp_path),
    ):
        raise PermissionError(errno.EACCES, "Permission denied", f"{tmp_path}/x")
    with pytest.raises(PermissionError), storage_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere")


def test_full_storage_is_recognised_inside_safetensors(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="No space left on device"), storage_errors(tmp_path):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


def test_other_errors_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), storage_errors(tmp_path):
        (tmp_path / "absent").read_bytes()
    with pytest.raises(SafetensorError), storage_errors(tmp_path):
        raise SafetensorError("HeaderTooLarge")


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(KeyError), folder_atomic(tmp_path / "model") as new:
        (new / "a").write_text("a")
        raise KeyError
    assert os.listdir(tmp_path) == []
    with folder_atomic(tmp_path / "model") as new:
        (new / "deep").mkdir()
        (new / "deep" / "a").write_text("a")
        assert not (tmp_path / "model").exists()
    assert (tmp_path / "model" / "deep" / "a").read_text() == "a"
    assert os.listdir(tmp_path) == ["model"]


def test_sweep_takes_temporary_names_alone(tmp_path: Path) -> None:
    (tmp_path / ".model.tmp").mkdir()
    (tmp_path / ".model.tmp" / "half").write_text("half")
    (tmp_path / ".rows.jsonl.tmp").write_text("half")
    (tmp_path / "notes.tmp").write_text("mine")
    sweep(tmp_path)
    assert os.listdir(tmp_path) == ["notes.tmp"]


def test_two_that_write_the_same_file_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second begins and ends while the first is about to take the name."""
    path, real = tmp_path / "page.html", os.fsync

    def second(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", real)
        write_atomic(path, b"second")

    monkeypatch.setattr(os, "fsync", second)
    write_atomic(path, b"first")
    assert path.read_bytes() == b"first" and [one.name for one in tmp_path.iterdir()] == ["page.html"]
