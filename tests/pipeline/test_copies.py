"""Models are used where they lie, or copied once to a machine that lacks them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from solon.errors import RunError
from solon.pipeline.copies import here

FILES = {"config.json": b"{}", "additional_chat_templates/a.jinja": b"hello"}
HASHES = {name: sha256(data).hexdigest() for name, data in FILES.items()}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "solon" / "models"


def lay(folder: Path) -> Path:
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def never(path: Path) -> Iterator[bytes]:
    raise AssertionError(path)


def test_a_folder_with_the_same_files_is_used_as_it_is(tmp_path: Path, cache: Path) -> None:
    folder = lay(tmp_path / "model")
    (folder / "README.md").write_text("beside the model")
    assert here(folder, HASHES, never) == folder
    assert here(tmp_path / "none", {}, never) == tmp_path / "none"  # an engine that reads no files
    assert not cache.exists()


def test_a_python_file_more_counts_where_it_may_run(tmp_path: Path) -> None:
    folder = lay(tmp_path / "model")
    (folder / "modeling.py").write_text("")
    assert here(folder, HASHES, never) == folder
    assert here(folder, HASHES, lambda path: iter([path.read_bytes()]), code=True) != folder


@pytest.mark.parametrize(
    "there",
    ["no folder", "config.json", "chat_template.jinja", "generation_config.json", "model-00002-of-00002.safetensors"],
)
def test_another_is_copied_once(tmp_path: Path, cache: Path, there: str) -> None:
    """A file that differs, or that the model which asks does not have, makes another model."""
    folder, read = tmp_path / "model", list[str]()
    if there != "no folder":
        (lay(folder) / there).write_text("[]")
    (cache / ".0f.12345678.tmp").mkdir(parents=True)  # of a copy that was killed

    def pieces(path: Path) -> Iterator[bytes]:
        read.append(path.relative_to(folder).as_posix())
        data = FILES[read[-1]]
        yield from (data[:1], data[1:])

    copy = here(folder, HASHES, pieces)
    assert {name: (copy / name).read_bytes() for name in HASHES} == FILES
    assert here(folder, HASHES, never) == copy
    assert sorted(read) == sorted(FILES)
    assert sorted(os.listdir(cache)) == sorted([".lock", copy.name])


def test_a_file_that_changes_on_the_way_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(RunError) as caught:
        here(tmp_path / "model", HASHES, lambda path: iter([b"other"]))
    assert str(caught.value) == f"{tmp_path / 'model'}: a file changed while it was copied (try again)"
    assert os.listdir(cache) == [".lock"]
