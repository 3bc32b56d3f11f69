"""Whatever can change what a model reads or writes changes its fingerprints, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solon.models.folder import fingerprints
from tiny_models import tiny_model_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tiny_model_folder(tmp_path, chat_template=True)
    (path / "special_tokens_map.json").write_text("{}")
    (path / "merges.txt").write_text("a b\n")
    (path / "tokenizer.model").write_bytes(b"pieces")
    (path / "additional_chat_templates").mkdir()
    (path / "additional_chat_templates" / "tools.jinja").write_text("{{ messages }}")
    return path


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize(
    "name",
    [
        "model.safetensors",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "chat_template.jinja",
        "additional_chat_templates/tools.jinja",
        "merges.txt",
        "tokenizer.model",
    ],
)
def test_one_byte_of_a_file_that_is_read_changes_its_own_fingerprint_alone(folder: Path, name: str) -> None:
    before = fingerprints(folder)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-1] + b"\x07")
    assert changed(before, fingerprints(folder)) == {name}


def test_a_file_that_comes_or_goes_is_noticed(folder: Path) -> None:
    before = fingerprints(folder)
    (folder / "added_tokens.json").write_text(json.dumps({"<extra>": 384}))
    (folder / "chat_template.jinja").unlink()
    assert changed(before, fingerprints(folder)) == {"added_tokens.json", "chat_template.jinja"}


def test_what_only_people_read_is_left_out(folder: Path) -> None:
    before = fingerprints(folder)
    for name in (
        "README.md",
        "LICENSE",
        "LICENSE.txt",
        "notes.txt",
        ".gitattributes",
        "curve.png",
        "pytorch_model.bin",
    ):
        (folder / name).write_text("x")
    assert fingerprints(folder) == before


def test_code_counts_where_it_may_run(folder: Path) -> None:
    (folder / "parts").mkdir()
    for name in ("modeling.py", "parts/block.py"):
        (folder / name).write_text("pass\n")
    assert fingerprints(folder).keys() & {"modeling.py", "parts/block.py"} == set()
    assert fingerprints(folder, code=True).keys() >= {"modeling.py", "parts/block.py"}
