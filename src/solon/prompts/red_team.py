"""Red-team prompts from rows."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import get_args

from solon.prompts.faults import Malformed
from solon.prompts.forms import prompt_of
from solon.prompts.reading import Example, RowFields
from solon.prompts.turns import prompt_id
from solon.records import Prompt, PromptKind

_KINDS: dict[str, PromptKind] = {kind: kind for kind in get_args(PromptKind)}
_LABELS: dict[str, PromptKind] = {"safe": "benign", "unsafe": "harmful"}
"""The `label` column of XSTest."""


def red_team_example(given: RowFields, *, kind: PromptKind = "harmful") -> Example:
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
