"""Prompts from a file: JSONL, CSV, or the hh-rlhf preference format."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from solon.prompts.rows import Faults, Malformed, Row, Unusable, read_rows
from solon.prompts.turns import dialogue, prompt_id, transcript
from solon.records import Prompt, PromptKind, Turn

_KINDS: dict[str, PromptKind] = {kind: kind for kind in get_args(PromptKind)}
_LABELS: dict[str, PromptKind] = {"safe": "benign", "unsafe": "harmful"}
"""The `label` column of XSTest."""


@dataclass(frozen=True, kw_only=True)
class PromptFile:
    """What a file gave."""

    prompts: tuple[Prompt, ...]
    """In the order of the file, each once."""
    rows: int
    dropped: Counter[str]
    """Rows that gave no prompt, by reason; `rows == len(prompts) + dropped.total()`."""


def read_prompts(path: str | Path, kind: PromptKind) -> PromptFile:
    """Reads .jsonl, .jsonl.gz and .csv files; `kind` is given to rows that do not name their own.

    Raises `PromptError` with every fault of the file, or if it holds no usable prompt.
    """
    path = Path(path)
    faults = Faults(path=path)
    rows = read_rows(path, faults)
    prompts: dict[str, Prompt] = {}
    dropped: Counter[str] = Counter()
    for row in rows:
        try:
            prompt = _prompt(row, kind, path.name)
        except Malformed as error:
            faults.add(error.what, row.line, error.hint)
        except Unusable as error:
            dropped[error.reason] += 1
        else:
            dropped["duplicate"] += prompt.id in prompts
            prompts.setdefault(prompt.id, prompt)
    refuse_empty(faults, len(rows), len(prompts), dropped, "prompt")
    return PromptFile(prompts=tuple(prompts.values()), rows=len(rows), dropped=+dropped)


def refuse_empty(faults: Faults, rows: int, used: int, dropped: Counter[str], what: str) -> None:
    """Raises `PromptError` if the file has faults, no rows, or no usable row."""
    if not faults.found and not rows:
        faults.add(f"no {what}s: the file is empty")
    if not faults.found and not used:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in dropped.most_common())
        faults.add(f"no usable {what} in {rows} rows ({reasons})")
    faults.raise_any()


def red_team_turns(chosen: object) -> tuple[Turn, ...]:
    """An hh-rlhf transcript up to and including the human turn that the last answer replies to."""
    if not isinstance(chosen, str):
        raise Malformed('"chosen" must be a transcript', r'a text that begins with "\n\nHuman:"')
    turns = transcript(chosen)
    return turns if turns[-1].role == "human" else turns[:-1]


def _prompt(row: Row, kind: PromptKind, file: str) -> Prompt:
    fields = row.fields
    kind = _kind(fields, kind)
    if "chosen" in fields and "prompt" not in fields:
        turns = red_team_turns(fields["chosen"])
    else:
        turns = dialogue(fields)
        if turns[-1].role != "human":
            raise Malformed("the dialogue ends with the assistant", "end it with the human turn to be answered")
    return Prompt(id=prompt_id(kind, turns), kind=kind, turns=turns, source=f"{file}:{row.line}")


def _kind(fields: dict[str, object], default: PromptKind) -> PromptKind:
    named = fields.get("kind")
    if isinstance(named, str) and named.strip() in _KINDS:
        return _KINDS[named.strip()]
    if named not in (None, ""):
        raise Malformed(f"unknown kind {named!r}", f"use {', '.join(_KINDS)}")
    label = fields.get("label")
    return _LABELS.get(label, default) if isinstance(label, str) else default
