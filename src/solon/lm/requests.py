"""Requests as text, for engines that render contexts themselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WriteRequest:
    """One text to continue."""

    prompt: str
    """Literal: it holds every mark that the model is to read, and nothing is added."""
    seed: int
    """This row's own seed: the same request gives the same text in any batch, up to floating-point rounding."""
    max_new_tokens: int
    temperature: float = 1.0
    """0 means greedy."""
    stop: tuple[str, ...] = ()
    """Writing ends before the first of these strings; it is not part of the text."""


@dataclass(frozen=True, kw_only=True)
class OptionRequest:
    """Which of these continuations does the model expect?"""

    prompt: str
    options: tuple[str, ...]
