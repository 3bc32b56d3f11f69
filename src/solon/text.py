"""Small services to text that a person reads: made safe or short, free of secrets, durations, lists, the word that was
meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_UNPRINTABLE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)

_SECRET = r"(?:key|pass|secret|credential|auth|bearer|(?<!max_)(?<!new_)(?<!batch_)(?<!whole_)token)"
_SECRET_NAME = re.compile(rf"(?i){_SECRET}|endpoint\W*$")
_SECRET_INSIDE = re.compile(rf"""(?i){_SECRET}\w*["']?\s*[=:]|//[^/#\s]*@|//\S*[?]|\b(?:sk-|hf_)""")
"""Names with values, what an address holds beside its server and path, and how well-known keys begin."""


def printable(text: str) -> str:
    """`text` with control characters, lone surrogates and changes of writing direction spelled out; newlines stay.

    `printable("a\\x1b[31mb")` is `a\\\\x1b[31mb` with the backslash visible: a terminal shows it and does not turn red.
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def without_secret(name: str, value: str) -> str:
    """The value of a setting as it may be printed: a few dots where the name says that it is a key, a token, a password
    or the like, or the value looks as if it held one."""
    return "..." if value and (_SECRET_NAME.search(name) or _SECRET_INSIDE.search(value)) else value


def fill(template: str, **fields: str) -> str:
    """`template` with each `{name}` replaced in one pass: a field's braces stay as they are and are never parsed."""
    return re.sub(r"\{(\w+)\}", lambda found: fields[found[1]], template)


def excerpt(text: str, most: int = 100) -> str:
    """The beginning of `text`, as it stands in a message: `most` characters of it, lone surrogates spelled out."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= most else f"{text[:most]}..."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is nearest to `word`, if one is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint towards the nearest known word, if one is near."""
    found = nearest(word, known)
    return f"did you mean `{found}`?" if found else None


def listed(words: Iterable[str]) -> str:
    """Words as they stand in a message: quoted, with commas between them."""
    return ", ".join(f"`{word}`" for word in words)


def duration(seconds: float) -> str:
    """12 is "12 s", 214 is "3 min 34 s", 7260 is "2 h 1 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
