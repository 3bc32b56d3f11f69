from __future__ import annotations

from pathlib import Path

import pytest

from constitution_files import told
from solon.constitution.few_shots import FewShots
from solon.constitution.importer import write_folder
from solon.constitution.load import load_constitution
from solon.constitution.principles import Constitution, Principle

ODD = Constitution(
    name="odd",
    title='A "title" with \\ and \x7f',
    principles=(
        Principle(id="a", title="A", comparison_question="Which?\n\tOr {neither} [at all] # really", weight=0.1),
        Principle(id="b", title="B", critique_request='"""', revision_request="'''", tags=("x",), source="ü\U0001f600"),
    ),
)


def test_odd_characters_survive(tmp_path: Path) -> None:
    path, _ = write_folder(ODD, FewShots(), tmp_path / "new/folder")
    assert load_constitution(path) == ODD


def test_nothing_is_overwritten_unless_forced(tmp_path: Path) -> None:
    write_folder(ODD, FewShots(), tmp_path)
    before = (tmp_path / "constitution.toml").read_bytes()
    other = ODD.model_copy(update={"name": "other"})
    assert told(lambda: write_folder(other, FewShots(), tmp_path), tmp_path) == [
        f"{name}: exists already (choose another name, or add --force to overwrite it)"
        for name in ("constitution.toml", "few_shots.json")
    ]
    assert (tmp_path / "constitution.toml").read_bytes() == before
    write_folder(other, FewShots(), tmp_path, force=True)
    assert load_constitution(tmp_path).name == "other"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["constitution.toml", "few_shots.json"]


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_place_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    [fault] = told(lambda: write_folder(ODD, FewShots(), tmp_path / name), tmp_path)
    assert fault.startswith(f"{name}/constitution.toml: cannot be written: ")
