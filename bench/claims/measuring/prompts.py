"""Prompts and pairs that measurements use."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from measuring.script import ROOT, Skip
from solon.records import Pair, Prompt, Turn

HARMLESS = Path(os.environ.get("SOLON_REFERENCE_DATA", "../shared/data"), "hh-rlhf/harmless-base-test.jsonl.gz")
_ASSISTANT = "\n\nAssistant:"
_HUMAN = "\n\nHuman:"


def hh_rlhf(count: int) -> tuple[list[Prompt], list[Pair]]:
    """The first questions of hh-rlhf's harmless test dialogues, each asked once, with the two first answers where they
    differ. Raises `Skip` without the file."""
    path = ROOT / HARMLESS
    if not path.exists():
        raise Skip(f"no {HARMLESS.name} (set SOLON_REFERENCE_DATA to a folder of the published files)")
    found = dict(_first_exchanges(path))
    prompts, pairs = [], []
    for number, (question, (a, b)) in enumerate(islice(found.items(), count)):
        name = f"hh-{number}"
        prompts.append(Prompt(id=name, kind="harmful", turns=(Turn(role="human", text=question),)))
        pairs.append(Pair(id=f"{name}.pair", prompt_id=name, a=a, b=b))
    return prompts, pairs


def _first_exchanges(path: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Question, and the last answers of both dialogues about it."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            question = row["chosen"].partition(_ASSISTANT)[0].removeprefix(_HUMAN).strip()
            a, b = (row[side].rpartition(_ASSISTANT)[2].strip() for side in ("chosen", "rejected"))
            if question and a and b and a != b:
                yield question, (a, b)
