"""What tests of reading share: small files, and what they give."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from solon.config import ReadingSection
from solon.prompts.helpful import HelpfulFile, read_helpful
from solon.prompts.read import PromptFile, read_prompts
from solon.records import Turn

Said = tuple[tuple[str, str], ...]
"""A dialogue as (role, text)."""


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
