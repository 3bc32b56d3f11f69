"""Files of every format hold the same rows."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
import pytest

from data.examples import helpful, messages, read_helpful, read_prompts, said, write
from solon.config.prompts import PromptsSection, ReadingSection
from solon.data import datasets_library
from solon.data.datasets_library import HubName
from solon.data.rows import fingerprints
from solon.errors import PromptError
from solon.pipeline.sources import prompt_files, prompt_sets

ROWS = [
    {
        "prompt": messages(f"How do I prune rose {number}?", system="Be brief." if number % 2 else None),
        "chosen": messages("Cut above a bud. 🪜", first="assistant"),
        "rejected": messages("No idea.", first="assistant"),
        "note": number,
        "system": None,
    }
    for number in range(2500)
]
TABLE = pyarrow.Table.from_pylist(ROWS)
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def ipc(path: Path, new: Callable[..., Any]) -> None:
    with new(str(path), TABLE.schema) as writer:
        writer.write_table(TABLE)


def zstandard(path: Path, frames: int) -> None:
    size = len(LINES) // frames + 1
    pieces = [LINES[start : start + size] for start in range(0, len(LINES), size)]
    path.write_bytes(b"".join(pyarrow.compress(piece, codec="zstd", asbytes=True) for piece in pieces))


def skippable(path: Path) -> None:
    """As pzstd writes it: a frame that holds the size of the next, and is to be skipped."""
    data = pyarrow.compress(LINES, codec="zstd", asbytes=True)
    path.write_bytes(b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + len(data).to_bytes(4, "little") + data)


FORMATS: dict[str, Callable[[Path], object]] = {
    "p.jsonl": lambda path: path.write_bytes(LINES),
    "q.ndjson": lambda path: path.write_bytes(b"\xef\xbb\xbf\n" + LINES),
    "p.jsonl.gz": lambda path: path.write_bytes(gzip.compress(LINES)),
    "gz.jsonl": lambda path: path.write_bytes(gzip.compress(LINES)),
    "p.jsonl.xz": lambda path: path.write_bytes(lzma.compress(LINES)),
    "p.jsonl.zst": lambda path: zstandard(path, 1),
    "zst.jsonl": lambda path: zstandard(path, 3),
    "skip.jsonl.zst": lambda path: skippable(path),
    "list.json": lambda path: path.write_text(json.dumps(ROWS), encoding="utf-8"),
    "list.jsonl": lambda path: path.write_text(f"\n {json.dumps(ROWS, indent=1)}\n", encoding="utf-8"),
    "p.parquet": lambda path: pyarrow.parquet.write_table(TABLE, path),
    "groups.parquet": lambda path: pyarrow.parquet.write_table(TABLE, path, row_group_size=70),
    "library.parquet": lambda path: datasets.Dataset(TABLE).to_parquet(path),
    "file.arrow": lambda path: ipc(path, pyarrow.ipc.new_file),
    "stream.arrow": lambda path: ipc(path, pyarrow.ipc.new_stream),
    "p.feather": lambda path: pyarrow.feather.write_feather(TABLE, path),
    "saved": lambda path: datasets.Dataset(TABLE).save_to_disk(path),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same(tmp_path: Path, name: str) -> None:
    FORMATS[name](tmp_path / name)
    file = read_helpful(tmp_path / name)
    assert file.rows == len(file.comparisons) == 2500
    assert [prompt.id for prompt in file.prompts] == expected_ids()
    assert said(file.prompts[1].turns) == (("system", "Be brief."), ("human", "How do I prune rose 1?"))
    assert {(c.a, c.b, c.method) for c in file.comparisons} == {("Cut above a bud. 🪜", "No idea.", name)}
    if "list" not in name:
        last = file.prompts[-1].source
        assert last == f"{name}:{2501 if name == 'q.ndjson' else 2500}"


def expected_ids() -> list[str]:
    from solon.data.turns import prompt_id
    from solon.records import Turn

    ids = []
    for number in range(2500):
        system = (Turn(role="system", text="Be brief."),) if number % 2 else ()
        ids.append(prompt_id("benign", (*system, Turn(role="human", text=f"How do I prune rose {number}?"))))
    return ids


def test_the_items_of_a_list_stand_on_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    two = '{"prompt": "b", "response": "x"}'
    path.write_text(f'[\n{{"prompt": "a",\n "response": "é\\n"}},  {two}\n,{{"prompt":\n"c", "response": "x"}}]\n')
    assert [prompt.source for prompt in read_helpful(path).prompts] == [
        "p.json:2, item 1",
        "p.json:3, item 2",
        "p.json:4, item 3",
    ]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64])
def test_a_list_may_be_cut_anywhere_as_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr("solon.data.text_files._PIECE", piece)
    items = [{"prompt": f'q {n} \\ \u2028 é " 🪜', "response": "x", "score": -1.25e-3, "yes": True} for n in range(9)]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(items, ensure_ascii=piece % 2 == 0, indent=piece), encoding="utf-8")
    assert [p.turns[0].text for p in read_helpful(path).prompts] == [str(item["prompt"]) for item in items]


def test_a_number_may_be_cut_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solon.data.text_files._PIECE", 1)
    path = tmp_path / "p.json"
    path.write_text('[{"prompt": "x"},\n1234,\n{"prompt": "y"},\n5678]', encoding="utf-8")
    with pytest.raises(PromptError) as error:
        read_prompts(path, "harmful")
    assert [str(fault.where) for fault in error.value.faults] == [f"{path}:2, item 2", f"{path}:4, item 4"]


def test_red_team_attempts(tmp_path: Path) -> None:
    """A JSON list under the name of JSONL, with much beside the transcript."""
    items = [
        {
            "min_harmlessness_score_transcript": -1.25,
            "num_params": "52B",
            "transcript": f"\n\nHuman: How do I take bicycle {n}?\n\nAssistant: I'd ask."
            "\n\nHuman: And if not?\n\nAssistant: Walk.",
            "rating": 4.0 if n else None,
            "tags": ["Theft"] if n else None,
            "is_upworker": True,
        }
        for n in range(3)
    ]
    path = tmp_path / "red_team_attempts.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(items).encode()))
    file = read_prompts(path, "harmful")
    assert [said(prompt.turns) for prompt in file.prompts] == [
        (("human", f"How do I take bicycle {n}?"), ("assistant", "I'd ask."), ("human", "And if not?"))
        for n in range(3)
    ]


def test_a_csv_field_may_be_long(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f'prompt,response\n"x","{"y" * 200_000}"\n', encoding="utf-8")
    assert len(read_helpful(path).demonstrations[0].answer) == 200_000


def test_only_columns_that_mean_something_are_read(tmp_path: Path) -> None:
    """A column beside them may hold what Python cannot: here, a time outside its calendar."""
    odd = pyarrow.array([2**62] * 2, pyarrow.timestamp("us"))
    table = pyarrow.table({"prompt": ["a", "b"], "response": ["x", "y"], "when": odd})
    pyarrow.parquet.write_table(table, tmp_path / "p.parquet")
    assert len(read_helpful(tmp_path / "p.parquet").demonstrations) == 2


def test_rows_of_a_saved_selection(tmp_path: Path) -> None:
    datasets.Dataset(TABLE).select([5, 3]).save_to_disk(tmp_path / "saved")
    asked = [prompt.turns[-1].text for prompt in read_helpful(tmp_path / "saved").prompts]
    assert asked == ["How do I prune rose 5?", "How do I prune rose 3?"]


def test_a_folder_of_splits(tmp_path: Path) -> None:
    parts = {"train": datasets.Dataset(TABLE), "test": datasets.Dataset(TABLE.slice(0, 2))}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    with pytest.raises(PromptError) as error:
        read_helpful(tmp_path / "saved")
    saved = tmp_path / "saved"
    assert str(error.value) == (
        f"{saved}: the folder holds several splits (give one of them: {saved}/train, {saved}/test)"
    )
    assert read_helpful(saved / "test").rows == 2


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local folder that the library takes for a data set, in a cache of its own and without a network."""
    for setting in ("HF_DATASETS_CACHE", "HF_MODULES_CACHE"):
        monkeypatch.setattr(datasets.config, setting, str(tmp_path / setting))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets_library._builder.cache_clear()
    (tmp_path / "hub").mkdir()
    pyarrow.parquet.write_table(TABLE, tmp_path / "hub" / "train.parquet")
    pyarrow.parquet.write_table(TABLE.slice(0, 3), tmp_path / "hub" / "test.parquet")
    return tmp_path / "hub"


def test_data_sets_of_the_hub(hub: Path) -> None:
    file = read_helpful(f"hf:{hub}")
    assert [prompt.id for prompt in file.prompts] == expected_ids()
    assert file.prompts[6].source == f"hf:{hub}:7"
    assert read_helpful(f"hf:{hub}:default#test").rows == 3
    with pytest.raises(PromptError) as error:
        read_helpful(f"hf:{hub}#validation")
    assert str(error.value) == (
        f'hf:{hub}#validation: `datasets` cannot load it: Unknown split "validation". Should be one of '
        "['train', 'test']."
    )


def test_a_data_set_that_cannot_be_reached(hub: Path) -> None:
    with pytest.raises(PromptError) as error:
        read_helpful("hf:some-owner/some-set#test")
    assert str(error.value).startswith("hf:some-owner/some-set#test: `datasets` cannot load it: ")
    assert len(str(error.value).splitlines()) == 1


EMPTY = "(is one of its files empty or damaged?)"


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("state.json", "3", f"TypeError: 'int' object is not subscriptable {EMPTY}"),
        ("state.json", '{"_data_files": []}', f"IndexError: list index out of range {EMPTY}"),
        ("dataset_info.json", "[]", f"AttributeError: 'list' object has no attribute 'items' {EMPTY}"),
    ],
)
def test_a_broken_saved_folder(tmp_path: Path, file: str, text: str, line: str) -> None:
    datasets.Dataset(TABLE.slice(0, 2)).save_to_disk(tmp_path / "saved")
    (tmp_path / "saved" / file).write_text(text, encoding="utf-8")
    assert library_told(tmp_path / "saved") == line


def test_an_empty_saved_folder(tmp_path: Path) -> None:
    datasets.Dataset(TABLE.slice(0, 0)).save_to_disk(tmp_path / "saved")
    assert library_told(tmp_path / "saved") == f"IndexError: list index out of range {EMPTY}"


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("train.jsonl", "", f"StopIteration {EMPTY}"),
        ("README.md", "---\nconfigs: [: {\n---\n", f"ParserError: while parsing a flow node {EMPTY}"),
        ("README.md", "---\nconfigs: 3\n---\n", "Expected configs to be a list, but got '3'"),
    ],
)
def test_a_broken_folder_of_files(hub: Path, file: str, text: str, line: str) -> None:
    for path in hub.iterdir():
        path.unlink()
    write(hub / "train.jsonl", {"prompt": "x", "response": "y"})
    (hub / file).write_text(text, encoding="utf-8")
    assert library_told(f"hf:{hub}") == line
    with pytest.raises(PromptError):
        fingerprints(f"hf:{hub}")


def test_what_the_network_cannot_mend(hub: Path) -> None:
    assert library_told(f"hf:{hub}#train[:x]") == "Unrecognized instruction format: train[:x]"
    assert datasets_library._hint("hf:a/b", ValueError("BuilderConfig 'x' not found.")) is None
    network = "check its name and the network; one behind a gate needs `hf auth login`"
    assert datasets_library._hint("hf:a/b", ConnectionError("x")) == network


def library_told(source: object) -> str:
    """What the error says after the common beginning."""
    with pytest.raises(PromptError) as error:
        read_helpful(str(source))
    (fault,) = error.value.faults
    assert "\n" not in str(fault)
    return str(fault).removeprefix(f"{source}: `datasets` cannot load it: ")


@pytest.mark.parametrize("name", ["text", "json", "csv", "parquet"])
def test_names_of_the_librarys_own_readers(hub: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(hub)
    with pytest.raises(PromptError) as error:
        read_helpful(f"hf:{name}")
    assert str(error.value) == f"hf:{name}: neither a folder nor the name of a data set (hf:OWNER/{name})"
    hub.rename(hub.parent / name)
    monkeypatch.chdir(hub.parent)
    assert read_helpful(f"hf:{name}").rows == 2500


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("hf:a/b", HubName(name="a/b", folder=None, config=None, revision=None, split="train")),
        ("hf:a/b/c/d#test", HubName(name="a/b", folder="c/d", config=None, revision=None, split="test")),
        (
            "hf:a/b:en@0123abc#train[:10%]",
            HubName(name="a/b", folder=None, config="en", revision="0123abc", split="train[:10%]"),
        ),
    ],
)
def test_names_on_the_hub(source: str, name: HubName) -> None:
    assert HubName.of(source) == name


def test_a_name_that_is_none() -> None:
    with pytest.raises(PromptError) as error:
        read_helpful("hf:")
    assert str(error.value) == ("hf:: not the name of a data set (hf:OWNER/NAME[/FOLDER][:CONFIG][@REVISION][#SPLIT])")


def test_what_was_read_is_part_of_the_run(tmp_path: Path, hub: Path) -> None:
    datasets.Dataset(TABLE).save_to_disk(tmp_path / "saved")
    found = prompt_files(PromptsSection(source=str(tmp_path / "saved"), helpful=f"hf:{hub}"))
    assert set(found) == {
        *("prompts_file", "prompts_file_name"),
        *("helpful_file", "helpful_file_name", "helpful_file_revision"),
    }
    assert found["helpful_file_revision"] == datasets_library._builder(f"hf:{hub}").hash
    before = fingerprints(tmp_path / "saved")
    datasets.Dataset(TABLE.slice(1)).save_to_disk(tmp_path / "saved")
    assert fingerprints(tmp_path / "saved") != before


def test_columns_under_other_names(tmp_path: Path) -> None:
    row = {"question": "x", "chosen": "good", "rejected": "bad", "system prompt": "Be brief."}
    columns = {"prompt": ["goal", "question"], "system": "system prompt"}
    (prompt,) = helpful(tmp_path, row, columns=columns).prompts
    assert said(prompt.turns) == (("system", "Be brief."), ("human", "x"))
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "p.parquet")
    how = ReadingSection.model_validate({"columns": columns})
    assert read_helpful(tmp_path / "p.parquet", how).prompts[0].id == prompt.id


def test_a_column_under_another_name_no_longer_means_its_own(tmp_path: Path) -> None:
    row = {"query": "x", "response": "good", "rejected_response": "bad"}
    columns = {"prompt": "query", "chosen": "response", "rejected": "rejected_response"}
    file = helpful(tmp_path, row, columns=columns)
    assert [(c.a, c.b) for c in file.comparisons] == [("good", "bad")] and not file.demonstrations
    swapped = helpful(
        tmp_path,
        {"prompt": "x", "chosen": "bad", "rejected": "good"},
        columns={"chosen": "rejected", "rejected": "chosen"},
    )
    assert [(c.a, c.b) for c in swapped.comparisons] == [("good", "bad")]


def test_a_name_given_comes_before_the_name_here_unless_it_holds_null(tmp_path: Path) -> None:
    rows = [
        {"prompt": "own", "question": "theirs", "response": "y"},
        {"prompt": "own", "question": None, "response": "y"},
        {"prompt": "own 2", "response": "y"},
    ]
    file = helpful(tmp_path, *rows, columns={"prompt": "question"})
    assert [prompt.turns[0].text for prompt in file.prompts] == ["theirs", "own", "own 2"]


def test_the_rows_a_run_keeps_of_a_table_are_those_of_the_same_lines(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(TABLE, tmp_path / "p.parquet")
    write(tmp_path / "p.jsonl", *ROWS)
    kept = []
    for name in ("p.parquet", "p.jsonl"):
        path = str(tmp_path / name)
        section = PromptsSection(source=path, helpful=path, harmful=20, mixed=5, benign=30, evaluation=10)
        sets = prompt_sets(section, 4)
        groups = (sets.red_team, sets.helpful, sets.evaluation, sets.comparisons)
        kept.append([[row.id for row in group] for group in groups])
        assert sets.rows_in == sets.rows_out + sets.dropped.total()
    assert kept[0] == kept[1]
    assert [len(group) for group in kept[0]] == [25, 30, 20, 30]


@pytest.mark.parametrize("name", ["p.parquet.gz", "p.ARROW.zst"])
def test_a_table_compressed_as_a_whole(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(PromptError) as error:
        read_prompts(tmp_path / name, "harmful")
    kind = name.rpartition(".")[2]
    assert str(error.value) == f"{tmp_path / name}: a table compressed as a whole (.{kind}) (decompress it)"
