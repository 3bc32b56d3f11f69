"""Text that a model will read: what may stand in it, checked in one place."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import AfterValidator

DELIMITER = re.compile(r"^[ \t]*(Human|Assistant|CritiqueRequest|Critique|RevisionRequest|Revision):", re.MULTILINE)
"""A line that begins like this starts a turn in the dialogue format, so no instruction may begin a line with it."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@cache
def document_templates() -> dict[str, str]:
    """How the articles of a document become instructions, by the name of the text."""
    text = files("solon.constitution").joinpath("templates/document.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def non_empty(text: str) -> str:
    """`text` without the white space around it. Raises ValueError if nothing is left, or if no file could hold it."""
    if not text.strip():
        raise ValueError("is empty; write the text or leave the key out")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"has half a character at position {error.start}, a lone surrogate") from None
    return text.strip()


def _no_delimiter(text: str) -> str:
    if found := DELIMITER.search(text):
        raise ValueError(
            f"has a line that begins with `{found[1]}:`, which starts a turn of the dialogue; "
            "write the bare sentence, the delimiters are added later"
        )
    return text


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"must be one word of letters, digits, `.`, `_` and `-`, not {text!r}")
    return text


Text = Annotated[str, AfterValidator(non_empty)]
"""Text with something in it, without white space around it."""

Instruction = Annotated[str, AfterValidator(non_empty), AfterValidator(_no_delimiter)]
"""Text that is put into a dialogue as it stands: not empty, and no line of it looks like the start of a turn."""

Word = Annotated[str, AfterValidator(_word)]
"""An id or a tag: it can stand in a list on a command line and in a file name."""
