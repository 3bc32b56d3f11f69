"""Example prompts with their categories: a plain text, or any file of rows with `prompt` and `category`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from solon.config.prompts import ReadingSection
from solon.data.examples import red_team_example
from solon.data.faults import Malformed, Unreadable
from solon.data.reading import Reading
from solon.data.rows import FORMATS, has_known_ending, name_of, read_rows
from solon.errors import Fault, PromptError, Where
from solon.records import Record

PLAIN = ".txt"
_HEADING = "#"


class ExamplePrompt(Record):
    """A prompt of one turn, in a category; "" if it has none."""

    text: str
    category: str
    source: str
    """Its file and line."""


def read_example_prompts(path: Path) -> list[ExamplePrompt]:
    """A text file has a prompt a line, and a line `# CATEGORY` before those of one category.

    Raises `PromptError` with every fault of the file, or if it holds no prompt.
    """
    found = list(_plain(path) if _is_plain(path) else _rows(path))
    if not found:
        raise PromptError("no example prompts: the file is empty", where=Where(path))
    return found


def read_asked(path: Path) -> list[str]:
    """What people ask in a file of prompts of any form, or in a plain text: the last turn of each.

    Raises `PromptError` as the reading of prompts does.
    """
    if _is_plain(path):
        return [one.text for one in read_example_prompts(path)]
    examples = Reading(path, ReadingSection()).distinct(red_team_example, "prompt")
    return [example.prompt.turns[-1].text for example in examples]


def _is_plain(path: Path) -> bool:
    """Raises `PromptError` if the name of the file says neither this nor another form."""
    if path.suffix.lower() == PLAIN:
        return True
    if path.is_file() and not has_known_ending(path):
        what, hint = f"cannot tell the format from the name {path.name!r}", f"use {PLAIN} (a prompt a line), {FORMATS}"
        raise PromptError(what, where=Where(path), hint=hint)
    return False


def _plain(path: Path) -> Iterator[ExamplePrompt]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise PromptError("not UTF-8", where=Where(path), hint="save the file as UTF-8") from error
    except OSError as error:
        raise PromptError(f"cannot be read: {error.strerror}", where=Where(path)) from error
    category = ""
    for number, line in enumerate(lines, start=1):
        if line.startswith(_HEADING):
            category = line.lstrip(_HEADING).strip()
        elif line.strip():
            yield ExamplePrompt(text=line.strip(), category=category, source=str(Where(path.name, number)))


def _rows(path: Path) -> Iterator[ExamplePrompt]:
    faults: list[Fault] = []
    try:
        for row in read_rows(path, ("prompt", "category")):
            where = Where(path, row.line, row.item)
            try:
                fields = row.read()
            except Malformed as error:
                faults.append(Fault(error.what, where, error.hint))
                continue
            text, category = fields.get("prompt"), fields.get("category") or ""
            if not isinstance(text, str) or not text.strip() or not isinstance(category, str):
                faults.append(Fault('an example needs "prompt", a text, and may have "category", a text', where))
                continue
            source = str(Where(name_of(path), row.line, row.item))
            yield ExamplePrompt(text=" ".join(text.split()), category=category.strip(), source=source)
    except Unreadable as error:
        faults.append(Fault(error.what, Where(path, error.line, error.item), error.hint))
    if faults:
        raise PromptError(faults[:20])
