"""The instructions that a document's article becomes: critique request, revision request, comparison question."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from solon.text import fill

TEXTS = ("critique_request", "revision_request", "comparison_question")


def instructions(
    title: str, text: str, *, outranked_by: Sequence[str], hard_constraints: Sequence[str]
) -> dict[str, str]:
    """The three texts for one article. `outranked_by`: titles of the articles above it, highest first."""
    outranked = fill(_templates()["outranked"], articles="; ".join(outranked_by)) if outranked_by else ""
    fields = {
        "title": title,
        "text": text,
        "outranked": outranked,
        "hard_constraints": "\n".join(f"- {constraint}" for constraint in hard_constraints),
    }
    return {name: fill(_templates()[name], **fields) for name in TEXTS}


@cache
def _templates() -> dict[str, str]:
    text = files("solon.constitution").joinpath("templates/document.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
