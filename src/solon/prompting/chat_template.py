"""Dialogues in the chat template of a tokenizer, and which format a model gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from solon.constitution.few_shots import CritiqueShot
from solon.errors import ConfigError, ModelError
from solon.prompting.dialogue import DialogueFormat, HumanAssistant
from solon.records import Turn

_ROLES = {"human": "user", "assistant": "assistant"}
_QUESTION, _ANSWER = "SolonProbeQuestion", "SolonProbeAnswer"


class ChatTokenizer(Protocol):
    """What is used of a Hugging Face tokenizer."""

    @property
    def chat_template(self) -> Any: ...
    @property
    def eos_token(self) -> Any: ...
    @property
    def all_special_tokens(self) -> Any: ...

    def apply_chat_template(
        self, conversation: Any, *, tokenize: Any, add_generation_prompt: Any, **kwargs: Any
    ) -> Any:
        """The dialogue as text when `tokenize` is false."""


class ChatTemplate:
    """Critique and revision requests are further turns of the human, critiques and revisions the assistant's replies.

    The texts already hold the template's special tokens, so they are to be tokenised without adding any. Special
    tokens inside a turn are broken up by a space: they would otherwise speak for the format. Models that can reason in
    hiding are asked not to.
    """

    def __init__(self, tokenizer: ChatTokenizer):
        """Raises `ModelError` if the template cannot write a dialogue."""
        self._tokenizer = tokenizer
        self._special = tuple(token for token in tokenizer.all_special_tokens if len(token) > 1)
        turns = (Turn(role="human", text=_QUESTION), Turn(role="assistant", text=_ANSWER))
        asked, answered = self._render(turns[:1]), self._render(turns, ask=False)
        if _QUESTION not in asked or _ANSWER not in answered:
            raise ModelError("the tokenizer's chat template leaves out what is said")
        before, after = answered.split(_ANSWER, 1)
        self._lead = before.removeprefix(asked) if before.startswith(asked) else ""
        marks = (after.strip(), tokenizer.eos_token)
        self._stop = tuple(dict.fromkeys(mark for mark in marks if mark))

    @property
    def stop(self) -> tuple[str, ...]:
        return self._stop

    def prompt(self, turns: Sequence[Turn]) -> str:
        return self._render(turns)

    def answer(self, text: str) -> str:
        return self._lead + text

    def critique(self, turns: Sequence[Turn], answer: str, request: str, *, shots: Sequence[CritiqueShot] = ()) -> str:
        worked = [turn for shot in shots for turn in _worked(shot, with_critique=True)]
        return self._render([*worked, *turns, *_exchange(answer, request)])

    def revision(
        self,
        turns: Sequence[Turn],
        answer: str,
        request: str,
        *,
        critique: tuple[str, str] | None,
        shots: Sequence[CritiqueShot] = (),
    ) -> str:
        worked = [turn for shot in shots for turn in _worked(shot, with_critique=critique is not None)]
        middle = [] if critique is None else _exchange(answer, critique[0])
        last = answer if critique is None else critique[1]
        return self._render([*worked, *turns, *middle, *_exchange(last, request)])

    def _render(self, turns: Sequence[Turn], *, ask: bool = True) -> str:
        messages = [{"role": _ROLES[turn.role], "content": self._plain(turn.text)} for turn in turns]
        try:
            text = self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=ask, enable_thinking=False
            )
        except Exception as error:  # a template is a program of the model's author and may raise anything
            hint = 'set models.dialogue = "human-assistant"'
            raise ModelError(f"the tokenizer's chat template cannot write a dialogue: {error}", hint=hint) from error
        return str(text)

    def _plain(self, text: str) -> str:
        for token in self._special:
            text = text.replace(token, f"{token[0]} {token[1:]}")
        return text


def dialogue_format(
    tokenizer: ChatTokenizer, choice: Literal["auto", "human-assistant", "chat-template"] = "auto"
) -> DialogueFormat:
    """The format for a model. `auto`: the tokenizer's chat template if it has one, else Human/Assistant.

    Raises `ConfigError` if a chat template is asked for and there is none, `ModelError` if it does not work.
    """
    if choice == "human-assistant" or (choice == "auto" and not tokenizer.chat_template):
        return HumanAssistant()
    if not tokenizer.chat_template:
        hint = 'set models.dialogue = "human-assistant"'
        raise ConfigError("models.dialogue asks for a chat template, but the tokenizer has none", hint=hint)
    return ChatTemplate(tokenizer)


def _exchange(assistant: str, human: str) -> tuple[Turn, Turn]:
    return Turn(role="assistant", text=assistant), Turn(role="human", text=human)


def _worked(shot: CritiqueShot, *, with_critique: bool) -> list[Turn]:
    """One example as earlier turns of the same conversation."""
    turns = [*shot.turns]
    if with_critique:
        turns += _exchange(shot.answer, shot.critique_request)
        turns += _exchange(shot.critique, shot.revision_request)
    else:
        turns += _exchange(shot.answer, shot.revision_request)
    return [*turns, Turn(role="assistant", text=shot.revision)]
