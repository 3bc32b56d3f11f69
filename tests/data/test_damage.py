"""Damaged files of every format: read, or refused in single lines; never a traceback."""

from __future__ import annotations

import gzip
import json
import lzma
import random
from pathlib import Path

import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest

from data.examples import messages, read_helpful
from solon.config.prompts import ReadingSection
from solon.errors import PromptError

ROWS = [{"prompt": messages(f"question {n}"), "chosen": f"good {n}", "rejected": "bad"} for n in range(30)]
TABLE = pyarrow.Table.from_pylist(ROWS)
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def table(*, stream: bool | None) -> bytes:
    sink = pyarrow.BufferOutputStream()
    if stream is None:
        pyarrow.parquet.write_table(TABLE, sink)
    else:
        with (pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file)(sink, TABLE.schema) as writer:
            writer.write_table(TABLE)
    return bytes(sink.getvalue())


SOUND = {
    "p.jsonl": LINES,
    "list.json": json.dumps(ROWS).encode(),
    "p.csv": b"prompt,chosen,rejected\n" + b"".join(b'"question %d, so",good,bad\n' % n for n in range(30)),
    "p.jsonl.gz": gzip.compress(LINES),
    "p.jsonl.xz": lzma.compress(LINES),
    "p.jsonl.zst": bytes(pyarrow.compress(LINES, codec="zstd", asbytes=True)),
    "p.parquet": table(stream=None),
    "file.arrow": table(stream=False),
    "stream.arrow": table(stream=True),
}


def damaged(data: bytes, rng: random.Random) -> bytes:
    """One to four bytes changed, left out or put in, or the end cut off."""
    spoilt = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(1, len(spoilt))
        match rng.randrange(5):
            case 0:
                del spoilt[at:]
            case 1:
                del spoilt[at : at + 4]
            case 2:
                spoilt[at:at] = rng.randbytes(4)
            case _:
                spoilt[at] = rng.randrange(256)
        spoilt = spoilt if len(spoilt) > 1 else bytearray(b"xx")
    return bytes(spoilt)


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("on_fault", ["stop", "skip"])
def test_damage(tmp_path: Path, name: str, on_fault: str) -> None:
    how = ReadingSection.model_validate({"on_fault": on_fault, "max_faults": 1.0})
    rng = random.Random(name)
    (tmp_path / name).write_bytes(SOUND[name])
    assert read_helpful(tmp_path / name, how).rows == 30
    refused = 0
    for _ in range(30):
        (tmp_path / name).write_bytes(damaged(SOUND[name], rng))
        try:
            read_helpful(tmp_path / name, how)
        except PromptError as error:
            refused += 1
            assert all(str(fault).isprintable() for fault in error.faults)
    assert refused
