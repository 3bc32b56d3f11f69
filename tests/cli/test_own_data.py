"""Data as people have it, through the command: other formats, other names, faulty rows."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow
import pyarrow.parquet

from cli.command import done, solon, tiny_settings
from cli.conftest import HELP, RED, write_lines
from cli.test_bad_input import OWN, refused_run
from solon.artifacts.shards import decode_rows
from solon.records import Comparison, Prompt

INPUTS = ("--model", "model", "--constitution", "mine.toml")


def test_tables_with_columns_of_other_names(files: Path) -> None:
    asked = [{"system": "Be brief.", "question": p, "chosen": c, "rejected": r} for p, c, r in HELP]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(asked), "good.parquet")
    (files / "red.csv").write_text("".join(f"{line}\n" for line in ("goal", *RED)), encoding="utf-8")
    own = (
        "--prompts",
        "red.csv",
        "--helpful",
        "good.parquet",
        "--column",
        "prompt=goal",
        "--column",
        "prompt=question",
    )
    done("stage", "prompts", *INPUTS, *own, *tiny_settings("prompts.on_fault=skip"), "-o", "mine", "--quiet")
    kept = Path("mine/prompts/comparisons.jsonl")
    assert {row.a for row in decode_rows(kept.read_bytes().splitlines(), Comparison, kept)} == {"Cut above a bud."}
    asked_file = Path("mine/prompts/prompts-helpful.jsonl")
    for prompt in decode_rows(asked_file.read_bytes().splitlines(), Prompt, asked_file):
        assert [turn.role for turn in prompt.turns] == ["system", "human"]
        assert prompt.source.startswith("good.parquet:")
    assert 'columns = {"prompt" = ["goal", "question"]}' in Path("mine/run.toml").read_text(encoding="utf-8")


def test_faulty_rows_that_are_left_out_are_said_and_counted(files: Path) -> None:
    write_lines(files / "red.jsonl", {"prompt": ""}, *({"prompt": prompt} for prompt in RED))
    settings = tiny_settings("prompts.on_fault=skip", "prompts.max_faults=0.1")
    result = solon("stage", "prompts", *OWN, *settings, "-o", "mine")
    assert result.exit_code == 0
    said = 'red.jsonl: faulty rows left out: 1 ("prompt" is empty: 1), at 1'
    assert said in " ".join(result.stdout.split())
    counts = json.loads(Path("mine/prompts/manifest.json").read_text(encoding="utf-8"))["counts"]
    assert counts["dropped"]['faulty row: "prompt" is empty'] == 1
    assert counts["in"] == counts["out"] + sum(counts["dropped"].values())


def test_names_of_columns_that_are_a_slip_of_the_pen(files: Path) -> None:
    assert refused_run(*OWN, "--column", "prompt=qestion") == [
        'prompts.columns says that "prompt" is called "qestion", but no file has that column '
        "(say --column prompt=NAME as it is in the file)"
    ]
    assert refused_run(*OWN, "--column", "promt=prompt") == [
        'command line: prompts.columns names "promt", which means nothing (did you mean `prompt`?)'
    ]
    assert refused_run(*OWN, "--column", "prompt") == [
        "--column prompt: expected NAME=COLUMN (e.g. --column prompt=question)"
    ]
    assert refused_run("--model", "model", "--column", "prompt=question") == [
        "command line: prompts.columns is set, but the world's prompts are not read from a file "
        "(remove it, or give --prompts FILE)"
    ]


def test_a_broken_table_begins_nothing(files: Path) -> None:
    (files / "good.parquet").write_bytes(b"PAR1 and no more")
    assert refused_run(*OWN[:-1], "good.parquet") == [
        "good.parquet: broken Parquet file: Parquet magic bytes not found in footer. Either the file is corrupted or "
        "this is not a parquet file. (download or write it again)"
    ]
    assert refused_run(*OWN[:-1], "good.parquet", "--set", "prompts.on_fault=skip")
