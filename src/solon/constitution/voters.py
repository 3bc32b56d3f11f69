"""Statements about the speaker: `I own a house in town`. No principle follows from one.

A list of forms (`voters.toml`), nothing more: in English, German, French, Spanish and Chinese, a sentence in the first
person with a verb of living, owning, working or belonging, or one about the speaker's family or home. A sentence that
asks for something (`I live here and the town should ...`) or tells an opinion (`I think ...`) is none. What is said in
other forms (`Born here in 1970`, `Nurse for ten years`) is not found.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

_SENTENCE = re.compile(r"[^.!?…。！？“”„«»「」\"\n]+")


def fact_about_speaker(text: str) -> str | None:
    """The first sentence that only states a fact about the speaker, or None.

    >>> fact_about_speaker("I own two houses in Lower Hutt."), fact_about_speaker("I think AI should be kind.")
    ('I own two houses in Lower Hutt', None)
    """
    for found in _SENTENCE.finditer(text):
        sentence = found[0].strip()
        if any(begins.match(sentence) and not wishes.search(sentence) for begins, wishes in _forms()):
            return sentence
    return None


@cache
def _forms() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    tables = tomllib.loads(files("solon.constitution").joinpath("voters.toml").read_text(encoding="utf-8"))
    flags = re.IGNORECASE | re.VERBOSE
    return tuple(
        (
            re.compile(rf"\W* (?: (?: and | und | et | y ) \s )? (?: {table['begins']} )", flags),
            # Chinese words have no edges to look for.
            re.compile(table["wishes"] if code == "zh" else rf"\b(?: {table['wishes']} )\b", flags),
        )
        for code, table in tables.items()
    )
