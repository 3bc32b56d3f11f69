from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from constitution_files import told
from solon.constitution.load import LIBRARY, load_constitution, shipped
from solon.errors import ConstitutionError

SHIPPED = "shipped are " + ", ".join(f"`{name}`" for name in shipped())


@pytest.fixture
def charter(tmp_path: Path) -> Path:
    return Path(shutil.copy(LIBRARY / "charter.md", tmp_path / "rules.md"))


def test_a_shipped_name_wins_over_a_file_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("charter").write_text("not a constitution")
    assert load_constitution("charter").kind == "document"
    with pytest.raises(ConstitutionError, match=r"a constitution is a \.toml or \.md file, not `charter`"):
        load_constitution("./charter")


def test_a_path_may_be_text_or_a_path_and_a_folder_stands_for_its_constitution(charter: Path) -> None:
    loaded = load_constitution(charter)
    assert loaded == load_constitution(str(charter))
    renamed = charter.rename(charter.with_name("constitution.md"))
    assert load_constitution(charter.parent).principles[0].id == load_constitution(renamed).principles[0].id


def test_what_cannot_be_found_is_told_with_near_matches(charter: Path, tmp_path: Path) -> None:
    assert told(lambda: load_constitution("harmlesness"), tmp_path) == [
        f"harmlesness: there is no such constitution (did you mean `harmlessness`?; {SHIPPED})"
    ]
    assert told(lambda: load_constitution(tmp_path / "ruels.md"), tmp_path) == [
        f"ruels.md: there is no such constitution (did you mean `rules.md`?; {SHIPPED})"
    ]
    assert told(lambda: load_constitution(tmp_path / "qqq" / "zzz.toml"), tmp_path) == [
        f"qqq/zzz.toml: there is no such constitution ({SHIPPED})"
    ]


def test_folders_and_files_that_are_none_are_told(charter: Path, tmp_path: Path) -> None:
    assert told(lambda: load_constitution(tmp_path), tmp_path.parent) == [
        f"{tmp_path.name}: the folder has no constitution.toml or constitution.md "
        f"(name one of its files: `{tmp_path.name}/rules.md`)"
    ]
    charter.rename(tmp_path / "constitution.md")
    (tmp_path / "constitution.toml").touch()
    assert "the folder has two constitutions" in told(lambda: load_constitution(tmp_path), tmp_path)[0]
    (tmp_path / "empty").mkdir()
    [fault] = told(lambda: load_constitution(tmp_path / "empty"), tmp_path)
    assert fault.endswith("(`solon constitution import` makes such a folder)")
    (tmp_path / "rules.json").touch()
    assert told(lambda: load_constitution(tmp_path / "rules.json"), tmp_path) == [
        "rules.json: a constitution is a .toml or .md file, not `.json` "
        "(a list of principles is .toml, a document with articles is .md; rename the file if it is one of them)"
    ]
