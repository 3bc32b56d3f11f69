"""A chat template applied to turns whose texts it never sees.

A template is a program: it may trim, rewrite or cut a text, and do otherwise where a text holds a certain word. So it
writes placeholders, once for each order of roles, and the texts take their places afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from solon.errors import ModelError
from solon.prompting.dialogue import MESSAGE_ROLES
from solon.records import Role, Turn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PLAIN = 'set models.dialogue = "human-assistant"'
"""What to do where a template cannot be used."""
_PLACEHOLDER = re.compile(r"SolonTurn(\d{4})")


class _LeavesOutError(ModelError):
    """A text has no place in what the template writes."""


class Skeleton:
    """Writes dialogues around the pieces of template between their texts."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, template: str | None):
        """`template`: None: the tokenizer's. Raises `ModelError` if it cannot write a dialogue, whether its texts come
        bare or in parts."""
        self._tokenizer, self._template = tokenizer, template
        self._in_parts = False
        self._pieces = lru_cache(maxsize=512)(self._rendered)
        try:
            self._pieces(("human", "assistant", "human"), True)
        except _LeavesOutError:
            self._in_parts = True  # templates for pictures too want a list
            self._pieces.cache_clear()
            self._pieces(("human", "assistant", "human"), True)

    def __call__(self, turns: Sequence[Turn], ask: bool) -> str:
        """The dialogue as text; `ask`: up to where the assistant speaks. Raises `ModelError`."""
        pieces = self._pieces(tuple(turn.role for turn in turns), ask)
        return "".join(turns[piece].text if isinstance(piece, int) else piece for piece in pieces)

    def rewrites(self, turns: Sequence[Turn]) -> bool:
        """Whether the template would write something else if it saw these texts."""
        return self._apply([(turn.role, turn.text) for turn in turns], True) != self(turns, True)

    def _rendered(self, roles: tuple[Role, ...], ask: bool) -> tuple[str | int, ...]:
        """The template's own text, and between it the numbers of the turns."""
        text = self._apply([(role, f"SolonTurn{place:04}") for place, role in enumerate(roles)], ask)
        cut = _PLACEHOLDER.split(text)
        pieces = tuple(int(piece) if place % 2 else piece for place, piece in enumerate(cut))
        if {piece for piece in pieces if isinstance(piece, int)} != set(range(len(roles))):
            raise _LeavesOutError("the tokenizer's chat template leaves out what is said", hint=PLAIN)
        return pieces

    def _apply(self, turns: Sequence[tuple[Role, str]], ask: bool) -> str:
        messages: list[dict[str, Any]] = [
            {"role": MESSAGE_ROLES[role], "content": [{"type": "text", "text": text}] if self._in_parts else text}
            for role, text in turns
        ]
        try:
            text = self._tokenizer.apply_chat_template(
                messages,
                chat_template=self._template,
                tokenize=False,
                add_generation_prompt=ask,
                enable_thinking=False,
            )
        except Exception as error:  # a template is a program of the model's author and may raise anything
            what = f"the tokenizer's chat template cannot write a dialogue: {error}"
            raise ModelError(what, hint=PLAIN) from error
        return str(text)
