"""Dialogues as text: the paper's Human/Assistant format, or a tokenizer's chat template.

The text is literal: every mark that the model reads is in it, the beginning mark included, so it is tokenized as it
stands and nothing is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.prompting.context import Context, Speaker, dialogue
from solon.prompting.guard import Guard
from solon.records import Role, Turn

HUMAN = "\n\nHuman:"
ASSISTANT = "\n\nAssistant:"
CRITIQUE_REQUEST = "\n\nCritiqueRequest:"
CRITIQUE = "\n\nCritique:"
REVISION_REQUEST = "\n\nRevisionRequest:"
REVISION = "\n\nRevision:"
MESSAGE_ROLES: dict[Role, str] = {"system": "system", "human": "user", "assistant": "assistant"}
"""Roles of turns, and what chat templates and message lists call them."""
LABELS: dict[Speaker, str] = {
    "human": HUMAN,
    "assistant": ASSISTANT,
    "critique request": CRITIQUE_REQUEST,
    "critique": CRITIQUE,
    "revision request": REVISION_REQUEST,
    "revision": REVISION,
}
"""What stands before the text of each speaker."""
DELIMITERS = tuple(LABELS.values())
"""Any of these in an answer ends it: it belongs to the format, not to the speaker (CAI appendix, data files)."""


_DELIMITERS_ALONE = Guard(DELIMITERS)


@dataclass(frozen=True, kw_only=True)
class HumanAssistant:
    """The format of CAI and its published files: delimiters on their own paragraph, a space before every text.

    A system turn stands before the first human turn, without a delimiter: the format has no place for it.
    """

    begin: str = ""
    """The tokenizer's beginning mark, where it puts one."""
    end: str = ""
    """The mark that ends an answer, as the tokenizer reads it; "" if there is none."""
    guard: Guard = _DELIMITERS_ALONE
    """Keeps what people and models say from being read as the format's own marks."""
    system: str = ""
    """The system turn of dialogues that have none."""
    stop: tuple[str, ...] = DELIMITERS
    """Strings that end an answer."""

    def notes(self, *, system: bool) -> tuple[str, ...]:
        """Where prompts depart from what the tokenizer would write; `system`: dialogues may have a system turn."""
        return ("a system turn stands before the first human turn, without a delimiter",) if system else ()

    def prompt(self, turns: Sequence[Turn]) -> str:
        """The dialogue up to the point where the assistant speaks; `turns` ends with the human."""
        return self.render(dialogue(turns))

    def answer(self, text: str, *, finished: bool = True) -> str:
        """An answer as it follows `prompt`, up to and including the end mark; a truncated one has none."""
        return f" {self.guard(text)}{self.end if finished else ''}"

    def render(self, context: Context) -> str:
        """All that the model reads, up to where its reply continues; the prefill stands as it is."""
        opening = self.begin + self.guard(context.system or self.system)
        said = "".join(f"{LABELS[speaker]} {self.guard(text)}" for speaker, text in context.spoken)
        reply = LABELS[context.reply] if context.messages else ""
        space = " " if reply and context.prefill else ""
        return f"{opening}{said}{reply}{space}{context.prefill}"


def with_system(turns: Sequence[Turn], text: str) -> tuple[Turn, ...]:
    """The turns behind a system turn of this text; as they are if they have one, or the text is empty."""
    as_they_are = not text or any(turn.role == "system" for turn in turns)
    return tuple(turns) if as_they_are else (Turn(role="system", text=text), *turns)
