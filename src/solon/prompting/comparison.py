"""Comparison prompts: which of two answers is better under one question (CAI section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from solon.prompting.dialogue import ASSISTANT, HUMAN
from solon.records import Turn
from solon.text import fill

OPTIONS = (" (A)", " (B)")
"""The scored continuations, with their leading space, as in the published evaluation files."""
MARKS = (
    *(HUMAN, ASSISTANT, "\n\nSystem:", "\n\nH:", "\n\nA:", "\n\nS:"),
    *("\nOptions:", "\n (A)", "\n (B)", "\nThe answer is:", "\nSo the answer is:"),
)
"""What the templates of comparisons write, and no text within them may: another turn, another option, a verdict."""


@cache
def template(name: str) -> str:
    """A shipped template, without the newline that ends its file."""
    return files("solon.prompting").joinpath(f"templates/{name}.txt").read_text(encoding="utf-8").removesuffix("\n")


def comparison_prompt(turns: Sequence[Turn], first: str, second: str, question: str) -> str:
    """Ends where the judge names an option; score `OPTIONS` after it. `first` is shown as (A)."""
    names = {"human": HUMAN, "assistant": ASSISTANT, "system": "\n\nSystem:"}
    dialogue = "".join(f"{names[turn.role]} {turn.text}" for turn in turns)
    return fill(template("comparison"), dialogue=dialogue, question=question, a=first, b=second)


def reasoning_prompt(turns: Sequence[Turn], first: str, second: str, question: str) -> str:
    """Ends where the judge begins to reason; inner turns are H: and A:, so as not to look like the judge's own."""
    names = {"human": "\n\nH:", "assistant": "\n\nA:", "system": "\n\nS:"}
    dialogue = "".join(f"{names[turn.role]} {turn.text}" for turn in turns)
    return fill(template("comparison_cot"), dialogue=dialogue, question=question, a=first, b=second)


def verdict_prompt(reasoning: str, rationale: str) -> str:
    """After the judge has reasoned: ends where it names an option; score `OPTIONS` after it."""
    return reasoning + fill(template("verdict_cot"), rationale=rationale)
