"""A stage of a few slow rows, made by a cluster or here, without any model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from solon.artifacts.run_folder import RunFolder
from solon.config.run import ClusterSection, RunConfig
from solon.feedback.rows import Rows
from solon.pipeline.cluster import workers_at
from solon.pipeline.shard import Maker, Shard
from solon.records import Answer
from stages import begun

SHARDS, SIZE = 20, 3


def make_stage(folder: str | Path, address: str | None) -> int:
    """How many shards were left to make."""

    def make(items: Sequence[int]) -> Rows[Answer]:
        time.sleep(0.1)
        rows = (Answer(id=str(item), prompt_id="", text="é" * item, tokens=item, finished=True) for item in items)
        return Rows(records=tuple(rows))

    made = 0

    def work(shard: Shard[Answer]) -> Sequence[Answer]:
        nonlocal made
        made += 1
        return shard.rows.records

    spread = partial(
        workers_at(address, ClusterSection(workers=1), lambda rows, tokens: None), Maker(make=make, actors={})
    )
    with RunFolder.create(folder, RunConfig()) as run:
        items = range(SHARDS * SIZE)
        begun(run, "numbers").rows(items, shard_rows=SIZE, work=work, record=Answer, spread=spread)
    return made
