"""Prompts from a file."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

from solon.config import ReadingSection
from solon.prompts.faults import Malformed
from solon.prompts.forms import prompt_of
from solon.prompts.reading import Example, Given, Reading
from solon.prompts.turns import prompt_id
from solon.records import Prompt, PromptKind

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
    notes: tuple[str, ...] = ()
    """What should be said aloud."""


def read_prompts(source: str | Path, kind: PromptKind, how: ReadingSection | None = None) -> PromptFile:
    """Every prompt of a file, in memory; `kind` is given to rows that do not name their own.

    Raises `PromptError` with every fault of the file, or if it holds no usable prompt.
    """
    reading = Reading(source, how or ReadingSection())
    prompts: dict[str, Prompt] = {}
    for example in reading.examples(partial(red_team_example, kind=kind)):
        reading.dropped["duplicate"] += example.id in prompts
        prompts.setdefault(example.id, example.prompt)
    reading.refuse_unless(bool(prompts), "prompt")
    return PromptFile(
        prompts=tuple(prompts.values()), rows=reading.rows, dropped=reading.left_out(), notes=reading.notes()
    )


def red_team_example(given: Given, *, kind: PromptKind = "harmful") -> Example:
    """A row as a prompt alone. Raises `Malformed` or `Unusable`."""
    kind = _kind(given.fields, kind)
    turns = prompt_of(given.fields)
    prompt = Prompt(id=prompt_id(kind, turns), kind=kind, turns=turns, source=given.source)
    return Example(row=given.row, prompt=prompt)


def _kind(fields: Mapping[str, object], default: PromptKind) -> PromptKind:
    named = fields.get("kind")
    if isinstance(named, str) and named.strip() in _KINDS:
        return _KINDS[named.strip()]
    if named not in (None, ""):
        raise Malformed(f"unknown kind {reprlib.repr(named)}", f"use {', '.join(_KINDS)}", reason="unknown kind")
    label = fields.get("label")
    return _LABELS.get(label, default) if isinstance(label, str) else default
