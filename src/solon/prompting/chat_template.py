"""Dialogues in the chat template of a tokenizer, and which format a model gets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from solon.config import NEW_YEAR, Dialogue
from solon.errors import ConfigError, ModelError
from solon.prompting.context import Context, Speaker
from solon.prompting.dialogue import DELIMITERS, HumanAssistant, system_of, without_system
from solon.prompting.guard import Guard, byte_names, control_tokens, normalizer
from solon.prompting.layout import find_layout
from solon.prompting.skeleton import Skeleton
from solon.records import Role, Turn

_ROLES: dict[Speaker, Role] = {
    "system": "system",
    "human": "human",
    "assistant": "assistant",
    "critique request": "human",
    "critique": "assistant",
    "revision request": "human",
    "revision": "assistant",
}
"""Critique and revision requests are further turns of the human, critiques and revisions the assistant's replies."""
_NO_PLACE = "the chat template has no place for a system turn; it begins the first human turn"
_TOUCHY = tuple(Turn(role=role, text="One.\n\nTwo </think> three.") for role in ("human", "assistant", "human"))
_REWRITES = "the chat template would rewrite texts (paragraphs, or what stands before </think>); they stay as they are"
_PLAIN = 'set models.dialogue = "human-assistant"'
_DRIFTS = "the chat template works out today's date in a way that cannot be held still"
_DATE_CALL = re.compile(r"""strftime_now\(\s*(["'])(.*?)\1\s*\)""")


class ChatTokenizer(Protocol):
    """What is used of a Hugging Face tokenizer."""

    @property
    def chat_template(self) -> Any: ...
    @property
    def eos_token(self) -> Any: ...
    @property
    def bos_token(self) -> Any: ...
    @property
    def bos_token_id(self) -> Any: ...
    @property
    def added_tokens_decoder(self) -> Mapping[int, Any]: ...

    def encode(self, text: str) -> Any:
        """Token ids, with the marks that the tokenizer puts around a text."""

    def apply_chat_template(
        self, conversation: Any, *, tokenize: Any, add_generation_prompt: Any, **kwargs: Any
    ) -> Any:
        """The dialogue as text when `tokenize` is false."""


class ChatTemplate:
    """The dialogue as the template of the model's tokenizer writes it.

    A prompt and an answer together are what the template writes of the whole dialogue, up to the answer's end mark;
    `notes` names the exceptions. Models that can reason in hiding are asked not to.
    """

    def __init__(self, tokenizer: ChatTokenizer, *, system: str = "", today: date = NEW_YEAR):
        """`system`: the system turn of dialogues that have none. Raises `ModelError` if the template cannot write a
        dialogue."""
        self._tokenizer = tokenizer
        self._template = _dated(tokenizer.chat_template, today)
        self.system = system
        controls = control_tokens(tokenizer)
        self._write = Skeleton(self._apply, hint=_PLAIN)
        self._layout = find_layout(self._write, controls, tokenizer.eos_token)
        self.guard = Guard((*controls, *byte_names(tokenizer), *self._layout.marks), normalizer(tokenizer))
        self.end = self._layout.end
        self.stop = tuple(dict.fromkeys(mark for mark in (self.end, tokenizer.eos_token) if mark))

    def notes(self, *, system: bool) -> tuple[str, ...]:
        homeless = system and not self._layout.takes_system
        drifts = "strftime_now(" in (self._template or "")
        rewrites = self._write.rewrites(_TOUCHY)
        found = (_NO_PLACE if homeless else None, _DRIFTS if drifts else None, _REWRITES if rewrites else None)
        return (*self._layout.notes, *(note for note in found if note))

    def prompt(self, turns: Sequence[Turn]) -> str:
        text = self._write(self._placed(turns), True)
        if not text.endswith(self._layout.requested):
            what = f"the chat template asks for an answer in several ways, e.g. {self._layout.requested!r}"
            raise ModelError(what, hint=_PLAIN)
        return text.removesuffix(self._layout.requested) + self._layout.opening

    def answer(self, text: str, *, finished: bool = True) -> str:
        return f"{self._layout.lead}{self.guard(text)}{self._layout.close if finished else ''}"

    def render(self, context: Context) -> str:
        turns = [Turn(role=_ROLES[speaker], text=text) for speaker, text in context.messages]
        return self.prompt(turns) + (f"{self._layout.lead}{context.prefill}" if context.prefill else "")

    def _placed(self, turns: Sequence[Turn]) -> list[Turn]:
        """The turns as they are to be rendered: no text can forge a mark, and the system turn is where it can be."""
        system = system_of(turns) or self.system
        spoken = [Turn(role=turn.role, text=self.guard(turn.text)) for turn in without_system(turns)]
        if not system:
            return spoken
        if self._layout.takes_system:
            return [Turn(role="system", text=self.guard(system)), *spoken]
        return [Turn(role="human", text=f"{self.guard(system)}\n\n{spoken[0].text}"), *spoken[1:]]

    def _apply(self, messages: list[dict[str, Any]], ask: bool) -> str:
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
            raise ModelError(what, hint=_PLAIN) from error
        return str(text)


def dialogue_format(
    tokenizer: ChatTokenizer,
    choice: Dialogue = "auto",
    *,
    system: str = "",
    today: date = NEW_YEAR,
) -> ChatTemplate | HumanAssistant:
    """The format for a model. `auto`: the tokenizer's chat template if it has one, else Human/Assistant.

    Args:
        system: the system turn of dialogues that have none of their own.
        today: the date for templates that ask for one.

    Raises `ConfigError` if a chat template is asked for and there is none, `ModelError` if it does not work.
    """
    if choice == "human-assistant" or (choice == "auto" and not tokenizer.chat_template):
        return HumanAssistant(
            begin=_begin_mark(tokenizer),
            end=tokenizer.eos_token or "",
            guard=Guard((*DELIMITERS, *control_tokens(tokenizer), *byte_names(tokenizer)), normalizer(tokenizer)),
            system=system,
        )
    if not tokenizer.chat_template:
        raise ConfigError("models.dialogue asks for a chat template, but the tokenizer has none", hint=_PLAIN)
    return ChatTemplate(tokenizer, system=system, today=today)


def _dated(template: object, today: date) -> str | None:
    """A template in which every call for the date has its answer; of several templates, the default one.

    None leaves the choice to the tokenizer.
    """
    text = template.get("default") if isinstance(template, dict) else template
    if not isinstance(text, str):
        return None
    return _DATE_CALL.sub(lambda call: repr(today.strftime(call[2])), text)


def _begin_mark(tokenizer: ChatTokenizer) -> str:
    """What the tokenizer puts before a text; "" if nothing. Chat templates write it themselves where they want it."""
    mark = tokenizer.bos_token
    return mark if mark and list(tokenizer.encode("a")[:1]) == [tokenizer.bos_token_id] else ""
