"""What tests of reading share: small files, and what they give."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from solon.config.prompts import ReadingSection
from solon.data import examples as of_rows
from solon.data.examples import comparisons_of, demonstrations_of, prompts_of, red_team_example
from solon.data.reading import Reading
from solon.records import Comparison, Demonstration, Prompt, PromptKind, Turn

Said = tuple[tuple[str, str], ...]
"""A dialogue as (role, text)."""


@dataclass(frozen=True, kw_only=True)
class PromptFile:
    """What a file gave. Everything is in the order of the file, each once."""

    prompts: tuple[Prompt, ...]
    rows: int
    dropped: Counter[str]
    """`rows == len(prompts) + dropped.total()`."""
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HelpfulFile(PromptFile):
    """`rows == len(comparisons) + len(demonstrations) + dropped.total()`."""

    comparisons: tuple[Comparison, ...]
    demonstrations: tuple[Demonstration, ...]


def read_prompts(source: str | Path, kind: PromptKind, how: ReadingSection | None = None) -> PromptFile:
    reading = Reading(source, how or ReadingSection())
    examples = reading.distinct(partial(red_team_example, kind=kind), "prompt")
    return PromptFile(
        prompts=prompts_of(examples), rows=reading.rows, dropped=reading.left_out(), notes=reading.notes()
    )


def read_helpful(source: str | Path, how: ReadingSection | None = None) -> HelpfulFile:
    examples, reading = of_rows.read_helpful(source, how)
    return HelpfulFile(
        prompts=prompts_of(examples),
        comparisons=comparisons_of(examples, reading.name),
        demonstrations=demonstrations_of(examples),
        rows=reading.rows,
        dropped=reading.left_out(),
        notes=reading.notes(),
    )


def write(path: Path, *rows: object) -> Path:
    """JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def helpful(folder: Path, *rows: object, **how: object) -> HelpfulFile:
    return read_helpful(write(folder / "h.jsonl", *rows), ReadingSection.model_validate(how))


def red_team(folder: Path, *rows: object, **how: object) -> PromptFile:
    return read_prompts(write(folder / "p.jsonl", *rows), "harmful", ReadingSection.model_validate(how))


def said(turns: Iterable[Turn]) -> Said:
    return tuple((turn.role, turn.text) for turn in turns)


def messages(*texts: str, system: str | None = None, first: str = "user") -> list[dict[str, str]]:
    """Turns that alternate, as chat libraries write them."""
    order: Sequence[str] = ("user", "assistant") if first == "user" else ("assistant", "user")
    turns = [{"role": order[number % 2], "content": text} for number, text in enumerate(texts)]
    return ([{"role": "system", "content": system}] if system is not None else []) + turns
