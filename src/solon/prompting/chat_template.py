"""Dialogues in the chat template of a tokenizer, and which format a model gets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from solon.config.models import NEW_YEAR, Dialogue
from solon.errors import ConfigError, ModelError
from solon.prompting.context import Context, dialogue
from solon.prompting.dialogue import DELIMITERS, HumanAssistant
from solon.prompting.guard import Guard, byte_names, control_tokens, normalizer
from solon.prompting.layout import find_layout
from solon.prompting.messages import ROLES, Messages
from solon.prompting.skeleton import PLAIN, Skeleton
from solon.records import Turn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_NO_PLACE = "the chat template has no place for a system turn; it begins the first human turn"
_TOUCHY = tuple(Turn(role=role, text="One.\n\nTwo </think> three.") for role in ("human", "assistant", "human"))
_REWRITES = "the chat template would rewrite texts (paragraphs, or what stands before </think>); they stay as they are"
_DRIFTS = "the chat template works out today's date in a way that cannot be held still"
_DATE_CALL = re.compile(r"""strftime_now\(\s*(["'])(.*?)\1\s*\)""")


class ChatTemplate:
    """The dialogue as the template of the model's tokenizer writes it.

    A prompt and an answer together are what the template writes of the whole dialogue, up to the answer's end mark;
    `notes` names the exceptions. Models that can reason in hiding are asked not to.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, system: str = "", today: date = NEW_YEAR):
        """`system`: the system turn of dialogues that have none. Raises `ModelError` if the template cannot write a
        dialogue."""
        self.system = system
        template, controls = _dated(tokenizer.chat_template, today), control_tokens(tokenizer)
        self._drifts = "strftime_now(" in (template or "")
        self._write = Skeleton(tokenizer, template)
        self._layout = find_layout(self._write, controls, tokenizer.eos_token)
        self.guard = Guard((*controls, *byte_names(tokenizer), *self._layout.marks), normalizer(tokenizer))
        self._begin, self.end = _begin_mark(tokenizer), self._layout.end
        self.own_system = self._layout.own_system
        """What the template tells the assistant where a dialogue has no system turn and `system` is empty."""
        self.stop = tuple(dict.fromkeys(mark for mark in (self.end, tokenizer.eos_token) if mark))

    def notes(self, *, system: bool) -> tuple[str, ...]:
        found = {
            _NO_PLACE: system and not self._layout.takes_system,
            _DRIFTS: self._drifts,
            _REWRITES: self._write.rewrites(_TOUCHY),
        }
        return (*self._layout.notes, *(note for note, holds in found.items() if holds))

    def refuses(self, turns: Sequence[Turn]) -> bool:
        """Whether the template will not write turns in this order."""
        try:
            self._write(turns, True)
        except ModelError:
            return True
        return False

    def prompt(self, turns: Sequence[Turn]) -> str:
        return self.render(dialogue(turns))

    def answer(self, text: str, *, finished: bool = True) -> str:
        return f"{self._layout.lead}{self.guard(text)}{self._layout.close if finished else ''}"

    def render(self, context: Context) -> str:
        """All that the model reads, up to where its reply continues. What holds no messages is no dialogue, so nothing
        of the template is around it."""
        if not context.messages:
            return self._begin + context.prefill
        text = self._write(self._placed(context), True)
        if not text.endswith(self._layout.requested):
            what = f"the chat template asks for an answer in several ways, e.g. {self._layout.requested!r}"
            raise ModelError(what, hint=PLAIN)
        begun = f"{self._layout.lead}{context.prefill}" if context.prefill else ""
        return text.removesuffix(self._layout.requested) + self._layout.opening + begun

    def _placed(self, context: Context) -> list[Turn]:
        """The turns as they are to be rendered: no text can forge a mark, and the system turn is where it can be."""
        system = context.system or self.system
        spoken = [Turn(role=ROLES[speaker], text=self.guard(text)) for speaker, text in context.spoken]
        if not system:
            return spoken
        if self._layout.takes_system:
            return [Turn(role="system", text=self.guard(system)), *spoken]
        return [Turn(role="human", text=f"{self.guard(system)}\n\n{spoken[0].text}"), *spoken[1:]]


DialogueFormat = ChatTemplate | HumanAssistant | Messages
"""How dialogues are rendered for one model. A system turn comes first; without one, the format's own is taken."""


def dialogue_format(
    tokenizer: PreTrainedTokenizerBase | None,
    choice: Dialogue = "auto",
    *,
    system: str = "",
    today: date = NEW_YEAR,
) -> DialogueFormat:
    """The format for a model, which may have no tokenizer. `auto`: the tokenizer's chat template if it has one, else
    Human/Assistant.

    Args:
        system: the system turn of dialogues that have none of their own.
        today: the date for templates that ask for one.

    Raises `ConfigError` if a chat template is asked for and there is none, `ModelError` if it does not work.
    """
    if tokenizer is not None and tokenizer.chat_template and choice != "human-assistant":
        return ChatTemplate(tokenizer, system=system, today=today)
    if choice == "chat-template":
        raise ConfigError("models.dialogue asks for a chat template, but the tokenizer has none", hint=PLAIN)
    if tokenizer is None:
        return HumanAssistant(system=system)
    return HumanAssistant(
        begin=_begin_mark(tokenizer),
        end=tokenizer.eos_token or "",
        guard=Guard((*DELIMITERS, *control_tokens(tokenizer), *byte_names(tokenizer)), normalizer(tokenizer)),
        system=system,
    )


def _dated(template: object, today: date) -> str | None:
    """A template in which every call for the date has its answer; of several templates, the default one.

    None leaves the choice to the tokenizer.
    """
    text = template.get("default") if isinstance(template, dict) else template
    if not isinstance(text, str):
        return None
    return _DATE_CALL.sub(lambda call: repr(today.strftime(call[2])), text)


def _begin_mark(tokenizer: PreTrainedTokenizerBase) -> str:
    """What the tokenizer puts before a text; "" if nothing. A chat template writes it itself, where it wants it."""
    mark = tokenizer.bos_token
    return mark if mark and list(tokenizer.encode("a")[:1]) == [tokenizer.bos_token_id] else ""
