"""What a row is an example of: a red-team prompt, a comparison by people, an answer worth imitating."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import get_args

from solon.config.prompts import ReadingSection
from solon.data.faults import Fields, Malformed
from solon.data.forms import answers_of, prompt_of
from solon.data.labels import attribution, p_first
from solon.data.reading import Example, Reading
from solon.data.turns import prompt_id
from solon.records import Comparison, Demonstration, Prompt, PromptKind

_KINDS: dict[str, PromptKind] = {kind: kind for kind in get_args(PromptKind)}
_LABELS: dict[str, PromptKind] = {"safe": "benign", "unsafe": "harmful"}
"""The `label` column of XSTest."""


def red_team_example(fields: Fields, row: int, source: str, *, kind: PromptKind = "harmful") -> Example:
    """A row as a prompt alone. Raises `Malformed` or `Unusable`."""
    kind = _kind(fields, kind)
    turns = prompt_of(fields)
    prompt = Prompt(id=prompt_id(kind, turns), kind=kind, turns=turns, source=source)
    return Example(row=row, prompt=prompt)


def _kind(fields: Fields, default: PromptKind) -> PromptKind:
    named = fields.get("kind")
    if isinstance(named, str) and named.strip() in _KINDS:
        return _KINDS[named.strip()]
    if named not in (None, ""):
        raise Malformed(f"unknown kind {reprlib.repr(named)}", f"use {', '.join(_KINDS)}", reason="unknown kind")
    label = fields.get("label")
    return _LABELS.get(label, default) if isinstance(label, str) else default


def read_red_team(source: str | Path) -> tuple[list[Example], Reading]:
    """Each prompt of a file once, and the counts of the reading. Raises as `read_helpful`."""
    reading = Reading(source, ReadingSection())
    return reading.distinct(red_team_example, "prompt"), reading


def read_helpful(source: str | Path, how: ReadingSection | None = None) -> tuple[list[Example], Reading]:
    """Each example of a file once, in memory, and the counts of the reading.

    Raises `PromptError` with every fault of the file, or if it holds no usable row.
    """
    how = how or ReadingSection()
    reading = Reading(source, how)
    return reading.distinct(partial(helpful_example, how=how), "helpfulness example"), reading


def helpful_example(fields: Fields, row: int, source: str, *, how: ReadingSection) -> Example:
    """A row as a benign prompt with its answers, the better one first. Raises `Malformed` or `Unusable`."""
    found = answers_of(fields)
    answers, first = found.answers, found.first
    by, p = attribution(fields, first), p_first(fields, first, how) if first else 1.0
    if p == 0.0:
        answers, by, p = answers[::-1], by.swap(), 1.0
    prompt = Prompt(id=prompt_id("benign", found.turns), kind="benign", turns=found.turns, source=source)
    return Example(row=row, prompt=prompt, answers=answers, p_first=p, by=by)


def prompts_of(examples: Iterable[Example]) -> tuple[Prompt, ...]:
    """Each prompt once, as it came first."""
    prompts: dict[str, Prompt] = {}
    for example in examples:
        prompts.setdefault(example.prompt.id, example.prompt)
    return tuple(prompts.values())


def comparisons_of(examples: Iterable[Example], file: str) -> tuple[Comparison, ...]:
    """Those with two answers. `file`: what they are said to come from."""
    return tuple(
        Comparison(
            id=example.id,
            prompt_id=example.prompt.id,
            a=example.answers[0],
            b=example.answers[1],
            p_a_preferred=example.p_first,
            rater="human",
            objective="helpfulness",
            method=file,
            model_a=example.by.model,
            model_b=example.by.other_model,
            rater_id=example.by.rater_id,
            session=example.by.session,
        )
        for example in examples
        if len(example.answers) == 2
    )


def demonstrations_of(examples: Iterable[Example]) -> tuple[Demonstration, ...]:
    """Those with one answer."""
    return tuple(
        Demonstration(id=one.id, prompt_id=one.prompt.id, answer=one.answers[0], source="helpful", model=one.by.model)
        for one in examples
        if len(one.answers) == 1
    )
