"""What changed between two texts: whole sentences, or words where a sentence was only touched up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from markupsafe import Markup, escape

_SENTENCES = re.compile(r"[^.!?]*[.!?]*\s*")
_WORDS = re.compile(r"\s+|\S+")
TOUCHED_UP = 0.7
"""Share of the longer of two passages that stayed, from which words are marked and not sentences. Set by eye."""
LONGEST = 2000
"""Sentences or words of a text beyond which nothing is marked: the time grows with their product."""


def marked(before: str, after: str) -> Markup:
    """The later text with what is new in `<ins>` and what went in `<del>`; everything else is escaped.

    Example: "Take it. Run." and "Ask for it. Run." give `<del>Take it. </del><ins>Ask for it. </ins>Run.`.
    """
    old, new = (_pieces(_SENTENCES, text) for text in (before, after))
    if max(len(old), len(new)) > LONGEST:
        return escape(after)
    return Markup("").join(_passages(old, new))


def _passages(old: Sequence[str], new: Sequence[str]) -> Iterator[Markup]:
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = "".join(old[i:j]), "".join(new[k:m])
        touched = _touched_up(gone, come) if kind == "replace" else None
        yield escape(come) if kind == "equal" else touched or _both(gone, come)


def _touched_up(before: str, after: str) -> Markup | None:
    """Word by word; None if too little stayed."""
    old, new = (_pieces(_WORDS, text) for text in (before, after))
    if max(len(old), len(new)) > LONGEST:
        return None
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    parts = [(kind, "".join(old[i:j]), "".join(new[k:m])) for kind, i, j, k, m in codes]
    stayed = sum(len(come) for kind, _, come in parts if kind == "equal")
    if stayed < TOUCHED_UP * max(len(before), len(after)):
        return None
    return Markup("").join(escape(come) if kind == "equal" else _both(gone, come) for kind, gone, come in parts)


def _both(gone: str, come: str) -> Markup:
    found = Markup("<del>{}</del>").format(gone) if gone else Markup("")
    return found + (Markup("<ins>{}</ins>").format(come) if come else Markup(""))


def _pieces(pattern: re.Pattern[str], text: str) -> list[str]:
    return [piece for piece in pattern.findall(text) if piece]
