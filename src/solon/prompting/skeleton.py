"""A chat template applied to turns whose texts it never sees.

A template is a program: it may trim, rewrite or cut a text, and do otherwise where a text holds a certain word. So it
writes placeholders, once for each order of roles, and the texts take their places afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from solon.errors import ModelError
from solon.prompting.dialogue import MESSAGE_ROLES
from solon.records import Role, Turn

Apply = Callable[[list[dict[str, Any]], bool], str]
"""(messages, whether the assistant is asked to speak) -> text, by the tokenizer."""
_PLACEHOLDER = re.compile(r"SolonTurn(\d{4})")
LEAVES_OUT = "the tokenizer's chat template leaves out what is said"


class Skeleton:
    """Writes dialogues around the pieces of template between their texts."""

    def __init__(self, apply: Apply, hint: str):
        """Raises `ModelError` if the template cannot write a dialogue, whether its texts come bare or in parts."""
        self._apply, self._hint = apply, hint
        self._parts = False
        self._pieces = lru_cache(maxsize=512)(self._rendered)
        try:
            self._pieces(("human", "assistant", "human"), True)
        except ModelError as error:
            if str(error.faults[0].what) != LEAVES_OUT:
                raise
            self._parts = True  # templates for pictures too want a list
            self._pieces.cache_clear()
            self._pieces(("human", "assistant", "human"), True)

    def __call__(self, turns: Sequence[Turn], ask: bool) -> str:
        """The dialogue as text; `ask`: up to where the assistant speaks. Raises `ModelError`."""
        pieces = self._pieces(tuple(turn.role for turn in turns), ask)
        return "".join(turns[piece].text if isinstance(piece, int) else piece for piece in pieces)

    def rewrites(self, turns: Sequence[Turn]) -> bool:
        """Would the template write something else if it saw these texts?"""
        messages = [{"role": MESSAGE_ROLES[turn.role], "content": self._content(turn.text)} for turn in turns]
        return self._apply(messages, True) != self(turns, True)

    def _rendered(self, roles: tuple[Role, ...], ask: bool) -> tuple[str | int, ...]:
        """The template's own text, and between it the numbers of the turns."""
        messages = [
            {"role": MESSAGE_ROLES[role], "content": self._content(f"SolonTurn{place:04}")}
            for place, role in enumerate(roles)
        ]
        cut = _PLACEHOLDER.split(self._apply(messages, ask))
        pieces = tuple(int(piece) if place % 2 else piece for place, piece in enumerate(cut))
        if {piece for piece in pieces if isinstance(piece, int)} != set(range(len(roles))):
            raise ModelError(LEAVES_OUT, hint=self._hint)
        return pieces

    def _content(self, text: str) -> str | list[dict[str, str]]:
        return [{"type": "text", "text": text}] if self._parts else text
