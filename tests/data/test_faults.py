"""Every error text of the readers, in one place: what stands in a file, and the exact lines that come of it."""

from __future__ import annotations

import builtins
import errno
import gzip
import lzma
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest

from data.examples import read_helpful, read_prompts
from solon.config.prompts import PromptsSection, ReadingSection
from solon.data.choose import choose_helpful, choose_red_team
from solon.data.faults import Unreadable
from solon.errors import PromptError

USER = '{"role": "user", "content": "x"}'
ANSWER = '{"role": "assistant", "content": "y"}'
GIVE_PROMPT = 'give "prompt", "turns" or "messages", or say which column it is: --column prompt=NAME'
GIVE_ANSWER = 'give "chosen" and "rejected", or "response"; a prompt alone says "kind": "benign"'
SHARE = 'give "prompt"; else "chosen" and "rejected" must be dialogues, or begin with the same words'
ONE_OBJECT = "(each line must be one JSON object)"


def no_prompt(*columns: str, hint: str = GIVE_PROMPT) -> str:
    return f"no prompt ({hint}; columns: {', '.join(columns)})"


def neither(*columns: str, hint: str = GIVE_ANSWER) -> str:
    return f"neither a comparison nor an answer ({hint}; columns: {', '.join(columns)})"


PROMPT_ROWS: list[tuple[str, str]] = [
    ('{"prompt": "x"', f"broken JSON: Expecting ',' delimiter: line 1 column 15 (char 14) {ONE_OBJECT}"),
    ('["x"]', "a line must be a JSON object, not a list"),
    ("3", "a line must be a JSON object, not a number"),
    ("null", "a line must be a JSON object, not null"),
    (
        "9" * 5000,
        "broken JSON: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits; use "
        f"sys.set_int_max_str_digits() to increase the limit {ONE_OBJECT}",
    ),
    (
        "[" * 100_000,
        f"broken JSON: maximum recursion depth exceeded while decoding a JSON array from a unicode string {ONE_OBJECT}",
    ),
    ('{"title": "x"}', no_prompt("title")),
    ("{}", f"no prompt ({GIVE_PROMPT})"),
    ('{"prompt": null, "turns": null}', no_prompt("prompt", "turns")),
    ('{"text": "x"}', no_prompt("text", hint="if text is the prompt: --column prompt=text")),
    ('{"prompt": 3}', '"prompt" must be text or a list of turns'),
    ('{"prompt": NaN}', '"prompt" must be text or a list of turns'),
    ('{"prompt": {"x": 1}}', '"prompt" must be text or a list of turns'),
    ('{"prompt": "  "}', '"prompt" is empty'),
    ('{"turns": []}', '"turns" is empty'),
    ('{"turns": ["x"]}', '"turns" must be a list of turns ({"role": "human", "text": "..."})'),
    ('{"turns": [{"role": "human", "text": ""}]}', '"turns" has an empty turn'),
    ('{"chosen": [{"role": "human", "text": ""}, {"role": "assistant", "text": "y"}]}', '"chosen" has an empty turn'),
    ('{"chosen": [{"role": "human", "text": ""}]}', '"chosen" has an empty turn'),
    ('{"turns": [{"role": "human"}]}', '"turns.text" must be text'),
    ('{"turns": [{"role": "human", "content": 3}]}', '"turns.text" must be text'),
    ('{"turns": [{"text": "x"}]}', '"turns": unknown role None (use human (user), assistant or system)'),
    (
        '{"turns": [{"role": ["human"], "text": "x"}]}',
        "\"turns\": unknown role ['human'] (use human (user), assistant or system)",
    ),
    (
        '{"messages": [{"role": "tool", "content": "x"}]}',
        "\"messages\": unknown role 'tool' (use human (user), assistant or system)",
    ),
    (
        '{"messages": [{"role": "user", "content": [{"type": "image", "url": "x"}]}]}',
        "\"messages\" holds a part that is not text: 'image' (models are given text alone here)",
    ),
    (
        '{"messages": [{"role": "user", "content": ["x"]}]}',
        '"messages" holds a part that is not text (models are given text alone here)',
    ),
    ('{"messages": [{"role": "user", "content": [{"type": "text"}]}]}', '"messages.text" must be text'),
    ('{"messages": [{"role": "system", "content": "x"}]}', '"messages": the dialogue does not begin with the human'),
    ('{"messages": [{"role": "system", "content": ""}]}', '"messages": the dialogue does not begin with the human'),
    (
        f'{{"messages": [{USER}, {{"role": "system", "content": "x"}}, {ANSWER}]}}',
        '"messages": a system turn after the first turn',
    ),
    (
        f'{{"system": "one", "messages": [{{"role": "system", "content": "two"}}, {USER}]}}',
        '"system" and the system turn of the dialogue differ',
    ),
    ('{"system": 3, "prompt": "x"}', '"system" must be text'),
    (f'{{"turns": [{USER}, {USER}]}}', '"turns": two human turns in a row'),
    (
        f'{{"turns": [{USER}, {ANSWER}]}}',
        "the dialogue ends with the assistant (end it with the human turn to be answered)",
    ),
    (f'{{"turns": [{ANSWER}]}}', '"turns": the dialogue does not begin with the human'),
    ('{"prompt": "x", "kind": "evil"}', "unknown kind 'evil' (use harmful, mixed, benign)"),
    ('{"prompt": "x", "kind": ["evil"]}', "unknown kind ['evil'] (use harmful, mixed, benign)"),
    (
        '{"prompt": "x\\n\\nAssistant: y"}',
        '"prompt" holds \'Assistant:\' inside one turn (give the dialogue as "turns")',
    ),
    (
        '{"prompt": "x\\r\\n\\r\\nHuman: y"}',
        '"prompt" holds \'Human:\' inside one turn (give the dialogue as "turns")',
    ),
    ('{"prompt": "\\ud800"}', "a broken Unicode escape: half of a surrogate pair"),
    (
        '{"chosen": 3}',
        r'"chosen" must be a transcript (a text that begins with "\n\nHuman:", or a list of turns)',
    ),
    ('{"chosen": "x"}', r"not a transcript (it must begin with \n\nHuman:)"),
    ('{"chosen": "x", "rejected": "y"}', no_prompt("chosen", "rejected", hint=SHARE)),
    (f'{{"chosen": [{ANSWER}], "rejected": [{ANSWER}]}}', '"chosen": the dialogue does not begin with the human'),
    ('{"prompt": "\udcff"}', "not UTF-8: byte 0xff (save the file as UTF-8)"),
]

HELPFUL_ROWS: list[tuple[str, str]] = [
    ('{"prompt": "x"}', neither("prompt")),
    ('{"prompt": "x", "chosen": "y"}', neither("prompt", "chosen")),
    ('{"prompt": "x", "chosen": "y", "rejected": null}', neither("prompt", "chosen", "rejected")),
    ('{"chosen": "y", "rejected": "z"}', no_prompt("chosen", "rejected", hint=SHARE)),
    (f'{{"chosen": [{ANSWER}], "rejected": [{ANSWER}]}}', no_prompt("chosen", "rejected", hint=SHARE)),
    (
        '{"question": "x", "chosen": "It is so.", "rejected": "It is not."}',
        no_prompt("question", "chosen", "rejected", hint="if question is the prompt: --column prompt=question"),
    ),
    ('{"response": "y"}', no_prompt("response")),
    (
        '{"instruction": "x", "input": "", "output": "y"}',
        neither(
            *("instruction", "input", "output"),
            hint="if output is the answer: --column prompt=instruction --column response=output",
        ),
    ),
    (
        '{"prompt": "x", "best_answer": "y"}',
        neither("prompt", "best_answer", hint="if best_answer is the answer: --column response=best_answer"),
    ),
    (
        '{"prompt": "x", "chosen_response": "y", "rejected_response": "z"}',
        neither(
            *("prompt", "chosen_response", "rejected_response"),
            hint="if chosen_response and rejected_response are the better and the worse answer: "
            "--column chosen=chosen_response --column rejected=rejected_response",
        ),
    ),
    (
        '{"prompt": "x", "response1": "y", "response2": "z"}',
        neither(
            *("prompt", "response1", "response2"),
            hint="if response1 and response2 are two answers: --column a=response1 --column b=response2",
        ),
    ),
    ('{"prompt": "x", "chosen": "y", "rejected": 3}', '"rejected" must be text'),
    ('{"prompt": "x", "chosen": [], "rejected": "z"}', '"chosen" is empty'),
    ('{"prompt": "x", "response": "y", "label": "bad"}', "\"label\" is 'bad' (use true or false, or 1 or 0)"),
    ('{"prompt": "x", "completion": "y", "label": -1}', '"label" is -1 (use true or false, or 1 or 0)'),
    ('{"prompt": "x", "completion": "y", "label": [0]}', '"label" is [0] (use true or false, or 1 or 0)'),
    ('{"prompt": "x", "response": 3.5}', '"response" must be text'),
    ('{"prompt": "x", "response": ["y"]}', '"response" must be a list of turns ({"role": "human", "text": "..."})'),
    (f'{{"prompt": "x", "chosen": [{ANSWER}, {ANSWER}], "rejected": "z"}}', '"chosen": two assistant turns in a row'),
    (
        f'{{"turns": [{USER}, {ANSWER}], "response": "z"}}',
        "the dialogue ends with the assistant (end it with the human turn to be answered)",
    ),
    (
        f'{{"messages": [{{"role": "user", "content": ""}}, {ANSWER}]}}',
        '"messages" has an empty turn',
    ),
    (
        f'{{"chosen": [{{"role": "user", "content": ""}}, {ANSWER}], "rejected": [{USER}, {ANSWER}]}}',
        '"chosen" has an empty turn',
    ),
    (
        '{"prompt": "x", "a": "y", "b": "z"}',
        'nothing says which of "a" and "b" is better (give "better" or "p_a_preferred")',
    ),
    (
        '{"prompt": "x", "a": "y", "b": "z", "better": "c"}',
        "\"better\" is 'c' (use a, b or tie; or 0 for a, 1 for b)",
    ),
    (
        '{"prompt": "x", "a": "y", "b": "z", "better": true}',
        '"better" is True (use a, b or tie; or 0 for a, 1 for b)',
    ),
    (
        '{"prompt": "x", "a": "y", "b": "z", "p_a_preferred": 1.5}',
        '"p_a_preferred" is 1.5 (a probability between 0 and 1)',
    ),
    (
        '{"prompt": "x", "chosen": "y", "rejected": "z", "p_chosen": -1}',
        '"p_chosen" is -1 (a probability between 0 and 1)',
    ),
    ('{"prompt": "x", "a": "y", "b": "z", "p_a_preferred": "so"}', '"p_a_preferred" must be a finite number'),
]

SCORED_ROWS: list[tuple[str, str]] = [
    (
        '{"prompt": "x", "chosen": "y", "rejected": "z"}',
        'no "score_chosen" and "score_rejected" (they are needed by prompts.scores = "label")',
    ),
    (
        '{"prompt": "x", "a": "y", "b": "z"}',
        'no "score_a" and "score_b" (they are needed by prompts.scores = "label")',
    ),
    (
        '{"prompt": "x", "chosen": "y", "rejected": "z", "score_chosen": 3}',
        '"score_rejected" must be a finite number',
    ),
    (
        '{"prompt": "x", "chosen": "y", "rejected": "z", "score_chosen": NaN, "score_rejected": 1}',
        '"score_chosen" must be a finite number',
    ),
    (
        f'{{"prompt": "x", "chosen": "y", "rejected": "z", "chosen_score": 1{"0" * 400}, "rejected_score": 1}}',
        '"chosen_score" must be a finite number',
    ),
]


def prompts(path: Path) -> object:
    return read_prompts(path, "harmful")


def scored(path: Path) -> object:
    return read_helpful(path, ReadingSection(scores="label"))


Reader = Callable[[Path], object]
ROWS = [
    *((prompts, '{"prompt": "fine"}', row, line) for row, line in PROMPT_ROWS),
    *((read_helpful, '{"prompt": "fine", "response": "so"}', row, line) for row, line in HELPFUL_ROWS),
    *((scored, '{"prompt": "fine", "response": "so"}', row, line) for row, line in SCORED_ROWS),
]


def told(read: Reader, path: Path) -> list[str]:
    """The lines of the error, without the folder."""
    with pytest.raises(PromptError) as error:
        read(path)
    return [str(fault).replace(f"{path.parent}/", "") for fault in error.value.faults]


@pytest.mark.parametrize(("read", "fine", "row", "line"), ROWS, ids=range(len(ROWS)))
def test_a_faulty_row(tmp_path: Path, read: Reader, fine: str, row: str, line: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(f"{fine}\n\n{row}\n".encode("utf-8", "surrogateescape"))
    assert told(read, path) == [f"p.jsonl:3: {line}"]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_twenty_faults_are_told_and_the_others_counted(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"p{suffix}"
    bad = ("{}", '{"prompt": 3}') if suffix == ".jsonl" else ("x,y", "x,y,z")
    path.write_text("\n".join(["prompt" if suffix == ".csv" else "", *bad * 500]), encoding="utf-8")
    lines = told(prompts, path)
    assert [line.split(":")[1] for line in lines[:20]] == [str(number) for number in range(2, 22)]
    assert lines[20:] == [f"p{suffix}: and 980 more"]


def test_a_fault_of_rows_that_follow_each_other_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    rows = ['{"title": "x"}', *['{"title": "y", "more": 1}'] * 11_999, "3", "3", '{"prompt": "x"}', "3"]
    path.write_text("\n".join(rows), encoding="utf-8")
    assert told(prompts, path) == [
        f"p.jsonl:1: no prompt, and 11,999 more rows like it ({GIVE_PROMPT}; columns: title)",
        "p.jsonl:12001: a line must be a JSON object, not a number, and 1 more row like it",
        "p.jsonl:12004: a line must be a JSON object, not a number",
    ]


def test_rows_after_the_twentieth_fault_are_counted_with_it_or_as_more(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    rows = [*["3", "null"] * 10, "null", "3", "null"]
    path.write_text("\n".join(rows), encoding="utf-8")
    lines = told(prompts, path)
    assert lines[19:] == [
        "p.jsonl:20: a line must be a JSON object, not null, and 1 more row like it",
        "p.jsonl: and 2 more",
    ]


def test_a_column_that_was_named_and_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("question,topic\nx,y\nz,y\n", encoding="utf-8")
    how = ReadingSection(columns={"prompt": ("questoin",), "response": ("reply",)})
    assert told(lambda source: read_prompts(source, "harmful", how), path) == [
        "p.csv:2: no prompt, and 1 more row like it (--column prompt=questoin: no such column here; "
        "if question is the prompt: --column prompt=question; columns: question, topic)"
    ]
    assert told(lambda source: read_helpful(source, how), path) == [
        "p.csv:2: neither a comparison nor an answer, and 1 more row like it "
        f"(--column response=reply: no such column here; {GIVE_ANSWER}; columns: question, topic)"
    ]


def parquet(**columns: Any) -> bytes:
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def arrow(*, stream: bool, rows: int = 3) -> bytes:
    sink = pyarrow.BufferOutputStream()
    table = pyarrow.table({"prompt": [f"prompt {row}" for row in range(rows)]})
    with (pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def zstandard(data: bytes) -> bytes:
    return pyarrow.compress(data, codec="zstd", asbytes=True)  # type: ignore[no-any-return]


GOOD = b'{"prompt": "x"}\n'
AGAIN = "(download or write it again)"
FORMATS = "(use .jsonl, .json, .csv (also with .gz, .xz or .zst), .parquet or .arrow)"
COMPRESS = "(download or compress it again)"
ONE_LIST = "(the file must be one list of objects)"

FILES: list[tuple[str, bytes, list[str]]] = [
    ("p.jsonl", b"", ["p.jsonl: no prompts: the file is empty"]),
    ("p.jsonl", b"\n \n", ["p.jsonl: no prompts: the file is empty"]),
    ("p.csv", b"", ["p.csv: no prompts: the file is empty"]),
    ("p.csv", b"prompt\n", ["p.csv: no prompts: the file is empty"]),
    ("p.json", b"[]", ["p.json: no prompts: the file is empty"]),
    ("p.parquet", b"", ["p.parquet: no prompts: the file is empty"]),
    ("p.parquet", parquet(prompt=pyarrow.array([], pyarrow.string())), ["p.parquet: no prompts: the file is empty"]),
    ("p.jsonl.zst", zstandard(b""), ["p.jsonl.zst: no prompts: the file is empty"]),
    ("p.jsonl", "x".encode("utf-16"), ["p.jsonl: the file is UTF-16 (save it as UTF-8)"]),
    ("p.txt", b"x", [f"p.txt: cannot tell the format from the name 'p.txt' {FORMATS}"]),
    (
        "p.jsonl.gz",
        gzip.compress(GOOD * 99)[:-9],
        [f"p.jsonl.gz: broken gzip file: Compressed file ended before the end-of-stream marker was reached {COMPRESS}"],
    ),
    (
        "p.jsonl.gz",
        b"\x1f\x8b" + b"\xff" * 20,
        [f"p.jsonl.gz: broken gzip file: Unknown compression method {COMPRESS}"],
    ),
    (
        "p.jsonl.xz",
        lzma.compress(GOOD * 99)[:-9],
        [f"p.jsonl.xz: broken xz file: Compressed file ended before the end-of-stream marker was reached {COMPRESS}"],
    ),
    (
        "p.jsonl.xz",
        lzma.compress(GOOD * 99)[:20] + b"\xff" * 20,
        [f"p.jsonl.xz: broken xz file: Corrupt input data {COMPRESS}"],
    ),
    (
        "p.jsonl.zst",
        zstandard(GOOD * 99)[:-9],
        [f"p.jsonl.zst: broken Zstandard file: Truncated compressed stream {COMPRESS}"],
    ),
    (
        "p.jsonl.zst",
        zstandard(GOOD)[:4] + b"\xff" * 20,
        [f"p.jsonl.zst: broken Zstandard file: ZSTD decompress failed: Unsupported frame parameter {COMPRESS}"],
    ),
    ("p.csv", b"a,b\n1,2\n", [f"p.csv:2: {no_prompt('a', 'b')}"]),
    (
        "p.csv",
        b"prompt\na, b\nfine\n",
        ['p.csv:2: 2 fields where the header has 1 (put text that holds commas or line ends in double quotes ("..."))'],
    ),
    ("p.csv", b"prompt,prompt\na,b\n", ["p.csv:1: a column name appears twice: prompt, prompt"]),
    ("p.csv", b'prompt\n"a" b\n', ["p.csv:2: broken CSV: ',' expected after '\"'"]),
    ("p.csv", b'prompt\na\n"b', ["p.csv:3: broken CSV: unexpected end of data"]),
    ("p.csv", b"prompt\n\xe9\n", ["p.csv:2: not UTF-8: byte 0xe9 (save the file as UTF-8)"]),
    (
        "p.json",
        b'{\n "prompt": "x"\n}',
        [
            "p.json:1: the file holds one JSON object over several lines "
            "(write one object per line, or a list of objects)"
        ],
    ),
    (
        "p.json",
        b'{"prompt": ["x", "y"], "kind": ["mixed", null]}',
        [
            "p.json:1: the file holds one object of columns "
            '(write one object per row (in pandas: orient="records", lines=True))'
        ],
    ),
    (
        "p.json",
        b'{"prompt": {"0": "x", "1": "y"}}',
        [
            "p.json:1: the file holds one object of columns "
            '(write one object per row (in pandas: orient="records", lines=True))'
        ],
    ),
    (
        "p.json",
        b'\n[{"prompt": "x"},\n "y",\n 3]',
        [
            "p.json:3, item 2: the list must hold JSON objects, not a string",
            "p.json:4, item 3: the list must hold JSON objects, not a number",
        ],
    ),
    (
        "p.json",
        b'[{"prompt": "x"}, {"prompt": 3}, {"prompt": "y"}, {"prompt": ""}]',
        [
            'p.json:1, item 2: "prompt" must be text or a list of turns',
            'p.json:1, item 4: "prompt" is empty',
        ],
    ),
    (
        "p.json",
        b'[{"prompt": "x"},\n{"prompt": }]',
        [f"p.json:2, item 2: broken JSON list: Expecting value {ONE_LIST}"],
    ),
    ("p.json", b'[{"prompt": "x"}\n', [f"p.json:2, item 1: broken JSON list: expecting ']' {ONE_LIST}"]),
    (
        "p.json",
        b'[{"prompt": "x',
        [f"p.json:1, item 1: broken JSON list: Unterminated string starting at {ONE_LIST}"],
    ),
    ("p.json", b'[{"prompt": "x"}]\n\n{}', ["p.json:3: text after the end of the JSON list"]),
    ("p.json", b'[{"prompt": "\xff"}]', ["p.json:1: not UTF-8: byte 0xff (save the file as UTF-8)"]),
    (
        "p.json",
        b'[{"prompt": "x"}, ' + b"[" * 100_000,
        [
            "p.json:1, item 2: broken JSON list: maximum recursion depth exceeded while decoding a JSON array from a "
            f"unicode string {ONE_LIST}"
        ],
    ),
    (
        "p.jsonl",
        b'{"chosen": "\\n\\nAssistant: b"}',
        ["p.jsonl: no usable prompt in 1 rows (the dialogue does not begin with the human: 1)"],
    ),
    (
        "p.parquet",
        parquet(prompt=["a", "b"])[:-4],
        [
            "p.parquet: broken Parquet file: Parquet magic bytes not found in footer. Either the file is corrupted or "
            f"this is not a parquet file. {AGAIN}"
        ],
    ),
    (
        "p.parquet",
        parquet(prompt=["a", None, None], other=[1, 2, 3]),
        [f"p.parquet:2: {no_prompt('prompt', 'other')}".replace(" (", ", and 1 more row like it (", 1)],
    ),
    (
        "p.parquet",
        parquet(prompt=[1, 2]),
        ['p.parquet:1: "prompt" must be text or a list of turns, and 1 more row like it'],
    ),
    (
        "p.parquet",
        parquet(other=["a"], more=[1]),
        ["p.parquet: no column is known here: other, more (say what is what, e.g. --column prompt=NAME)"],
    ),
    ("p.arrow", arrow(stream=False)[:-4], [f"p.arrow: broken Arrow file: Not an Arrow file {AGAIN}"]),
    (
        "p.arrow",
        arrow(stream=True)[:-40],
        [f"p.arrow: broken Arrow file: Expected to be able to read 40 bytes for message body, got 8 {AGAIN}"],
    ),
]


@pytest.mark.parametrize(("name", "data", "lines"), FILES, ids=range(len(FILES)))
def test_a_faulty_file(tmp_path: Path, name: str, data: bytes, lines: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert told(prompts, path) == lines


def test_a_damaged_table_is_not_read_beyond_its_end(tmp_path: Path) -> None:
    """An offset that points outside the text; read on trust, it would show memory of the process."""
    data = bytearray(arrow(stream=True, rows=3))
    at = data.index((0).to_bytes(4, "little") + (8).to_bytes(4, "little") + (16).to_bytes(4, "little"))
    data[at + 4 : at + 8] = (2**30).to_bytes(4, "little")
    (tmp_path / "p.arrow").write_bytes(data)
    (line,) = told(prompts, tmp_path / "p.arrow")
    assert line.startswith("p.arrow:1: damaged from this row on: ")


def test_places_where_no_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(prompts, tmp_path / "p.jsonl") == ["p.jsonl: no such file"]
    assert told(prompts, tmp_path / "p.parquet") == ["p.parquet: no such file"]
    (tmp_path / "d.jsonl").mkdir()
    assert told(prompts, tmp_path / "d.jsonl") == [
        "d.jsonl: is a folder (give a file, a folder that `datasets` saved, or hf:d.jsonl)"
    ]

    def forbidden(path: Path, *more: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.chdir(tmp_path)
    with pytest.raises(PromptError) as error:
        read_prompts("some/name", "harmful")
    assert (
        str(error.value) == "some/name: no such file (to read a data set of the Hugging Face Hub, write hf:some/name)"
    )
    (tmp_path / "p.jsonl").write_bytes(GOOD)
    monkeypatch.setattr(builtins, "open", forbidden)
    assert told(prompts, tmp_path / "p.jsonl") == ["p.jsonl: cannot be read: Permission denied"]


def test_a_data_set_without_an_owner_is_refused_before_the_hub_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from solon.data import datasets_library

    def asked(source: str) -> None:
        raise AssertionError(source)

    monkeypatch.setattr(datasets_library.datasets, "load_dataset_builder", asked)
    with pytest.raises(PromptError) as error:
        read_prompts("hf:some#test", "harmful")
    assert str(error.value) == "hf:some#test: neither a folder nor the name of a data set (hf:OWNER/some)"


@pytest.mark.parametrize(
    ("library", "name"),
    [("pyarrow", "p.parquet"), ("pyarrow", "p.jsonl.zst"), ("datasets", "saved"), ("datasets", "hf:some/set")],
)
def test_without_the_optional_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, name: str
) -> None:
    (tmp_path / "p.parquet").write_bytes(parquet(prompt=["a"]))
    (tmp_path / "p.jsonl.zst").write_bytes(zstandard(GOOD))
    (tmp_path / "saved").mkdir()
    for module in ("solon.data.tables", "solon.data.datasets_library"):
        monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.delattr(module, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    path = name if name.startswith("hf:") else tmp_path / name
    with pytest.raises(PromptError) as error:
        read_prompts(path, "harmful")
    assert str(error.value) == f"{path}: needs {library}, which is not installed (pip install 'solon[data]')"
    assert not isinstance(error.value.__cause__, Unreadable)


@pytest.mark.parametrize(
    ("choose", "rows", "line"),
    [
        (
            choose_red_team,
            ['{"prompt": "How?"}', '{"prompt": "how? "}'],
            "all prompts (2) open in the same way, so none can be held out for evaluation "
            "(give prompts from at least two conversations)",
        ),
        (
            choose_red_team,
            ['{"prompt": "x", "kind": "benign"}', '{"prompt": "y", "kind": "benign"}'],
            "no red-team prompts to train with: all but those held out are benign "
            "(give more prompts of kind harmful or mixed)",
        ),
        (
            choose_helpful,
            ['{"prompt": "x", "response": "y"}', '{"system": "s", "prompt": "x", "response": "y"}'],
            "all prompts (2) open in the same way, so none can be held out for evaluation "
            "(give prompts from at least two conversations)",
        ),
    ],
)
def test_nothing_to_choose_from(tmp_path: Path, choose: Callable[..., object], rows: Sequence[str], line: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    assert told(lambda source: choose(source, PromptsSection(source=str(source)), 0), path) == [f"p.jsonl: {line}"]


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("".join(f'{{"prompt": "{number}"}}\n' for number in range(9)), encoding="utf-8")
    choice = choose_red_team(path, PromptsSection(source=str(path)), 0)
    path.write_text('{"prompt": "0"}\n', encoding="utf-8")
    with pytest.raises(PromptError) as error:
        choice.read()
    assert str(error.value) == f"{path}: the file has changed while it was read"
