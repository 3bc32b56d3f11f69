"""Class names and JSON columns of the `datasets` library, by every way that its tables are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest

from data.examples import messages, read_helpful, read_prompts, said, write
from solon.data import datasets_library
from solon.data.faults import Malformed
from solon.data.tables import decode, features_of
from solon.errors import PromptError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, without a network."""
    for setting in ("HF_DATASETS_CACHE", "HF_MODULES_CACHE"):
        monkeypatch.setattr(datasets.config, setting, str(tmp_path / setting))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets_library._builder.cache_clear()
    datasets.disable_progress_bars()


def ipc(path: Path, table: Any, new: Callable[..., Any]) -> None:
    with new(str(path), table.schema) as writer:
        writer.write_table(table)


KEPT: dict[str, Callable[[Any, Path], object]] = {
    "p.parquet": lambda data, path: data.to_parquet(path),
    "saved": lambda data, path: data.save_to_disk(path),
    "file.arrow": lambda data, path: ipc(path, data.data.table, pyarrow.ipc.new_file),
    "stream.arrow": lambda data, path: ipc(path, data.data.table, pyarrow.ipc.new_stream),
}


def keep(data: Any, folder: Path, name: str) -> Path:
    KEPT[name](data, folder / name)
    return folder / name


MIXED = [
    {"prompt": "a", "chosen": "x", "rejected": "y"},
    {"prompt": messages("b", system="s"), "chosen": messages("x", first="assistant"), "rejected": "y"},
]
ASKED = [(("human", "a"),), (("system", "s"), ("human", "b"))]


def test_a_folder_whose_columns_are_of_mixed_types(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    write(tmp_path / "set" / "train.jsonl", *MIXED)
    file = read_helpful(f"hf:{tmp_path / 'set'}")
    assert [said(prompt.turns) for prompt in file.prompts] == ASKED
    assert {(one.a, one.b) for one in file.comparisons} == {("x", "y")}


@pytest.mark.parametrize("name", KEPT)
def test_columns_of_mixed_types(tmp_path: Path, name: str) -> None:
    data = datasets.load_dataset("json", data_files=str(write(tmp_path / "p.jsonl", *MIXED)), split="train")
    file = read_helpful(keep(data, tmp_path, name))
    assert [said(prompt.turns) for prompt in file.prompts] == ASKED


@pytest.mark.parametrize("name", KEPT)
def test_class_numbers_are_read_by_their_names(tmp_path: Path, name: str) -> None:
    text = datasets.Value("string")
    features = {"prompt": text, "a": text, "b": text, "better": datasets.ClassLabel(names=["b", "a"])}
    rows = {"prompt": ["p", "q"], "a": ["x", "x"], "b": ["y", "y"], "better": [0, 1]}
    data = datasets.Dataset.from_dict(rows, features=datasets.Features(features))
    file = read_helpful(keep(data, tmp_path, name))
    assert [(one.a, one.b, one.p_a_preferred) for one in file.comparisons] == [("y", "x", 1.0), ("x", "y", 1.0)]


def test_safe_and_unsafe_as_classes(tmp_path: Path) -> None:
    features = {"prompt": datasets.Value("string"), "label": datasets.ClassLabel(names=["unsafe", "safe"])}
    rows = {"prompt": ["p", "q", "r"], "label": [0, 1, -1]}
    data = datasets.Dataset.from_dict(rows, features=datasets.Features(features))
    file = read_prompts(keep(data, tmp_path, "p.parquet"), "harmful")
    assert [prompt.kind for prompt in file.prompts] == ["harmful", "benign", "harmful"]


def noted(**features: object) -> dict[bytes, bytes]:
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


def test_faults_of_such_columns_are_those_of_their_rows(tmp_path: Path) -> None:
    table = pyarrow.table({"prompt": ['"x"', "{", '"y"'], "kind": [0, 0, 5]})
    note = noted(prompt={"_type": "Json"}, kind={"_type": "ClassLabel", "names": ["mixed"]})
    pyarrow.parquet.write_table(table.replace_schema_metadata(note), tmp_path / "p.parquet")
    with pytest.raises(PromptError) as error:
        read_prompts(tmp_path / "p.parquet", "harmful")
    assert [str(fault).removeprefix(f"{tmp_path}/") for fault in error.value.faults] == [
        'p.parquet:2: "prompt": broken JSON: Expecting property name enclosed in double quotes: '
        "line 1 column 2 (char 1)",
        'p.parquet:3: "kind" is class 5 of 1',
    ]


def test_inner_features() -> None:
    json_text, yes = {"_type": "Json"}, {"_type": "ClassLabel", "names": ["no", "yes"]}
    value = [{"role": 1, "content": '["x"]'}, None]
    expected = [{"role": "yes", "content": ["x"]}, None]
    inner = {"role": yes, "content": json_text}
    for feature in ({"_type": "List", "feature": inner}, {"_type": "LargeList", "feature": inner}, [inner]):
        assert decode(value, feature, "messages") == expected
    with pytest.raises(Malformed):
        decode("[" * 100_000, json_text, "m")


@pytest.mark.parametrize(
    "note", [None, {}, {b"huggingface": b"{"}, {b"huggingface": b"[]"}, {b"huggingface": b'{"info": {"features": 3}}'}]
)
def test_a_note_that_says_nothing_changes_nothing(note: dict[bytes, bytes] | None) -> None:
    assert features_of(note) == {}
    assert decode(3, {"_type": ["x"], "names": 3}, "m") == 3
    assert decode("x", [], "m") == "x"
